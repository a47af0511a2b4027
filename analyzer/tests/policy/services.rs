//! Whether a policy lets CloudTrail make data keys for one trail.

use keytrail::policy::{Policy, ServiceCall, lets_service};

const OWN: &str =
    r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"}"#;

/// A statement about data keys: effect, whom it names, its condition.
fn statement(effect: &str, whom: &str, condition: &str) -> String {
    let condition = if condition.is_empty() { String::new() } else { format!(r#","Condition":{{{condition}}}"#) };
    format!(r#"{{"Effect":"{effect}",{whom},"Action":"kms:GenerateDataKey*","Resource":"*"{condition}}}"#)
}

fn lets(statements: &[String]) -> bool {
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{OWN},{}]}}"#, statements.join(","));
    let main = "arn:aws:cloudtrail:eu-west-1:111122223333:trail/main";
    let call = ServiceCall {
        service: "cloudtrail.amazonaws.com",
        action: "GenerateDataKey",
        source: main,
        context: &[("aws:cloudtrail:arn", main)],
    };
    lets_service(&Policy::parse(&text).unwrap(), "111122223333", &call)
}

const TRAIL: &str = r#""Principal":{"Service":"cloudtrail.amazonaws.com"}"#;
const ALL: &str = r#""Principal":"*""#;

