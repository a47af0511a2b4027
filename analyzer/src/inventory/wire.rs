//! Documents as they are written: inventory files, and what the AWS CLI prints.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Deserializer, Value};

use super::config_wire::Lean;

/// Name and version of an inventory file.
pub const SCHEMA: &str = "keytrail.inventory/1";

impl Document {
    /// The file.
    #[cfg(feature = "aws")]
    pub(super) fn text(&self) -> String {
        // Wire types hold strings, lists and JSON only, which cannot fail to serialize.
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }
}

/// The documents of a file, one after the other.
pub(super) fn documents(bytes: &[u8]) -> impl Iterator<Item = Result<Value, serde_json::Error>> {
    Deserializer::from_slice(bytes).into_iter::<Lean>().map(|document| document.map(|Lean(value)| value))
}

/// A value as one of the types below.
pub(super) fn typed<T: DeserializeOwned>(value: &Value) -> Option<T> {
    T::deserialize(value).ok()
}

/// One inventory file: all answers of an account and Region.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Document {
    pub(super) schema: String,
    /// Version of keytrail.
    pub(super) version: String,
    /// When the run that wrote it began: files of one run have it in common.
    pub(super) run: String,
    pub(super) account: String,
    /// Empty for what is asked of an account or organization as a whole.
    pub(super) region: String,
    /// In the order in which they were asked for.
    pub(super) answers: Vec<Said>,
    pub(super) refused: Vec<Refused>,
}

/// An answer, as the AWS CLI prints it.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Said {
    pub(super) call: String,
    /// ARN of the key that was asked about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) key: Option<String>,
    pub(super) captured_at: String,
    /// Who said it; KMS itself when it is not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) source: Option<String>,
    pub(super) answer: Value,
}

/// A call that was not answered.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Refused {
    pub(super) call: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) key: Option<String>,
    pub(super) captured_at: String,
    pub(super) reason: String,
    pub(super) detail: String,
}

/// `list-keys`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Keys {
    pub(super) keys: Vec<KeyEntry>,
    /// The list goes on elsewhere.
    pub(super) next_token: Option<String>,
    pub(super) truncated: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct KeyEntry {
    pub(super) key_arn: Option<String>,
}

/// `describe-key`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct KeyMetadata {
    pub(super) arn: String,
    pub(super) key_spec: Option<String>,
    /// What older versions of the CLI call it.
    pub(super) customer_master_key_spec: Option<String>,
    pub(super) key_usage: Option<String>,
    pub(super) origin: Option<String>,
    pub(super) key_manager: Option<String>,
    pub(super) creation_date: Option<Value>,
    pub(super) custom_key_store_id: Option<String>,
    pub(super) key_state: Option<String>,
    pub(super) deletion_date: Option<Value>,
    pub(super) valid_to: Option<Value>,
    pub(super) multi_region_configuration: Option<MultiRegion>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct MultiRegion {
    pub(super) multi_region_key_type: Option<String>,
    pub(super) primary_key: Option<RegionKey>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RegionKey {
    pub(super) arn: Option<String>,
}

/// `get-key-rotation-status`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RotationStatus {
    pub(super) key_rotation_enabled: bool,
    pub(super) key_id: Option<String>,
    pub(super) rotation_period_in_days: Option<i64>,
    pub(super) next_rotation_date: Option<Value>,
}

/// An entry of `list-key-rotations`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Rotation {
    pub(super) key_id: Option<String>,
    pub(super) rotation_date: Option<Value>,
    pub(super) rotation_type: Option<String>,
}

/// An entry of `list-grants`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Grant {
    pub(super) key_id: Option<String>,
    pub(super) grant_id: String,
    pub(super) creation_date: Option<Value>,
    pub(super) grantee_principal: Option<String>,
    pub(super) grantee_service_principal: Option<String>,
    pub(super) retiring_principal: Option<String>,
    pub(super) issuing_account: Option<String>,
    #[serde(default)]
    pub(super) operations: Vec<String>,
    pub(super) constraints: Option<Value>,
}

/// `list-aliases`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct AliasEntry {
    pub(super) alias_name: String,
    pub(super) alias_arn: Option<String>,
    /// Aliases of services that have no key yet point nowhere.
    pub(super) target_key_id: Option<String>,
}

/// An entry of `list-resource-tags`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tag {
    pub(super) tag_key: String,
    pub(super) tag_value: String,
}

/// An entry of `describe-custom-key-stores`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct KeyStore {
    pub(super) custom_key_store_id: String,
    pub(super) connection_state: Option<String>,
}
