//! Answers of the SDK in the shape in which the AWS CLI prints them; fields that say nothing are left out.

use aws_sdk_kms::operation::get_key_rotation_status::GetKeyRotationStatusOutput;
use aws_sdk_kms::primitives::{DateTime, DateTimeFormat};
use aws_sdk_kms::types::{AliasListEntry, CustomKeyStoresListEntry, GrantListEntry, KeyMetadata, RotationsListEntry};
use serde_json::{Map, Value, json};

fn time(at: Option<&DateTime>) -> Value {
    at.and_then(|at| at.fmt(DateTimeFormat::DateTime).ok()).map_or(Value::Null, Value::String)
}

/// An object of what is not null.
fn object<const N: usize>(fields: [(&str, Value); N]) -> Value {
    let said = fields.into_iter().filter(|(_, value)| !value.is_null());
    Value::Object(said.map(|(name, value)| (name.to_string(), value)).collect::<Map<String, Value>>())
}

/// The text of an enumeration.
macro_rules! word {
    ($value:expr) => {
        $value.as_ref().map_or(Value::Null, |value| Value::String(value.as_str().to_string()))
    };
}

pub(super) fn metadata(key: &KeyMetadata) -> Value {
    let multi_region = key.multi_region_configuration.as_ref().map_or(Value::Null, |config| {
        let place = |key: &aws_sdk_kms::types::MultiRegionKey| json!({"Arn": key.arn, "Region": key.region});
        object([
            ("MultiRegionKeyType", word!(config.multi_region_key_type)),
            ("PrimaryKey", config.primary_key.as_ref().map_or(Value::Null, place)),
            ("ReplicaKeys", config.replica_keys().iter().map(place).collect()),
        ])
    });
    object([
        ("AWSAccountId", json!(key.aws_account_id)),
        ("KeyId", json!(key.key_id)),
        ("Arn", json!(key.arn)),
        ("CreationDate", time(key.creation_date.as_ref())),
        ("Enabled", json!(key.enabled)),
        ("Description", json!(key.description)),
        ("KeyUsage", word!(key.key_usage)),
        ("KeyState", word!(key.key_state)),
        ("DeletionDate", time(key.deletion_date.as_ref())),
        ("ValidTo", time(key.valid_to.as_ref())),
        ("Origin", word!(key.origin)),
        ("CustomKeyStoreId", json!(key.custom_key_store_id)),
        ("ExpirationModel", word!(key.expiration_model)),
        ("KeyManager", word!(key.key_manager)),
        ("KeySpec", word!(key.key_spec)),
        ("MultiRegion", json!(key.multi_region)),
        ("MultiRegionConfiguration", multi_region),
        ("PendingDeletionWindowInDays", json!(key.pending_deletion_window_in_days)),
    ])
}

pub(super) fn rotation_status(arn: &str, answer: &GetKeyRotationStatusOutput) -> Value {
    object([
        ("KeyRotationEnabled", json!(answer.key_rotation_enabled)),
        ("KeyId", json!(answer.key_id.as_deref().unwrap_or(arn))),
        ("RotationPeriodInDays", json!(answer.rotation_period_in_days)),
        ("NextRotationDate", time(answer.next_rotation_date.as_ref())),
        ("OnDemandRotationStartDate", time(answer.on_demand_rotation_start_date.as_ref())),
    ])
}

pub(super) fn rotation(arn: &str, rotation: &RotationsListEntry) -> Value {
    object([
        ("KeyId", json!(rotation.key_id.as_deref().unwrap_or(arn))),
        ("RotationDate", time(rotation.rotation_date.as_ref())),
        ("RotationType", word!(rotation.rotation_type)),
    ])
}

pub(super) fn grant(grant: &GrantListEntry) -> Value {
    let constraints = grant.constraints.as_ref().map_or(Value::Null, |constraints| {
        // Maps of the SDK have no order.
        let sorted = |map: Option<&std::collections::HashMap<String, String>>| {
            map.map_or(Value::Null, |map| json!(map.iter().collect::<std::collections::BTreeMap<_, _>>()))
        };
        object([
            ("EncryptionContextSubset", sorted(constraints.encryption_context_subset())),
            ("EncryptionContextEquals", sorted(constraints.encryption_context_equals())),
            ("SourceArn", json!(constraints.source_arn)),
        ])
    });
    let operations: Vec<&str> = grant.operations().iter().map(aws_sdk_kms::types::GrantOperation::as_str).collect();
    object([
        ("KeyId", json!(grant.key_id)),
        ("GrantId", json!(grant.grant_id)),
        ("Name", json!(grant.name)),
        ("CreationDate", time(grant.creation_date.as_ref())),
        ("GranteePrincipal", json!(grant.grantee_principal)),
        ("GranteeServicePrincipal", json!(grant.grantee_service_principal)),
        ("RetiringPrincipal", json!(grant.retiring_principal)),
        ("IssuingAccount", json!(grant.issuing_account)),
        ("Operations", json!(operations)),
        ("Constraints", constraints),
    ])
}

pub(super) fn alias(alias: &AliasListEntry) -> Value {
    object([
        ("AliasName", json!(alias.alias_name)),
        ("AliasArn", json!(alias.alias_arn)),
        ("TargetKeyId", json!(alias.target_key_id)),
    ])
}

pub(super) fn key_store(store: &CustomKeyStoresListEntry) -> Value {
    object([
        ("CustomKeyStoreId", json!(store.custom_key_store_id)),
        ("CustomKeyStoreName", json!(store.custom_key_store_name)),
        ("CustomKeyStoreType", word!(store.custom_key_store_type)),
        ("ConnectionState", word!(store.connection_state)),
        ("ConnectionErrorCode", word!(store.connection_error_code)),
    ])
}
