//! What another service's record is about, in the same words that the encryption context of its KMS calls uses.

use super::arn::{self, Arn};
use super::context::{self, BACKUP, EBS, EFS, Place, RDS_CLUSTER, RDS_INSTANCE};
use super::json::{self, Node};
use crate::frame::Row;

/// A resource: as KMS rows name it, and as its own service does. Mostly the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Affected {
    /// Joins the `resource` column of KMS rows.
    pub(super) resource: String,
    /// ARN where the service has one.
    pub(super) related: String,
}

/// The resource of a request. `response` helps where only the answer knows (a new volume).
pub(super) fn affected(row: &Row<'_>, request: Option<Node<'_>>, response: Option<Node<'_>>) -> Option<Affected> {
    let place = Place {
        region: row.region.as_deref().unwrap_or_default(),
        account: row.account.as_deref().unwrap_or_default(),
    };
    let ask = Ask { request, response, place };
    let source = row.event_source.as_deref().unwrap_or_default();
    let service = source.split('.').next().unwrap_or_default();
    if service == "rds" {
        return ask.database();
    }
    let text = match service {
        "s3" => ask.s3(),
        "ec2" => ask.ec2(row.event_name.as_deref().unwrap_or_default()),
        "secretsmanager" => ask.secret(),
        "ssm" => ask.parameter(),
        "lambda" => ask.function(),
        "dynamodb" => ask.dynamodb(),
        "sqs" => ask.queue(),
        "sns" => ask.arn_of("sns", &["topicArn", "targetArn"], &["name"], ""),
        "kinesis" => ask.arn_of("kinesis", &["streamARN"], &["streamName"], "stream/"),
        "firehose" => ask.arn_of("firehose", &["deliveryStreamARN"], &["deliveryStreamName"], "deliverystream/"),
        "logs" => ask.arn_of("logs", &["logGroupIdentifier", "resourceIdentifier"], &["logGroupName"], "log-group:"),
        "elasticfilesystem" => ask.find(&["fileSystemId"]).map(|id| context::pair(EFS, id)),
        "backup" => ask.find(&["backupVaultName"]).map(|name| context::pair(BACKUP, name)),
        "ecr" => ask.arn_of("ecr", &["repositoryArn"], &["repositoryName"], "repository/"),
        "codecommit" => ask.arn_of("codecommit", &[], &["repositoryName"], ""),
        "redshift" => ask.arn_of("redshift", &[], &["clusterIdentifier"], "cluster:"),
        "cloudtrail" => ask.arn_of("cloudtrail", &["trailARN"], &["name", "trailName"], "trail/"),
        "cassandra" => ask.keyspace(),
        "states" => ask.arn_of("states", &["stateMachineArn", "executionArn"], &["name"], "stateMachine:"),
        "elasticache" => ask.arn_of("elasticache", &[], &["replicationGroupId"], "replicationgroup:"),
        "dms" => ask.arn_of("dms", &["replicationInstanceArn", "endpointArn"], &[], ""),
        _ => None,
    };
    let text = text.or_else(|| ask.any_arn())?;
    Some(Affected { related: text.clone(), resource: text })
}

/// First ARN in `resources[]` that is neither a key nor an identity.
pub(super) fn listed<'r>(resources: Option<Node<'r>>) -> Option<&'r str> {
    let resources = resources?;
    json::items(&resources).find_map(|item| {
        let text = json::arn_of(&item)?;
        is_thing(text).then_some(text)
    })
}

/// Ids of volumes and snapshots in the text of an error: some failures name the thing nowhere else.
pub(super) fn in_message(message: &str) -> Option<String> {
    message
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
        .find(|word| {
            ["vol-", "snap-"].iter().any(|prefix| {
                word.strip_prefix(prefix).is_some_and(|id| id.len() >= 8 && id.bytes().all(|b| b.is_ascii_hexdigit()))
            })
        })
        .map(|word| context::pair(EBS, word))
}

/// Parts of the record to look into, and where names without an ARN belong.
struct Ask<'r, 'p> {
    request: Option<Node<'r>>,
    response: Option<Node<'r>>,
    place: Place<'p>,
}

