//! THE table of which records matter.
//!
//! A record matters when [`class_of`] says so, from the parsed record. To parse few of them, each is first searched for
//! [`NEEDLES`]: literals of which every record that matters holds at least one. What a needle lets through is no
//! promise; what it holds back cannot matter.

use simd_json::tape::Value;

use super::literals::{Literal, Literals};
use super::members::{Kind, Members};

/// Why a record is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// An event of `kms.amazonaws.com`.
    Kms,
    /// Another service's failure that a key caused.
    Failure,
    /// Binds a key to a resource (PutBucketEncryption, CreateVolume with a key, ...).
    Binding,
    /// Carries an IAM policy document.
    IamPolicy,
    /// Starts, stops or narrows a trail.
    TrailControl,
}

impl Class {
    /// Every class.
    pub const ALL: [Self; 5] = [Self::Kms, Self::Failure, Self::Binding, Self::IamPolicy, Self::TrailControl];

    /// Name in the `class` column.
    pub fn id(self) -> &'static str {
        match self {
            Self::Kms => "kms",
            Self::Failure => "failure",
            Self::Binding => "binding",
            Self::IamPolicy => "iam-policy",
            Self::TrailControl => "trail-control",
        }
    }
}

/// A literal to search for.
pub struct Needle {
    /// Stands in the record. Its print is three bytes that logs hardly hold elsewhere: `ms.`, where `kms` and `.am` are
    /// in every second record, or a small letter before a great one.
    pub literal: Literal,
    /// When not empty, one of these must stand in the record too. Cheaper than parsing what is frequent.
    pub with: &'static [&'static str],
}

