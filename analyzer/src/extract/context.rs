//! Encryption context: which data a call is about.
//!
//! The same thing must have the same name in the `resource` column whoever speaks of it, a KMS call or the service itself:
//! an ARN where the context holds one, else `<context key>=<value>`.

use std::borrow::Cow;

use super::arn::{self, Arn};
use super::json::{self, Node};
use crate::frame::Text;

/// Region and account that names without an ARN belong to.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// Region of the endpoint.
    pub region: &'a str,
    /// Account that logged the call.
    pub account: &'a str,
}

/// Context of a volume or snapshot.
pub const EBS: &str = "aws:ebs:id";
/// Context of a database instance: its resource id, not its name.
pub const RDS_INSTANCE: &str = "aws:rds:db-id";
/// Context of a database cluster.
pub const RDS_CLUSTER: &str = "aws:rds:dbc-id";
/// Context of a file system.
pub const EFS: &str = "aws:elasticfilesystem:filesystem:id";
/// Context of a backup vault.
pub const BACKUP: &str = "aws:backup:backup-vault";

/// Context of an object, or of its bucket when that has a Bucket Key.
const S3: &str = "aws:s3:arn";

/// Context keys that name the protected thing, best first. S3 stands last of the ARNs: services keep their data there under a
/// key of the customer and add their own ARN. The rest of a context (message ids, subscriber ids, user pairs) names no thing.
const KNOWN: &[&str] = &[
    "SecretARN",
    "PARAMETER_ARN",
    RDS_INSTANCE,
    RDS_CLUSTER,
    EBS,
    "aws:dynamodb:tableName",
    "aws:cassandra:tableName",
    "aws:cassandra:keyspaceName",
    EFS,
    "aws:lambda:FunctionArn",
    "aws:ecr:arn",
    "aws:cloudtrail:arn",
    "aws:logs:arn",
    "aws:sqs:arn",
    "aws:sns:topicArn",
    "aws:kinesis:firehose:arn",
    "aws:kinesis:arn",
    "aws:redshift:arn",
    "aws:workmail:arn",
    "aws:acm:arn",
    "aws:ses:rule-name",
    BACKUP,
    S3,
];

/// Place of S3 among them.
const S3_RANK: usize = KNOWN.len() - 1;

/// Key that the AWS Encryption SDK adds for itself.
const SDK_KEY: &str = "aws-crypto-public-key";

/// What an encryption context protects. `None` for an empty context.
pub fn resource<'r>(context: &Node<'r>, place: Place<'_>) -> Text<'r> {
    resource_and_object(context, place).0
}

/// The same, and the S3 object or bucket that the data stands in, also where another service keeps it there. Only S3 itself
/// writes that pair: what else is in a context, users may choose.
pub fn resource_and_object<'r>(context: &Node<'r>, place: Place<'_>) -> (Text<'r>, Option<&'r str>) {
    let Some(members) = json::object(context) else { return (None, None) };
    let mut best: Option<(usize, &'r str, Node<'r>)> = None;
    let mut object = None;
    for (name, value) in members.iter() {
        let rank = KNOWN.iter().position(|known| *known == name).unwrap_or_else(|| rank_of_unknown(name, &value));
        if rank == S3_RANK {
            object = json::str_of(&value);
        }
        // Equal rank goes by name, and the last of duplicate names counts.
        if json::text(&value).is_some() && best.is_none_or(|(r, n, _)| (rank, name) <= (r, n)) {
            best = Some((rank, name, value));
        }
    }
    let resource = best.and_then(|(_, name, value)| named(context, name, json::text(&value)?, place));
    (resource, object)
}

/// The S3 bucket that the data stands in, also where another service keeps it there.
pub fn bucket<'r>(context: &Node<'r>) -> Text<'r> {
    json::get_str(context, &[S3]).and_then(arn::bucket).map(Cow::Borrowed)
}

/// ARN of a table.
pub fn table(name: &str, place: Place<'_>) -> String {
    let Place { region, account } = place;
    format!("arn:{}:dynamodb:{region}:{account}:table/{name}", arn::partition(region))
}

/// The form of a resource that has no ARN in its encryption context.
pub fn pair(name: &str, value: &str) -> String {
    format!("{name}={value}")
}

fn rank_of_unknown(name: &str, value: &Node<'_>) -> usize {
    let names_a_thing = json::str_of(value).and_then(Arn::parse).is_some_and(|arn| arn.service != "kms");
    KNOWN.len() + if names_a_thing { 0 } else { 1 + usize::from(name == SDK_KEY) }
}

fn named<'r>(context: &Node<'r>, name: &'r str, value: Cow<'r, str>, place: Place<'_>) -> Text<'r> {
    let of = |name| json::get(context, name).and_then(|value| json::str_of(&value));
    let is_thing = Arn::parse(&value).is_some_and(|arn| arn.service != "kms");
    if is_thing {
        return Some(value);
    }
    Some(Cow::Owned(match name {
        "aws:dynamodb:tableName" => {
            table(&value, Place { account: of("aws:dynamodb:subscriberId").unwrap_or(place.account), ..place })
        }
        "aws:cassandra:tableName" | "aws:cassandra:keyspaceName" => keyspace(
            of("aws:cassandra:keyspaceName").unwrap_or_default(),
            of("aws:cassandra:tableName"),
            Place { account: of("aws:cassandra:subscriberId").unwrap_or(place.account), ..place },
        ),
        _ => pair(name, &value),
    }))
}

/// ARN of a table or keyspace of Amazon Keyspaces.
pub fn keyspace(keyspace: &str, table: Option<&str>, place: Place<'_>) -> String {
    let Place { region, account } = place;
    let table = table.map(|table| format!("/table/{table}")).unwrap_or_default();
    format!("arn:{}:cassandra:{region}:{account}:/keyspace/{keyspace}{table}", arn::partition(region))
}
