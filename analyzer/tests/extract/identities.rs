//! Every variant of `userIdentity`.

use keytrail::frame::Row;
use serde_json::{Value, json};

use crate::kms;

fn who(identity: Value) -> Row<'static> {
    kms("Decrypt", json!({"userIdentity": identity}))
}

/// Type, principal, call and account of an identity.
fn told<'a>(row: &'a Row<'static>) -> (Option<&'a str>, Option<&'a str>, Option<&'a str>, Option<&'a str>) {
    (row.principal_type.as_deref(), row.principal.as_deref(), row.call.as_deref(), row.principal_account.as_deref())
}

const ROLE: &str = "arn:aws:iam::111122223333:role/team/etl";
const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/etl/job-7";

#[test]
fn a_user_is_its_arn() {
    let arn = "arn:aws:iam::111122223333:user/eve";
    let row = who(json!({"type": "IAMUser", "arn": arn, "accountId": "111122223333", "accessKeyId": "AKIAEXAMPLE"}));
    assert_eq!(told(&row), (Some("IAMUser"), Some(arn), Some("direct"), Some("111122223333")));
    assert_eq!(row.access_key_id.as_deref(), Some("AKIAEXAMPLE"));
    assert_eq!((row.session_name.as_deref(), row.mfa), (None, None));
}

#[test]
fn a_session_is_its_role_and_the_session_stands_apart() {
    let row =
        who(json!({"type": "AssumedRole", "arn": SESSION, "principalId": "AROAEXAMPLE:job-7", "sessionContext": {
        "sessionIssuer": {"type": "Role", "arn": ROLE, "accountId": "111122223333"}, "sourceIdentity": "eve",
        "webIdFederationData": {}, "attributes": {"mfaAuthenticated": "true"}}}));
    assert_eq!(told(&row), (Some("AssumedRole"), Some(ROLE), Some("direct"), Some("111122223333")));
    assert_eq!(row.session_name.as_deref(), Some("job-7"));
    assert_eq!(row.principal_arn.as_deref(), Some(SESSION));
    assert_eq!((row.mfa, row.source_identity.as_deref()), (Some(true), Some("eve")));
}

#[test]
fn a_session_without_issuer_gives_the_role_by_its_name() {
    for issuer in [json!({}), json!({"sessionIssuer": {}, "webIdFederationData": {}, "attributes": {}}), Value::Null] {
        let row = who(json!({"type": "AssumedRole", "arn": SESSION, "sessionContext": issuer}));
        let role = Some("arn:aws:iam::111122223333:role/etl");
        assert_eq!(told(&row), (Some("AssumedRole"), role, Some("direct"), Some("111122223333")));
    }
    let china = who(json!({"type": "AssumedRole", "arn": "arn:aws-cn:sts::111122223333:assumed-role/etl/s"}));
    assert_eq!(china.principal.as_deref(), Some("arn:aws-cn:iam::111122223333:role/etl"));
}

#[test]
fn a_session_of_ec2_itself_is_tolerated() {
    let arn = "arn:aws:sts::111122223333:assumed-role/aws:ec2-infrastructure/i-81e2f56c";
    let row = who(json!({"type": "AssumedRole", "arn": arn, "accessKeyId": "", "accountId": "111122223333"}));
    assert_eq!(row.principal.as_deref(), Some("arn:aws:iam::111122223333:role/aws:ec2-infrastructure"));
    assert_eq!((row.session_name.as_deref(), row.access_key_id.as_deref()), (Some("i-81e2f56c"), None));
}

#[test]
fn root_is_its_arn_or_is_made_from_the_account() {
    let arn = "arn:aws:iam::111122223333:root";
    let full = json!({"type": "Root", "arn": arn, "principalId": "111122223333", "accountId": "111122223333", "userName": "acme"});
    assert_eq!(told(&who(full)), (Some("Root"), Some(arn), Some("direct"), Some("111122223333")));
    assert_eq!(who(json!({"type": "Root", "accountId": "111122223333"})).principal.as_deref(), Some(arn));
}

#[test]
fn a_federated_user_is_who_federated_it() {
    let issuer = "arn:aws:iam::111122223333:user/broker";
    let arn = "arn:aws:sts::111122223333:federated-user/guest";
    let row = who(json!({"type": "FederatedUser", "arn": arn, "sessionContext": {"sessionIssuer": {"arn": issuer}}}));
    assert_eq!((row.principal.as_deref(), row.session_name.as_deref()), (Some(issuer), Some("guest")));
    assert_eq!(who(json!({"type": "FederatedUser", "arn": arn})).principal.as_deref(), Some(arn));
}