impl<'r> Ask<'r, '_> {
    /// Member of the request; else of the response. Its own members come first: nested ones may name something else.
    fn find(&self, names: &[&str]) -> Option<&'r str> {
        let among = |part: Option<Node<'r>>| {
            let part = part?;
            let own = names.iter().find_map(|name| json::get_str(&part, &[name]));
            own.or_else(|| names.iter().find_map(|name| json::find(&part, &[name])))
        };
        among(self.request).or_else(|| among(self.response))
    }

    fn own(&self, service: &str, resource: &str) -> String {
        let Place { region, account } = self.place;
        format!("arn:{}:{service}:{region}:{account}:{resource}", arn::partition(region))
    }

    /// An ARN member, else an ARN made of a name member.
    fn arn_of(&self, service: &str, arns: &[&str], names: &[&str], prefix: &str) -> Option<String> {
        let stated = self.find(arns).filter(|text| Arn::parse(text).is_some());
        stated.map(str::to_owned).or_else(|| {
            let name = self.find(names).or_else(|| self.find(arns))?;
            Some(if Arn::parse(name).is_some() {
                name.to_owned()
            } else {
                self.own(service, &format!("{prefix}{name}"))
            })
        })
    }

    fn s3(&self) -> Option<String> {
        let bucket = self.find(&["bucketName", "bucket"])?;
        if Arn::parse(bucket).is_some() {
            return Some(bucket.to_owned());
        }
        let key = self.request.and_then(|request| json::get_str(&request, &["key"]));
        let object = key.map(|key| format!("/{key}")).unwrap_or_default();
        Some(format!("arn:{}:s3:::{bucket}{object}", arn::partition(self.place.region)))
    }

    fn ec2(&self, event: &str) -> Option<String> {
        if event.contains("EbsDefaultKmsKey") || event.contains("EbsEncryptionByDefault") {
            let Place { region, account } = self.place;
            return Some(context::pair("aws:ebs:default", &format!("{account}/{region}")));
        }
        // A volume made from a snapshot: the new volume is what the key will protect.
        let made = |name| self.response.and_then(|response| json::find(&response, &[name]));
        let asked = |name| self.request.and_then(|request| json::find(&request, &[name]));
        let of =
            |id: &str| ["vol-", "snap-"].iter().any(|prefix| id.starts_with(prefix)).then(|| context::pair(EBS, id));
        ["volumeId", "snapshotId"]
            .iter()
            .find_map(|name| made(name).and_then(of))
            .or_else(|| ["volumeId", "snapshotId", "sourceSnapshotId"].iter().find_map(|name| asked(name).and_then(of)))
            .or_else(|| {
                let id = self.find(&["instanceId"]).or_else(|| self.find(&["imageId"]))?;
                let kind = if id.starts_with("ami-") { "image" } else { "instance" };
                Some(self.own("ec2", &format!("{kind}/{id}")))
            })
    }

    /// A name gives the ARN without the six random characters that Secrets Manager appends: the part all its ARNs share.
    fn secret(&self) -> Option<String> {
        let answered = self.response.and_then(|response| json::find(&response, &["arn"]));
        let id = answered.or_else(|| self.find(&["secretId", "secretIdList", "name"]))?;
        Some(if Arn::parse(id).is_some() { id.to_owned() } else { self.own("secretsmanager", &format!("secret:{id}")) })
    }

    fn parameter(&self) -> Option<String> {
        let name = self.find(&["name", "names", "path"])?;
        if Arn::parse(name).is_some() {
            return Some(name.to_owned());
        }
        // `name:3` and `name:label` select a version of the parameter.
        let name = name.split(':').next().unwrap_or(name);
        let slash = if name.starts_with('/') { "" } else { "/" };
        Some(self.own("ssm", &format!("parameter{slash}{name}")))
    }

    /// Function ARN without version or alias, as Lambda writes it into the encryption context.
    fn function(&self) -> Option<String> {
        let answered = self.response.and_then(|response| json::find(&response, &["functionArn"]));
        let id = answered.or_else(|| self.find(&["functionName", "functionArn"]))?;
        if let Some(arn) = Arn::parse(id) {
            let name = arn.resource.strip_prefix("function:")?.split(':').next()?;
            let kept = id.len() - arn.resource.len() + "function:".len() + name.len();
            return Some(id[..kept].to_owned());
        }
        // Also `account:function:name` and `name:qualifier`.
        let name = id.rsplit_once("function:").map_or(id, |(_, name)| name).split(':').next()?;
        Some(self.own("lambda", &format!("function:{name}")))
    }

    fn dynamodb(&self) -> Option<String> {
        let batch = || {
            let items = self.request.and_then(|request| json::get(&request, "requestItems"))?;
            items.as_object()?.keys().next()
        };
        let name = self.find(&["tableName", "targetTableName", "globalTableName", "tableArn"]).or_else(batch)?;
        match Arn::parse(name) {
            Some(arn) => {
                let table = arn.resource.strip_prefix("table/")?.split('/').next()?;
                Some(format!("arn:{}:dynamodb:{}:{}:table/{table}", arn.partition, arn.region, arn.account))
            }
            None => Some(context::table(name, self.place)),
        }
    }

    fn queue(&self) -> Option<String> {
        let Some(url) = self.find(&["queueUrl"]) else {
            return self.find(&["queueName"]).map(|name| self.own("sqs", name));
        };
        let mut parts = url.rsplit('/');
        let (name, account) = (parts.next()?, parts.next()?);
        let host = parts.next().unwrap_or_default();
        // `sqs.<region>.amazonaws.com`, and `<region>.queue.amazonaws.com` of old.
        let region = host.split('.').find(|part| part.contains('-')).unwrap_or(self.place.region);
        Some(format!("arn:{}:sqs:{region}:{account}:{name}", arn::partition(region)))
    }

    fn keyspace(&self) -> Option<String> {
        let keyspace = self.find(&["keyspaceName"])?;
        Some(context::keyspace(keyspace, self.find(&["tableName"]), self.place))
    }

    fn database(&self) -> Option<Affected> {
        const KINDS: [(&[&str], &str); 4] = [
            (&["targetDBSnapshotIdentifier", "dBSnapshotIdentifier"], "snapshot:"),
            (&["targetDBClusterSnapshotIdentifier", "dBClusterSnapshotIdentifier"], "cluster-snapshot:"),
            (&["dBInstanceIdentifier"], "db:"),
            (&["dBClusterIdentifier"], "cluster:"),
        ];
        // A restore names the snapshot it comes from and the instance it makes; the instance is what the key protects.
        let order: [usize; 4] =
            if self.find(&["targetDBSnapshotIdentifier", "targetDBClusterSnapshotIdentifier"]).is_some() {
                [0, 1, 2, 3]
            } else {
                [2, 3, 0, 1]
            };
        let related = order.iter().find_map(|at| {
            let (names, prefix) = KINDS[*at];
            self.arn_of("rds", &[], names, prefix)
        });
        let joined = self
            .find(&["dbiResourceId"])
            .map(|id| context::pair(RDS_INSTANCE, id))
            .or_else(|| self.find(&["dbClusterResourceId"]).map(|id| context::pair(RDS_CLUSTER, id)));
        let related = related.or_else(|| joined.clone()).or_else(|| self.any_arn())?;
        Some(Affected { resource: joined.unwrap_or_else(|| related.clone()), related })
    }

    /// First ARN in the request, else in the response, that is neither a key nor an identity.
    fn any_arn(&self) -> Option<String> {
        let among = |part: Option<Node<'r>>| {
            let mut found = None;
            json::visit(&part?, &mut |_, value| {
                if found.is_none() {
                    found = json::str_of(value).filter(|text| is_thing(text));
                }
            });
            found
        };
        among(self.request).or_else(|| among(self.response)).map(str::to_owned)
    }
}

fn is_thing(text: &str) -> bool {
    Arn::parse(text).is_some_and(|arn| !matches!(arn.service, "kms" | "iam" | "sts"))
}
