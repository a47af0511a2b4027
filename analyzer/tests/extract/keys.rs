//! Which key, and where it was found.

use keytrail::extract::arn;
use keytrail::frame::Row;
use serde_json::{Value, json};

use crate::{KEY, KEY_ID, OTHER_KEY, kms};

fn found<'a>(row: &'a Row<'static>) -> (Option<&'a str>, Option<&'a str>) {
    (row.key_arn.as_deref(), row.key_ref.as_deref())
}

fn resource(arn: &str) -> Value {
    json!({"accountId": "111122223333", "type": "AWS::KMS::Key", "ARN": arn})
}

const ALIAS: &str = "arn:aws:kms:eu-west-1:111122223333:alias/app";

#[test]
fn resources_come_first_and_the_type_may_be_missing() {
    let members = json!({"resources": [{"ARN": KEY}], "requestParameters": {"keyId": "alias/app"}});
    let row = kms("Encrypt", members);
    assert_eq!(found(&row), (Some(KEY), Some("resources")));
    assert_eq!((row.key_id.as_deref(), row.key_region.as_deref()), (Some(KEY_ID), Some("eu-west-1")));
    assert_eq!((row.key_account.as_deref(), row.cross_account), (Some("111122223333"), Some(false)));
    assert_eq!((row.alias.as_deref(), row.wide), (Some(ALIAS), false));
}

#[test]
fn key_and_alias_are_told_apart_by_their_arn() {
    for list in [json!([resource(ALIAS), resource(KEY)]), json!([resource(KEY), resource(ALIAS)])] {
        let row = kms("UpdateAlias", json!({"resources": list}));
        assert_eq!((row.key_arn.as_deref(), row.alias.as_deref()), (Some(KEY), Some(ALIAS)));
    }
    let two = json!({"resources": [resource(OTHER_KEY), resource(KEY)], "requestParameters": {"targetKeyId": KEY_ID}});
    assert_eq!(found(&kms("UpdateAlias", two)), (Some(KEY), Some("resources")));
}

#[test]
fn without_resources_the_rest_of_the_record_is_asked_in_order() {
    let response = json!({"responseElements": {"keyId": KEY}, "requestParameters": {"keyId": OTHER_KEY}});
    assert_eq!(found(&kms("DisableKey", response)), (Some(KEY), Some("response")));
    let metadata = json!({"responseElements": {"keyMetadata": {"arn": KEY, "keyId": KEY_ID}}, "resources": []});
    assert_eq!(found(&kms("CreateKey", metadata)), (Some(KEY), Some("response")));
    let service = json!({"serviceEventDetails": {"keyId": KEY}, "resources": null});
    assert_eq!(found(&kms("RotateKey", service)), (Some(KEY), Some("service-details")));
    let request = json!({"requestParameters": {"keyId": KEY}, "errorCode": "AccessDenied"});
    assert_eq!(found(&kms("Encrypt", request)), (Some(KEY), Some("request")));
    let message = json!({"errorCode": "NotFoundException", "errorMessage": format!("Key '{KEY}' does not exist")});
    assert_eq!(found(&kms("DescribeKey", message)), (Some(KEY), Some("message")));
    let both = json!({"requestParameters": {"keyId": "alias/app"}, "errorCode": "DisabledException", "errorMessage": format!("{KEY} is disabled.")});
    let row = kms("Encrypt", both);
    assert_eq!((found(&row), row.alias.as_deref()), ((Some(KEY), Some("message")), Some(ALIAS)));
}

#[test]
fn a_bare_id_becomes_an_arn_of_the_callers_account_and_region() {
    let bare = |members| kms("DescribeKey", members);
    let row = bare(json!({"requestParameters": {"keyId": KEY_ID}}));
    assert_eq!(found(&row), (Some(KEY), Some("built")));
    let service = bare(json!({"serviceEventDetails": {"keyId": KEY_ID}}));
    assert_eq!(found(&service), (Some(KEY), Some("built")));
    let multi = "mrk-1234abcd12ab34cd56ef1234567890ab";
    for (region, partition) in [("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov"), ("us-iso-east-1", "aws-iso")]
    {
        let row = bare(json!({"awsRegion": region, "requestParameters": {"keyId": multi}}));
        let arn = format!("arn:{partition}:kms:{region}:111122223333:key/{multi}");
        assert_eq!(row.key_arn.as_deref(), Some(arn.as_str()));
    }
    let owner = json!({"responseElements": {"keyMetadata": {"keyId": KEY_ID, "aWSAccountId": "444455556666"}}});
    assert_eq!(bare(owner).key_account.as_deref(), Some("444455556666"));
    let owner = json!({"responseElements": {"keyMetadata": {"keyId": KEY_ID, "AWSAccountId": "444455556666"}}});
    assert_eq!(bare(owner).key_account.as_deref(), Some("444455556666"));
    let nowhere = bare(json!({"requestParameters": {"keyId": KEY_ID}, "awsRegion": null}));
    assert_eq!((nowhere.key_arn, nowhere.key_id.as_deref()), (None, Some(KEY_ID)));
}

