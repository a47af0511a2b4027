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
        return if is_of_aws(arn) { without_object(name) } else { Cow::Owned(format!("arn:{HIDDEN}")) };
    }
    match name.split_once('=') {
        Some((key, value)) if !(PAIRS.contains(&key) && is_id(value)) => Cow::Owned(format!("{key}={HIDDEN}")),
        _ => Cow::Borrowed(name),
    }
}

/// True when what follows `arn:` is as the service writes it, and not only named after it.
fn is_of_aws(arn: &str) -> bool {
    let mut fields = arn.splitn(5, ':');
    let mut next = || fields.next().unwrap_or_default();
    let (partition, service, region, account, thing) = (next(), next(), next(), next(), next());
    let is_place = match service {
        // Buckets are named in one room for all accounts.
        "s3" => region.is_empty() && account.is_empty(),
        // Of snapshots and images.
        "ec2" if account.is_empty() => is_region(region),
        _ => is_region(region) && account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit()),
    };
    (partition == "aws" || partition.starts_with("aws-"))
        && SERVICES.contains(&service)
        && is_place
        && !thing.is_empty()
}

/// As `eu-west-1` and `us-gov-east-1`.
fn is_region(text: &str) -> bool {
    let is_part = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
    text.len() <= 32
        && text.rsplit_once('-').is_some_and(|(words, number)| {
            number.bytes().all(|byte| byte.is_ascii_digit()) && !number.is_empty() && words.split('-').all(is_part)
        })
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
            ("arn:aws:ses:::jane", "arn:[redacted]"),
            ("arn:aws:sqs:jane:doe:x", "arn:[redacted]"),
            ("arn:jane:sqs:eu-west-1:111122223333:x", "arn:[redacted]"),
            ("arn:aws:s3:jane::x", "arn:[redacted]"),
            (
                "arn:aws:ec2:eu-west-1::snapshot/snap-0123456789abcdef0",
                "arn:aws:ec2:eu-west-1::snapshot/snap-0123456789abcdef0",
            ),
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
