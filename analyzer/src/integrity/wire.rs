//! Documents as they are written: digest files, and what the AWS CLI prints.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A digest file.
#[derive(Deserialize)]
pub(super) struct DigestFile {
    #[serde(rename = "awsAccountId")]
    pub(super) account: String,
    #[serde(rename = "digestStartTime")]
    pub(super) start: String,
    #[serde(rename = "digestEndTime")]
    pub(super) end: String,
    #[serde(rename = "digestS3Bucket")]
    pub(super) bucket: String,
    #[serde(rename = "digestS3Object")]
    pub(super) key: String,
    #[serde(rename = "digestPublicKeyFingerprint")]
    pub(super) fingerprint: String,
    #[serde(rename = "digestSignatureAlgorithm")]
    pub(super) signature_algorithm: Option<String>,
    #[serde(rename = "previousDigestS3Bucket")]
    pub(super) previous_bucket: Option<String>,
    #[serde(rename = "previousDigestS3Object")]
    pub(super) previous_key: Option<String>,
    #[serde(rename = "previousDigestHashValue")]
    pub(super) previous_hash: Option<String>,
    #[serde(rename = "previousDigestHashAlgorithm")]
    pub(super) previous_hash_algorithm: Option<String>,
    #[serde(rename = "previousDigestSignature")]
    pub(super) previous_signature: Option<String>,
    #[serde(rename = "logFiles")]
    pub(super) logs: Option<Vec<LogFile>>,
}

/// A log file in it.
#[derive(Deserialize)]
pub(super) struct LogFile {
    #[serde(rename = "s3Bucket")]
    pub(super) bucket: String,
    #[serde(rename = "s3Object")]
    pub(super) key: String,
    #[serde(rename = "hashValue")]
    pub(super) hash: String,
    #[serde(rename = "hashAlgorithm")]
    pub(super) algorithm: Option<String>,
}

/// What `aws cloudtrail list-public-keys` prints.
#[derive(Deserialize)]
pub(super) struct KeyList {
    #[serde(rename = "PublicKeyList", alias = "publicKeyList")]
    pub(super) keys: Vec<Key>,
}

impl KeyList {
    /// One document, or several one after the other.
    pub(super) fn all(json: &[u8]) -> impl Iterator<Item = Result<Self, serde_json::Error>> {
        serde_json::Deserializer::from_slice(json).into_iter()
    }
}

/// A key in it.
#[derive(Deserialize)]
pub(super) struct Key {
    #[serde(rename = "Value", alias = "value")]
    pub(super) value: String,
    #[serde(rename = "Fingerprint", alias = "fingerprint")]
    pub(super) fingerprint: String,
}

/// What `aws s3api head-object` prints.
#[derive(Deserialize)]
pub(super) struct HeadObject {
    #[serde(rename = "Metadata", alias = "metadata")]
    pub(super) metadata: BTreeMap<String, String>,
}