#[test]
fn allows() {
    let rows = [
        (true, TRAIL, ""),
        (true, ALL, ""),
        (true, r#""Principal":{"Service":["logs.amazonaws.com","CloudTrail.amazonaws.com"]}"#, ""),
        (true, r#""NotPrincipal":{"Service":"logs.amazonaws.com"}"#, ""),
        (false, r#""NotPrincipal":{"Service":"cloudtrail.amazonaws.com"}"#, ""),
        (false, r#""Principal":{"Service":"logs.amazonaws.com"}"#, ""),
        (false, r#""Principal":{"AWS":"111122223333"}"#, ""),
        (true, TRAIL, r#""StringEquals":{"aws:SourceArn":"arn:aws:cloudtrail:eu-west-1:111122223333:trail/main"}"#),
        (true, TRAIL, r#""ArnLike":{"AWS:SourceArn":["arn:aws:cloudtrail:*:111122223333:trail/m*"]}"#),
        (true, TRAIL, r#""StringEquals":{"aws:SourceAccount":"111122223333"}"#),
        (
            true,
            TRAIL,
            r#""StringLike":{"kms:EncryptionContext:aws:cloudtrail:arn":"arn:aws:cloudtrail:*:111122223333:trail/*"}"#,
        ),
        (true, TRAIL, r#""StringNotEquals":{"aws:SourceAccount":"444455556666"}"#),
        (true, ALL, r#""Bool":{"aws:PrincipalIsAWSService":"true"}"#),
        (false, TRAIL, r#""StringEquals":{"aws:SourceArn":"arn:aws:cloudtrail:eu-west-1:111122223333:trail/gone"}"#),
        // Wildcards are plain characters to StringEquals.
        (false, TRAIL, r#""StringEquals":{"aws:SourceArn":"arn:aws:cloudtrail:eu-west-1:111122223333:trail/*"}"#),
        (false, TRAIL, r#""ArnLike":{"aws:SourceArn":"arn:aws:cloudtrail:*:111122223333:trail/gone"}"#),
        (false, TRAIL, r#""StringEquals":{"aws:SourceAccount":"444455556666"}"#),
        (
            false,
            TRAIL,
            r#""StringLike":{"kms:EncryptionContext:aws:cloudtrail:arn":"arn:aws:cloudtrail:*:444455556666:trail/*"}"#,
        ),
        (
            false,
            TRAIL,
            r#""StringEquals":{"kms:EncryptionContext:aws:cloudtrail:arn":"arn:aws:cloudtrail:eu-west-1:111122223333:trail/gone"}"#,
        ),
        (
            true,
            TRAIL,
            r#""StringEqualsIgnoreCase":{"aws:SourceArn":"ARN:aws:cloudtrail:eu-west-1:111122223333:trail/main"}"#,
        ),
        // A star does not reach over a colon of an ARN; in a text it does.
        (false, TRAIL, r#""ArnLike":{"aws:SourceArn":"arn:aws:*:111122223333:trail/main:*:*"}"#),
        (true, TRAIL, r#""StringLike":{"aws:SourceArn":"arn:*:trail/main"}"#),
        (false, TRAIL, r#""Null":{"aws:SourceArn":"true"}"#),
        (true, TRAIL, r#""Null":{"aws:SourceArn":"false"}"#),
        (false, TRAIL, r#""StringEquals":{"kms:ViaService":"s3.eu-west-1.amazonaws.com"}"#),
        (true, TRAIL, r#""StringEqualsIfExists":{"kms:ViaService":"s3.eu-west-1.amazonaws.com"}"#),
        (true, TRAIL, r#""StringNotEquals":{"kms:ViaService":"s3.eu-west-1.amazonaws.com"}"#),
        (true, TRAIL, r#""Null":{"kms:ViaService":"true"}"#),
        // All tests of a statement must hold.
        (false, TRAIL, r#""StringEquals":{"aws:SourceAccount":"111122223333"},"Bool":{"aws:SecureTransport":"false"}"#),
        // In doubt it is let in.
        (true, TRAIL, r#""StringEquals":{"aws:SourceAccount":"${aws:PrincipalAccount}"}"#),
        (true, TRAIL, r#""StringEquals":{"aws:SourceOrgID":"o-a1b2c3d4e5"}"#),
        (true, TRAIL, r#""ArnLike":{"aws:SourceArn":"arn:aws:cloudtrail:*"}"#),
        (false, TRAIL, r#""ArnNotEquals":{"aws:SourceArn":"arn:aws:cloudtrail:eu-west-1:111122223333:trail/main"}"#),
        (false, ALL, r#""Bool":{"aws:PrincipalIsAWSService":"false"}"#),
        (
            false,
            ALL,
            r#""StringEquals":{"kms:CallerAccount":"111122223333","kms:ViaService":"s3.eu-west-1.amazonaws.com"}"#,
        ),
    ];
    for (wanted, whom, condition) in rows {
        assert_eq!(lets(&[statement("Allow", whom, condition)]), wanted, "{whom} {condition}");
    }
}

#[test]
fn denies() {
    let rows = [
        (false, TRAIL, ""),
        (false, ALL, ""),
        (false, r#""NotPrincipal":{"AWS":"arn:aws:iam::111122223333:role/admin"}"#, ""),
        (true, r#""NotPrincipal":{"AWS":"111122223333","Service":"cloudtrail.amazonaws.com"}"#, ""),
        (true, r#""Principal":{"AWS":"111122223333"}"#, ""),
        (true, r#""Principal":{"Service":"logs.amazonaws.com"}"#, ""),
        (true, ALL, r#""Bool":{"aws:PrincipalIsAWSService":"false"}"#),
        (false, ALL, r#""Bool":{"aws:PrincipalIsAWSService":"true"}"#),
        (true, TRAIL, r#""ArnNotLike":{"aws:SourceArn":"arn:aws:cloudtrail:*:111122223333:trail/*"}"#),
        (false, TRAIL, r#""ArnNotLike":{"aws:SourceArn":"arn:aws:cloudtrail:*:111122223333:trail/gone"}"#),
        (false, TRAIL, r#""ArnLike":{"aws:SourceArn":"arn:aws:cloudtrail:*:*:trail/main"}"#),
        (false, TRAIL, r#""StringEquals":{"aws:SourceAccount":"111122223333"}"#),
        (true, TRAIL, r#""StringEquals":{"aws:SourceAccount":"444455556666"}"#),
        (false, TRAIL, r#""StringLike":{"aws:SourceArn":"*"}"#),
        (false, TRAIL, r#""ForAllValues:StringLike":{"kms:EncryptionContext:AWS:CloudTrail:arn":"*:trail/main"}"#),
        (true, TRAIL, r#""StringLike":{"kms:EncryptionContext:aws:cloudtrail:arn":"*:trail/gone"}"#),
        (false, ALL, r#""StringNotEquals":{"kms:ViaService":"s3.eu-west-1.amazonaws.com"}"#),
        (true, ALL, r#""ForAnyValue:StringNotEquals":{"kms:ViaService":"s3.eu-west-1.amazonaws.com"}"#),
        (false, ALL, r#""Bool":{"aws:SecureTransport":"true"},"ArnLike":{"aws:SourceArn":"arn:*:*:*:*:*"}"#),
        // Whether it holds is not in the document: in doubt the service is let in.
        (true, ALL, r#""StringNotEquals":{"aws:PrincipalOrgID":"o-a1b2c3d4e5"}"#),
        (true, ALL, r#""StringLike":{"aws:SourceArn":"${aws:PrincipalArn}*"}"#),
        (true, ALL, r#""ArnLike":{"aws:SourceArn":"arn:aws:cloudtrail:*"}"#),
        (true, ALL, r#""DateGreaterThan":{"aws:CurrentTime":"2027-01-01T00:00:00Z"}"#),
    ];
    for (wanted, whom, condition) in rows {
        let both = [statement("Allow", TRAIL, ""), statement("Deny", whom, condition)];
        assert_eq!(lets(&both), wanted, "{whom} {condition}");
    }
}

#[test]
fn other_calls_are_not_asked_about() {
    let decrypts = r#"{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"kms:Decrypt","Resource":"*"}"#;
    assert!(!lets(&[decrypts.to_owned()]));
    let deny = decrypts.replace("Allow", "Deny");
    assert!(lets(&[statement("Allow", TRAIL, ""), deny]));
}

#[test]
fn resources_other_than_the_key_do_not_count() {
    let about = |effect: &str, resource: &str| statement(effect, TRAIL, "").replace(r#""Resource":"*""#, resource);
    let other = r#""Resource":"arn:aws:s3:::bucket/*""#;
    assert!(!lets(&[about("Allow", other)]));
    assert!(lets(&[statement("Allow", TRAIL, ""), about("Deny", other)]));
    // Which key is left out is not told.
    let spared = r#""NotResource":"arn:aws:kms:eu-west-1:111122223333:key/*""#;
    assert!(lets(&[statement("Allow", TRAIL, ""), about("Deny", spared)]));
}

#[test]
fn variables_are_plain_text_in_old_policies() {
    let text = |version: &str| {
        let allow = statement("Allow", TRAIL, r#""StringEquals":{"aws:SourceAccount":"${aws:ResourceAccount}"}"#);
        format!(r#"{{"Version":"{version}","Statement":[{allow}]}}"#)
    };
    let source = "arn:aws:cloudtrail:eu-west-1:111122223333:trail/main";
    let (service, action) = ("cloudtrail.amazonaws.com", "GenerateDataKey");
    let call = ServiceCall { service, action, source, context: &[] };
    let lets = |version| lets_service(&Policy::parse(&text(version)).unwrap(), "111122223333", &call);
    assert!(lets("2012-10-17"));
    assert!(!lets("2008-10-17"));
}
