//! What may be personal in texts of the log: values of an encryption context are chosen by applications, and a report is
//! passed around. Names of AWS's own things stay: a finding that names nothing helps nobody.

use std::borrow::Cow;

/// What stands in the place of a value.
const HIDDEN: &str = "[redacted]";

/// Services whose ARNs name a thing of AWS. Whatever else looks like an ARN in an encryption context, an application made up.
const SERVICES: [&str; 23] = [
    "acm",
    "backup",
    "cassandra",
    "cloudtrail",
    "dynamodb",
    "ec2",
    "ecr",
    "elasticfilesystem",
    "firehose",
    "kafka",
    "kinesis",
    "kms",
    "lambda",
    "logs",
    "rds",
    "redshift",
    "s3",
    "secretsmanager",
    "ses",
    "sns",
    "sqs",
    "ssm",
    "workmail",
];

/// Pairs of services that have no ARN in their context.
const PAIRS: [&str; 5] =
    ["aws:ebs:id", "aws:rds:db-id", "aws:rds:dbc-id", "aws:elasticfilesystem:filesystem:id", "aws:backup:backup-vault"];

/// The name of a protected thing, without what an application chose: of an object in S3 the bucket, of a pair the key.
pub fn resource(name: &str) -> Cow<'_, str> {
    if let Some(arn) = name.strip_prefix("arn:") {
        let service = arn.split(':').nth(1).unwrap_or_default();
        if !SERVICES.contains(&service) {
            return Cow::Owned(format!("arn:{HIDDEN}"));
        }
        return without_object(name);
    }
    match name.split_once('=') {
        Some((key, value)) if !(PAIRS.contains(&key) && is_id(value)) => Cow::Owned(format!("{key}={HIDDEN}")),
        _ => Cow::Borrowed(name),
    }
}

/// An ARN, without the name of an object in S3.
fn without_object(arn: &str) -> Cow<'_, str> {
    match arn.split_once('/') {
        Some((bucket, _)) if arn.split(':').nth(2) == Some("s3") => Cow::Owned(format!("{bucket}/{HIDDEN}")),
        _ => Cow::Borrowed(arn),
    }
}

fn is_id(value: &str) -> bool {
    value.len() <= 64 && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// The constraints of a grant with the keys of its encryption context, and without their values.
pub fn constraints(json: &str) -> String {
    let Ok(serde_json::Value::Object(mut constraints)) = serde_json::from_str(json) else { return HIDDEN.into() };
    for (kind, constraint) in &mut constraints {
        match constraint {
            // Whom the grant works for: a thing of AWS, whichever service it is of.
            serde_json::Value::String(arn) if kind == "sourceArn" && arn.starts_with("arn:") => {
                *arn = without_object(arn).into_owned();
            }
            serde_json::Value::Object(pairs) => pairs.values_mut().for_each(|value| *value = HIDDEN.into()),
            other => *other = HIDDEN.into(),
        }
    }
    serde_json::Value::Object(constraints).to_string()
}

#[cfg(test)]
mod tests {
    use super::{constraints, resource};

    #[test]
    fn things_of_aws_keep_their_names_and_values_lose_them() {
        for (name, shown) in [
            ("arn:aws:s3:::exports", "arn:aws:s3:::exports"),
            ("arn:aws:s3:::exports/patients/jane.pdf", "arn:aws:s3:::exports/[redacted]"),
            ("arn:aws:rds:eu-west-1:111122223333:db:orders", "arn:aws:rds:eu-west-1:111122223333:db:orders"),
            ("arn:aws:patients:::jane", "arn:[redacted]"),
            ("arn:jane", "arn:[redacted]"),
            ("patient=jane", "patient=[redacted]"),
            ("a=b=jane", "a=[redacted]"),
            ("aws:ebs:id=vol-0123456789abcdef0", "aws:ebs:id=vol-0123456789abcdef0"),
            ("aws:ebs:id=jane doe", "aws:ebs:id=[redacted]"),
            ("aws:other=jane", "aws:other=[redacted]"),
            ("", ""),
        ] {
            assert_eq!(resource(name), shown);
        }
    }

    #[test]
    fn constraints_keep_their_keys() {
        let hidden = r#"{"encryptionContextSubset":{"patient":"[redacted]"}}"#;
        assert_eq!(constraints(r#"{"encryptionContextSubset":{"patient":"jane"}}"#), hidden);
        assert_eq!(constraints(r#"{"encryptionContextEquals":"jane"}"#), r#"{"encryptionContextEquals":"[redacted]"}"#);
        assert_eq!(constraints("jane"), "[redacted]");
        assert_eq!(constraints(r#"{"sourceArn":"arn:aws:s3:::exports"}"#), r#"{"sourceArn":"arn:aws:s3:::exports"}"#);
        for source in [r#""arn:aws:s3:::exports/jane.pdf""#, r#"{"patient":"jane"}"#, r#"["jane"]"#, r#""jane""#] {
            let shown = constraints(&format!(r#"{{"sourceArn":{source}}}"#));
            assert!(shown.contains("[redacted]") && !shown.contains("jane"), "{shown}");
        }
    }
}