#[test]
fn garbage_and_aliases_name_no_key() {
    let garbage = kms(
        "Encrypt",
        json!({"requestParameters": {"keyId": "my-key"}, "errorCode": "NotFoundException", "errorMessage": "Invalid keyId 'my-key'"}),
    );
    assert_eq!((found(&garbage), garbage.requested_key.as_deref()), ((None, None), Some("my-key")));
    assert!(garbage.wide);
    let alias =
        kms("Encrypt", json!({"requestParameters": {"keyId": "alias/aws/ebs"}, "errorCode": "NotFoundException"}));
    assert_eq!(alias.alias.as_deref(), Some("arn:aws:kms:eu-west-1:111122223333:alias/aws/ebs"));
    let of_alias = kms(
        "Encrypt",
        json!({"errorCode": "NotFoundException", "errorMessage": format!("Alias {ALIAS} is not found.")}),
    );
    assert_eq!((found(&of_alias), of_alias.alias.as_deref()), ((None, None), Some(ALIAS)));
    let odd = json!({"resources": [{"ARNPrefix": "arn:aws:kms"}, "x", 5, {"ARN": "arn:aws:kms:*:1:key/*"}, {"ARN": 7}], "requestParameters": {"keyId": 5}});
    assert_eq!(found(&kms("Encrypt", odd)), (None, None));
}

#[test]
fn re_encrypt_has_a_source_and_a_destination_in_any_order() {
    for list in [json!([resource(KEY), resource(OTHER_KEY)]), json!([resource(OTHER_KEY), resource(KEY)])] {
        for destination in [OTHER_KEY, "99999999-1111-2222-3333-444444444444"] {
            let row =
                kms("ReEncrypt", json!({"resources": list, "requestParameters": {"destinationKeyId": destination}}));
            assert_eq!((row.key_arn.as_deref(), row.destination_key_arn.as_deref()), (Some(KEY), Some(OTHER_KEY)));
            assert_eq!((row.requested_key.as_deref(), row.operation.as_deref()), (None, Some("crypto")));
        }
    }
    let alias = json!({"resources": [resource(KEY), resource(OTHER_KEY)], "requestParameters": {
        "destinationKeyId": "alias/new", "sourceKeyId": KEY, "sourceEncryptionAlgorithm": "SYMMETRIC_DEFAULT"}});
    let row = kms("ReEncrypt", alias);
    assert_eq!((row.key_arn.as_deref(), row.destination_key_arn.as_deref()), (Some(KEY), Some(OTHER_KEY)));
    assert_eq!((row.source_key.as_deref(), row.requested_key.as_deref()), (Some(KEY), Some("alias/new")));
    assert!(row.wide);
    let same = json!({"resources": [resource(KEY)], "requestParameters": {"destinationKeyId": KEY}});
    let row = kms("ReEncrypt", same);
    assert_eq!((row.key_arn.as_deref(), row.destination_key_arn.as_deref()), (Some(KEY), Some(KEY)));
}

#[test]
fn another_accounts_key_is_cross_account() {
    let caller = json!({"type": "AWSAccount", "principalId": "AROAOTHER:s", "accountId": "999988887777"});
    let row = kms("Decrypt", json!({"userIdentity": caller, "resources": [resource(KEY)], "sharedEventID": "s5"}));
    assert_eq!((row.cross_account, row.shared_event_id.as_deref()), (Some(true), Some("s5")));
    let unknown =
        kms("Decrypt", json!({"userIdentity": {"type": "AWSService", "invokedBy": "x"}, "resources": [resource(KEY)]}));
    assert_eq!(unknown.cross_account, None);
}

#[test]
fn arns_are_found_in_text_and_never_half() {
    let id = |text: &str| arn::in_text(text).and_then(|arn| arn.key_id()).map(str::to_owned);
    assert_eq!(
        id(&format!("User: arn:aws:iam::1:user/x is not authorized to perform: kms:Encrypt on resource: {KEY}")),
        Some(KEY_ID.to_owned())
    );
    assert_eq!(id(&format!("Key '{KEY}' does not exist")), Some(KEY_ID.to_owned()));
    assert_eq!(id("arn:aws-us-gov:kms:us-gov-west-1:####:key/abc is disabled."), Some("abc".to_owned()));
    assert_eq!(id("(arn:aws:kms:eu-west-1:1:key/abc:1)"), Some("abc".to_owned()));
    assert_eq!(id("arn:aws:kms:eu-west-1:1:key/* arn:aws:s3:::b/k arn:aws"), None);
    let cut = format!("{}arn:aws:kms:eu-west-1:111122223333:key/00000000-1111", "x".repeat(1000));
    assert_eq!(id(&cut), None);
    assert!(arn::in_text(&"arn:aws".repeat(10_000)).is_none(), "and in linear time");
    let alias = arn::in_text("arn:aws:kms:eu-west-1:1:alias/a/b is not found.").and_then(|arn| arn.alias());
    assert_eq!(alias, Some("a/b"));
}

#[test]
fn grantees_are_classified() {
    let cases = [
        ("arn:aws:iam::999988887777:root", "root", Some("999988887777")),
        ("arn:aws:iam::111122223333:user/eve", "user", Some("111122223333")),
        ("arn:aws:iam::111122223333:role/a/b", "role", Some("111122223333")),
        ("arn:aws:sts::111122223333:assumed-role/r/s", "session", Some("111122223333")),
        ("arn:aws:sts::111122223333:assumed-role/aws:ec2-infrastructure/i-8", "service", Some("111122223333")),
        ("111122223333:aws:ec2-infrastructure:i-81e2f56c", "service", Some("111122223333")),
        ("dynamodb.us-west-2.amazonaws.com", "service", None),
        ("111122223333", "account", Some("111122223333")),
        ("AIDAEXAMPLE", "unique-id", None),
        ("AROAEXAMPLE:session", "unique-id", None),
        ("AWS Internal", "aws-internal", None),
        ("EX_PRINCIPAL_ID", "unknown", None),
        ("*", "unknown", None),
    ];
    for (text, kind, account) in cases {
        assert_eq!(arn::grantee(text), (kind, account), "{text}");
    }
}