const fn needle(text: &'static str, print: usize, with: &'static [&'static str]) -> Needle {
    Needle { literal: Literal { text, print }, with }
}

/// Any character of a name may be written as a JSON escape; such a record is always parsed.
const ESCAPE: &str = "\\u00";

/// The literals.
pub const NEEDLES: &[Needle] = &[
    needle(ESCAPE, 0, &[]),
    // Kms
    needle("kms.amazonaws.com", 1, &[]),
    // Failure: in records that also speak of a key.
    needle("errorCode", 4, FAILURE_MARKS),
    // Binding: every spelling of a member that names a key, then the events that need none.
    needle("msKey", 0, &[]),
    needle("MSKey", 0, &[]),
    needle("msMasterKey", 0, &[]),
    needle("MSMasterKey", 0, &[]),
    needle("tEncryption", 0, &[]),
    needle("mEncryption", 0, &[]),
    needle("EbsEncryptionByDefault", 2, &[]),
    // IamPolicy: either spelling of `policyDocument`.
    needle("olicyDocument", 4, &["iam.amazonaws.com", ESCAPE]),
    // TrailControl
    needle("cloudtrail.amazonaws.com", 8, TRAIL_CONTROL_MARKS),
];

/// Every code and phrase that makes a failure holds one of these.
const FAILURE_MARKS: &[&str] = &[
    "kms:",
    "KMS",
    "Kms",
    "cryptionFailure",
    "EncryptionKey",
    "InvalidKeyId",
    "KeyHasBeenRevoked",
    "encryption-credentials",
    "customer master key",
    ESCAPE,
];

const TRAIL_CONTROL_MARKS: &[&str] = &["Logging", "eTrail", "PutEventSelectors", ESCAPE];

/// Parts of an error code that blame a key. Codes are short names, so `KMS` cannot stand there by chance.
pub const FAILURE_CODES: &[&str] =
    &["KMS", "Kms", "DecryptionFailure", "EncryptionFailure", "EncryptionKey", "CustomerKeyHasBeenRevoked"];

/// Phrases of an error message that blame a key, whatever the code. Never a bare `kms`: encoded authorization messages
/// hold every short run of letters.
pub const FAILURE_PHRASES: &[&str] = &[
    "Service: AWSKMS",
    "Service: Kms,",
    "KMS Exception",
    "KMS Message",
    "KMS key",
    "KMS access",
    "AWS KMS",
    "Access to KMS",
    "customer master key",
    "inaccessible-encryption-credentials",
];

/// States of a key that a message with its ARN tells, whatever the code.
pub const KEY_STATES: &[&str] = &[
    "is disabled",
    "pending deletion",
    "pending replica deletion",
    "pending import",
    "is unavailable",
    "does not exist",
    "is not accessible",
];

/// How an `AccessDenied` message names a KMS action or key.
pub const DENIED_PHRASES: &[&str] = &[" kms:", ":kms:"];

/// Events that bind a key to a resource: service, event, and whether the event counts without naming a key.
pub const BINDINGS: &[(&str, &str, bool)] = &[
    ("backup", "CreateBackupVault", false),
    ("dynamodb", "CreateTable", false),
    ("dynamodb", "RestoreTableFromBackup", false),
    ("dynamodb", "RestoreTableToPointInTime", false),
    ("dynamodb", "UpdateTable", false),
    ("ec2", "CopyImage", false),
    ("ec2", "CopySnapshot", false),
    ("ec2", "CreateSnapshot", false),
    ("ec2", "CreateVolume", false),
    ("ec2", "DisableEbsEncryptionByDefault", true),
    ("ec2", "EnableEbsEncryptionByDefault", true),
    ("ec2", "ImportImage", false),
    ("ec2", "ImportSnapshot", false),
    ("ec2", "ModifyEbsDefaultKmsKeyId", true),
    ("ec2", "ResetEbsDefaultKmsKeyId", true),
    ("ec2", "RunInstances", false),
    ("ecr", "CreateRepository", false),
    ("elasticache", "CreateReplicationGroup", false),
    ("elasticfilesystem", "CreateFileSystem", false),
    ("firehose", "StartDeliveryStreamEncryption", true),
    ("firehose", "StopDeliveryStreamEncryption", true),
    ("fsx", "CreateFileSystem", false),
    ("kinesis", "StartStreamEncryption", true),
    ("kinesis", "StopStreamEncryption", true),
    ("lambda", "CreateFunction", false),
    ("lambda", "UpdateFunctionConfiguration", false),
    ("logs", "AssociateKmsKey", true),
    ("logs", "CreateLogGroup", false),
    ("logs", "DisassociateKmsKey", true),
    ("rds", "CopyDBClusterSnapshot", false),
    ("rds", "CopyDBSnapshot", false),
    ("rds", "CreateDBCluster", false),
    ("rds", "CreateDBInstance", false),
    ("rds", "CreateDBInstanceReadReplica", false),
    ("rds", "RestoreDBClusterFromS3", false),
    ("rds", "RestoreDBClusterFromSnapshot", false),
    ("rds", "RestoreDBClusterToPointInTime", false),
    ("rds", "RestoreDBInstanceFromDBSnapshot", false),
    ("rds", "RestoreDBInstanceFromS3", false),
    ("rds", "RestoreDBInstanceToPointInTime", false),
    ("redshift", "CreateCluster", false),
    ("redshift", "ModifyCluster", false),
    ("s3", "DeleteBucketEncryption", true),
    ("s3", "PutBucketEncryption", true),
    ("sagemaker", "CreateNotebookInstance", false),
    ("secretsmanager", "CreateSecret", false),
    ("secretsmanager", "UpdateSecret", false),
    ("sns", "CreateTopic", false),
    ("sns", "SetTopicAttributes", false),
    ("sqs", "CreateQueue", false),
    ("sqs", "SetQueueAttributes", false),
];

/// Members that name a key, as services spell them in parameters and responses.
pub const KEY_MEMBERS: &[&str] = &[
    "KMSKeyArn",
    "KMSKeyId",
    "KMSMasterKeyArn",
    "KMSMasterKeyID",
    "KMSMasterKeyId",
    "KmsKeyArn",
    "KmsKeyId",
    "KmsMasterKeyId",
    "kMSKeyArn",
    "kMSKeyId",
    "kMSMasterKeyArn",
    "kMSMasterKeyID",
    "kMSMasterKeyId",
    "kmsKey",
    "kmsKeyArn",
    "kmsKeyId",
    "kmsMasterKeyId",
];

/// IAM events that carry a policy document.
pub const IAM_POLICIES: &[&str] =
    &["CreatePolicy", "CreatePolicyVersion", "PutGroupPolicy", "PutRolePolicy", "PutUserPolicy"];

/// CloudTrail events that start, stop or narrow a trail.
pub const TRAIL_CONTROLS: &[&str] =
    &["CreateTrail", "DeleteTrail", "PutEventSelectors", "StartLogging", "StopLogging", "UpdateTrail"];

/// Why the record matters, if it does. Duplicate members: the last one counts.
pub fn class_of(record: Value<'_, '_>) -> Option<Class> {
    let members = Members::of(record)?;
    (members.kind() == Kind::Event).then(|| class_of_members(&members)).flatten()
}

/// [`class_of`] for an event whose members were already gathered.
pub(super) fn class_of_members(members: &Members<'_, '_>) -> Option<Class> {
    let source = members.event_source?;
    if source == "kms.amazonaws.com" {
        return Some(Class::Kms);
    }
    let failed = members.error_code.is_some();
    if failed && is_key_failure(members) {
        return Some(Class::Failure);
    }
    let service = source.strip_suffix(".amazonaws.com")?;
    let name = members.event_name?;
    if service == "cloudtrail" {
        return TRAIL_CONTROLS.contains(&name).then_some(Class::TrailControl);
    }
    if service == "iam" {
        let document = ["policyDocument", "PolicyDocument"];
        let carries = || members.request_parameters.is_some_and(|value| holds(value, &document, 1));
        return (IAM_POLICIES.contains(&name) && carries()).then_some(Class::IamPolicy);
    }
    (!failed && is_binding(service, name, members)).then_some(Class::Binding)
}

fn is_key_failure(members: &Members<'_, '_>) -> bool {
    let code = members.error_code.unwrap_or_default();
    let message = members.error_message.unwrap_or_default();
    let says = |phrases: &[&str]| phrases.iter().any(|phrase| message.contains(phrase));
    FAILURE_CODES.iter().any(|part| code.contains(part))
        || says(FAILURE_PHRASES)
        || (code.contains("InvalidKeyId") && (message.contains("key") || message.contains("Key")))
        || (code.contains("AccessDenied") && says(DENIED_PHRASES))
        || (message.contains(":kms:") && says(KEY_STATES))
}

fn is_binding(service: &str, name: &str, members: &Members<'_, '_>) -> bool {
    // Lambda appends the version of its API to event names.
    let name = name.find("20").map_or(name, |at| &name[..at]);
    let Ok(at) = BINDINGS.binary_search_by(|&(s, n, _)| (s, n).cmp(&(service, name))) else { return false };
    let keyed = |value: Option<Value<'_, '_>>| value.is_some_and(|value| holds(value, KEY_MEMBERS, 12));
    BINDINGS[at].2 || keyed(members.request_parameters) || keyed(members.response_elements)
}

/// True when a member with one of the names has a text in it, at most `depth` levels down. SNS names the attribute that
/// it sets in a value instead.
fn holds(value: Value<'_, '_>, names: &[&str], depth: usize) -> bool {
    use simd_json::prelude::ValueAsScalar;
    let Some(depth) = depth.checked_sub(1) else { return false };
    if let Some(array) = value.as_array() {
        return array.iter().any(|value| holds(value, names, depth));
    }
    let Some(object) = value.as_object() else { return false };
    object.iter().enumerate().any(|(at, (name, value))| {
        let held = match value.as_str() {
            Some(text) => {
                !text.is_empty() && (names.contains(&name) || name == "attributeName" && names.contains(&text))
            }
            None => holds(value, names, depth),
        };
        held && object.keys().skip(at + 1).all(|later| later != name)
    })
}

/// The search for [`NEEDLES`].
pub struct Search {
    needles: Literals,
    with: Vec<Option<Literals>>,
}

impl Search {
    /// Compiles the table.
    pub fn new() -> Self {
        // Searched for in few records, so that any print will do.
        let mark = |&text| Literal { text, print: 0 };
        let with = |needle: &Needle| (!needle.with.is_empty()).then(|| Literals::new(needle.with.iter().map(mark)));
        let needles = Literals::new(NEEDLES.iter().map(|needle| needle.literal));
        Self { needles, with: NEEDLES.iter().map(with).collect() }
    }

    /// What to look for in the bytes of many records.
    pub fn needles(&self) -> &Literals {
        &self.needles
    }

    /// Looks at the marks of one record, one after the other.
    pub(super) fn trial<'s>(&'s self, record: &'s [u8]) -> Trial<'s> {
        Trial { search: self, record, idle: 0 }
    }

    /// True when the record is worth parsing.
    pub fn matches(&self, record: &[u8]) -> bool {
        let mut trial = self.trial(record);
        self.needles.search(record, |mark| trial.counts(mark))
    }
}

impl Default for Search {
    fn default() -> Self {
        Self::new()
    }
}

/// One record's needles.
pub(super) struct Trial<'s> {
    search: &'s Search,
    record: &'s [u8],
    /// Needles that do not count in the record, and never will: looked at once, however often they stand there.
    idle: u64,
}

impl Trial<'_> {
    /// True when a needle at the mark makes the record worth parsing.
    pub(super) fn counts(&mut self, mark: usize) -> bool {
        self.search.needles.around(self.record, mark).any(|needle| {
            let idle = self.idle >> needle & 1 == 1;
            self.idle |= 1 << needle;
            !idle && self.search.with[needle].as_ref().is_none_or(|with| with.any(self.record))
        })
    }
}