#[test]
fn a_foreign_account_is_its_id_and_the_stable_half_of_its_caller() {
    let row = who(json!({"type": "AWSAccount", "principalId": "AROAOTHER:s", "accountId": "999988887777"}));
    let principal = Some("account:999988887777/AROAOTHER");
    assert_eq!(told(&row), (Some("AWSAccount"), principal, Some("direct"), Some("999988887777")));
    assert_eq!(row.session_name.as_deref(), Some("s"));
    let root = who(json!({"type": "AWSAccount", "principalId": "999988887777", "accountId": "999988887777"}));
    assert_eq!(root.principal.as_deref(), Some("account:999988887777"));
    assert_eq!(who(json!({"type": "AWSAccount", "accountId": "9"})).principal.as_deref(), Some("account:9"));
}

#[test]
fn a_service_is_told_from_a_call_through_a_service() {
    let itself = who(json!({"type": "AWSService", "invokedBy": "workmail.eu-west-1.amazonaws.com"}));
    let name = "workmail.eu-west-1.amazonaws.com";
    assert_eq!(told(&itself), (Some("AWSService"), Some(name), Some("service-self"), None));
    assert_eq!(itself.invoked_by.as_deref(), Some(name));
    for via in ["secretsmanager.amazonaws.com", "AWS Internal", "fas.s3.amazonaws.com"] {
        let row = who(json!({"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/eve", "invokedBy": via}));
        assert_eq!((row.call.as_deref(), row.invoked_by.as_deref()), (Some("via-service"), Some(via)));
        assert_eq!(row.principal.as_deref(), Some("arn:aws:iam::111122223333:user/eve"));
    }
}

#[test]
fn kms_itself_has_no_type() {
    let identity = json!({"accountId": "111122223333", "invokedBy": "AWS Internal"});
    for event_type in ["AwsServiceEvent", "AwsApiCall"] {
        let row = kms("SynchronizeMultiRegionKey", json!({"userIdentity": identity, "eventType": event_type}));
        assert_eq!(told(&row), (Some("KMS"), Some("AWS KMS"), Some("kms-internal"), Some("111122223333")));
    }
}

#[test]
fn other_and_damaged_identities_still_give_what_they_hold() {
    let center = who(
        json!({"type": "IdentityCenterUser", "accountId": "1", "onBehalfOf": {"userId": "u-1"}, "credentialId": "c"}),
    );
    assert_eq!(center.principal.as_deref(), Some("identity-center:u-1"));
    assert_eq!(who(json!({"type": "Role", "arn": ROLE})).principal.as_deref(), Some(ROLE));
    assert_eq!(who(json!({"type": "Directory", "accountId": "12"})).principal.as_deref(), Some("account:12"));
    assert_eq!(who(json!({"type": "Unknown", "principalId": "AIDA:x"})).principal.as_deref(), Some("principal:AIDA"));
    assert_eq!(who(json!({"type": "SAMLUser", "userName": "eve"})).principal.as_deref(), Some("eve"));
    for nothing in [Value::Null, json!({}), json!("eve"), json!([]), json!({"type": null, "arn": ""})] {
        assert_eq!(told(&who(nothing)), (None, None, Some("direct"), None));
    }
    let internal = who(json!({"type": "IAMUser", "arn": "arn:aws:iam::5:user/x", "accountId": "AWS Internal"}));
    assert_eq!(internal.principal_account.as_deref(), Some("5"));
}

#[test]
fn sources_are_told_apart() {
    let cases = [
        ("192.0.2.0", Some("ip")),
        ("205.205.123.000", Some("ip")),
        ("2001:db8::1", Some("ip")),
        ("AWS Internal", Some("aws-internal")),
        ("AWS Internal/2", Some("aws-internal")),
        ("secretsmanager.amazonaws.com", Some("service")),
        ("kms.cn-north-1.amazonaws.com.cn", Some("service")),
        ("HIDDEN", None),
    ];
    for (text, kind) in cases {
        let row = kms("Decrypt", json!({"sourceIPAddress": text}));
        assert_eq!((row.source_ip.as_deref(), row.source_kind.as_deref()), (Some(text), kind));
    }
}
