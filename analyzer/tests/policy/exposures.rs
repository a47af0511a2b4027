//! What an exposure tells people: where it stands, whom it names, why.

use keytrail::finding::{Confidence, Severity};
use keytrail::policy::{Class, Context, Exposure, Kind, Policy, judge_key_policy, lockout};

fn judge(statements: &str) -> Vec<Exposure> {
    let policy = Policy::parse(&format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#)).unwrap();
    let trusted = |account: &str| account == "777788889999";
    let member = |_: &str| false;
    let context = Context { account: "111122223333", trusted: &trusted, member: &member, organization: None };
    judge_key_policy(&policy, &context)
}

#[test]
fn it_says_where_who_and_why() {
    let found = judge(
        r#"{"Effect":"Deny","Principal":"*","Action":"kms:Sign","Resource":"*"},
        {"Sid":"partner","Effect":"Allow","Principal":{"AWS":["444455556666","arn:aws:iam::444455556666:role/b"]},
         "Action":["kms:Decrypt","kms:CreateGrant"],"Resource":"*"}"#,
    );
    let wanted = Exposure {
        kind: Kind::ForeignAccount,
        severity: Severity::High,
        confidence: Confidence::High,
        statement: 1,
        sid: Some("partner".to_owned()),
        principals: vec!["arn:aws:iam::444455556666:role/b".to_owned(), "arn:aws:iam::444455556666:root".to_owned()],
        actions: vec![Class::Grant, Class::Use],
        reason: "account 444455556666, which is not ours, may create grants and decrypt".to_owned(),
    };
    assert_eq!(found, [wanted]);
}

#[test]
fn sentences() {
    let rows = [
        (
            r#""*","Action":"kms:*""#,
            "",
            "any AWS account may administer the key, create grants, decrypt, sign and encrypt",
        ),
        (
            r#""*","Action":"kms:Decrypt""#,
            r#""StringEqualsIfExists":{"aws:PrincipalOrgID":"o-a"}"#,
            "any AWS account may decrypt: a test that is made only if the key is there passes where it is not",
        ),
        (
            r#""*","Action":"kms:Decrypt""#,
            r#""ForAllValues:StringLike":{"aws:PrincipalOrgPaths":"o-a/*"}"#,
            "any AWS account may decrypt: a test for all values passes where there is none",
        ),
        (
            r#""*","Action":"kms:Decrypt""#,
            r#""StringLike":{"aws:PrincipalAccount":"1*"}"#,
            "any AWS account may decrypt: a value of the condition matches every account",
        ),
        (
            r#""*","Action":"kms:Decrypt""#,
            r#""StringLike":{"kms:ViaService":"s3.*.amazonaws.com"}"#,
            "any AWS account may decrypt, through a service",
        ),
        (
            r#"{"Service":"sns.amazonaws.com"},"Action":"kms:Decrypt""#,
            "",
            "the service may decrypt for whomever it works",
        ),
        (
            r#"{"AWS":"444455556666"},"Action":"kms:PutKeyPolicy""#,
            "",
            "account 444455556666, which is not ours, is to administer the key; KMS gives that no effect across accounts",
        ),
        (
            r#"{"AWS":"777788889999"},"Action":"kms:CreateGrant""#,
            "",
            "the trusted account 777788889999 may create grants, grants to anybody included",
        ),
        (
            r#""*","Action":"kms:Decrypt""#,
            r#""StringEquals":{"aws:PrincipalOrgID":"o-a"}"#,
            "every account of organization o-a may decrypt; the settings do not say which is ours",
        ),
        (
            r#"{"AWS":"444455556666"},"Action":"kms:DescribeKey""#,
            "",
            "account 444455556666, which is not ours, may read about the key",
        ),
        (
            r#"{"AWS":"444455556666"},"Action":"kms:VerifyMac""#,
            "",
            "account 444455556666, which is not ours, may use the key",
        ),
    ];
    for (who, condition, reason) in rows {
        let statement = format!(r#"{{"Effect":"Allow","Principal":{who},"Resource":"*","Condition":{{{condition}}}}}"#);
        let found = judge(&statement);
        assert_eq!(found.iter().map(|one| one.reason.as_str()).collect::<Vec<_>>(), [reason], "{statement}");
    }
}

/// A deny that might take more than it plainly does is told of, and the verdict is less sure.
#[test]
fn a_deny_that_is_not_plain_lowers_the_confidence() {
    let allow = r#"{"Effect":"Allow","Principal":"*","Action":"kms:Decrypt","Resource":"*"}"#;
    let deny = |condition: &str| {
        judge(&format!(
            r#"{allow},{{"Effect":"Deny","Principal":"*","Action":"kms:*","Resource":"*","Condition":{{{condition}}}}}"#
        ))
    };
    let sure = judge(allow);
    assert_eq!(sure[0].confidence, Confidence::High);
    let unsure = deny(r#""NotIpAddress":{"aws:SourceIp":"192.0.2.0/24"}"#);
    assert_eq!(unsure[0].confidence, Confidence::Medium);
    assert!(unsure[0].reason.ends_with("; the deny of statement 2 may limit it"), "{}", unsure[0].reason);
    // KMS answers over TLS only: this deny takes nothing from anybody.
    assert_eq!(deny(r#""Bool":{"aws:SecureTransport":"false"}"#), sure);
}

#[test]
fn names_are_stable_and_unique() {
    let mut ids: Vec<_> = Kind::ALL.iter().map(|kind| kind.id()).collect();
    assert!(ids.iter().all(|id| id.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')));
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), Kind::ALL.len());
    assert!(Severity::Critical > Severity::Info && Confidence::High > Confidence::Low);
}

#[test]
fn a_lockout_names_the_deny_and_the_bypass() {
    let text = r#"{"Statement":[
        {"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"kms:*","Resource":"*"},
        {"Effect":"Deny","Principal":"*","Action":"kms:Sign","Resource":"*"},
        {"Effect":"Deny","Principal":"*","Action":"kms:PutKeyPolicy","Resource":"*"}]}"#;
    let policy = Policy::parse(text).unwrap();
    let found = lockout(&policy, "111122223333", Some(true));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].statement, Some(2));
    let reason = "a deny keeps everybody in the account from changing the key policy; the safety check against that was switched off";
    assert_eq!(found[0].reason, reason);
}
