//! Real records, where they are present beside the project.

use std::collections::BTreeMap;
use std::fs;

use keytrail::decode::Class;
use keytrail::frame::Row;
use serde_json::{Value, json};

use crate::{columns, extract, real_data, row};

/// Documents of a folder: one JSON value per file, or one per line.
fn records(folder: &str) -> Option<Vec<Value>> {
    let folder = real_data(folder)?;
    let mut files = vec![folder];
    let mut found = Vec::new();
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(fs::read_dir(path).expect("a folder").map(|entry| entry.expect("an entry").path()));
            continue;
        }
        // Compressed files are decoding's business.
        let Ok(text) = fs::read_to_string(&path) else { continue };
        let documents = match serde_json::from_str::<Value>(&text) {
            Ok(document) => vec![document],
            Err(_) => text
                .lines()
                .filter(|line| !line.trim().is_empty())
                .filter_map(|line| serde_json::from_str(line).ok())
                .collect(),
        };
        for mut document in documents {
            match document.get_mut("Records").map(Value::take).or_else(|| document.is_array().then(|| document.take()))
            {
                Some(Value::Array(list)) => found.extend(list),
                _ => found.push(document),
            }
        }
    }
    found.retain(|record| record.get("eventName").is_some());
    assert!(!found.is_empty());
    Some(found)
}

fn is_kms(record: &Value) -> bool {
    record["eventSource"] == "kms.amazonaws.com"
}

/// Operations that are about no key, or whose record does not say which.
fn needs_no_key(record: &Value) -> bool {
    match record["eventName"].as_str().expect("a name") {
        // No key takes part.
        "GenerateRandom" | "ListAliases" | "ListKeys" => true,
        // About a store of keys.
        "CreateCustomKeyStore"
        | "UpdateCustomKeyStore"
        | "DeleteCustomKeyStore"
        | "ConnectCustomKeyStore"
        | "DisconnectCustomKeyStore"
        | "DescribeCustomKeyStores" => true,
        // A refused CreateKey made no key.
        "CreateKey" => record.get("errorCode").is_some(),
        _ => false,
    }
}

#[test]
fn the_guides_examples_give_full_rows() {
    let Some(records) = records("kms-guide-examples") else { return };
    let (kms, others): (Vec<_>, Vec<_>) = records.iter().partition(|record| is_kms(record));
    let mut operations: Vec<_> = kms.iter().map(|record| record["eventName"].as_str()).collect();
    operations.sort_unstable();
    operations.dedup();
    assert!(kms.len() >= 60 && operations.len() >= 46, "{} records of {} operations", kms.len(), operations.len());
    for record in kms {
        let row = row(&record.to_string());
        assert_ne!(row.operation.as_deref(), Some("unknown"), "{record}");
        let named = row.key_arn.is_some() || row.alias.is_some();
        assert_eq!(named, !needs_no_key(record), "{record}");
        assert!(row.principal.is_some() && row.principal_type.is_some(), "{record}");
        every_member_lands(record, &row);
    }
    for record in others {
        for class in [Class::Failure, Class::Binding] {
            extract(class, &record.to_string()).expect("a row");
        }
    }
}

/// Where each member of a KMS event must be found again.
const MEMBERS: &[(&str, &str)] = &[
    ("requestParameters.keyId", "key_id"),
    ("requestParameters.aliasName", "alias"),
    ("requestParameters.targetKeyId", "target_key"),
    ("requestParameters.sourceKeyId", "source_key"),
    ("requestParameters.destinationKeyId", "destination_key_arn"),
    ("requestParameters.encryptionContext", "encryption_context"),
    ("requestParameters.sourceEncryptionContext", "encryption_context"),
    ("requestParameters.destinationEncryptionContext", "destination_context"),
    ("requestParameters.encryptionAlgorithm", "algorithm"),
    ("requestParameters.signingAlgorithm", "algorithm"),
    ("requestParameters.macAlgorithm", "algorithm"),
    ("requestParameters.wrappingAlgorithm", "algorithm"),
    ("requestParameters.destinationEncryptionAlgorithm", "algorithm"),
    ("requestParameters.sourceEncryptionAlgorithm", "source_algorithm"),
    ("requestParameters.keyPairSpec", "data_key_spec"),
    ("requestParameters.numberOfBytes", "number_of_bytes"),
    ("requestParameters.messageType", "message_type"),
    ("requestParameters.wrappingKeySpec", "wrapping_key_spec"),
    ("requestParameters.description", "description"),
    ("requestParameters.keyUsage", "key_usage"),
    ("requestParameters.customerMasterKeySpec", "key_spec"),
    ("requestParameters.origin", "key_origin"),
    ("requestParameters.multiRegion", "multi_region"),
    ("requestParameters.policy", "policy"),
    ("requestParameters.policyName", "policy_name"),
    ("requestParameters.bypassPolicyLockoutSafetyCheck", "lockout_bypass"),
    ("requestParameters.tags", "tags"),
    ("requestParameters.tagKeys", "tag_keys"),
    ("requestParameters.customKeyStoreId", "custom_key_store_id"),
    ("requestParameters.customKeyStoreName", "custom_key_store_name"),
    ("requestParameters.clusterId", "cloud_hsm_cluster_id"),
    ("requestParameters.xksKeyId", "xks"),
    ("requestParameters.pendingWindowInDays", "pending_window_days"),
    ("requestParameters.rotationPeriodInDays", "rotation_period_days"),
    ("requestParameters.expirationModel", "expiration_model"),
    ("requestParameters.validTo", "valid_to"),
    ("requestParameters.primaryRegion", "primary_region"),
    ("requestParameters.grantId", "grant_id"),
    ("requestParameters.granteePrincipal", "grantee"),
    ("requestParameters.retiringPrincipal", "retiring_principal"),
    ("requestParameters.operations", "grant_operations"),
    ("requestParameters.constraints", "grant_constraints"),
    ("requestParameters.limit", "list_limit"),
    ("requestParameters.marker", "list_marker"),
    ("responseElements.keyId", "key_arn"),
    ("responseElements.keyState", "key_state"),
    ("responseElements.deletionDate", "deletion_date"),
    ("responseElements.pendingWindowInDays", "pending_window_days"),
    ("responseElements.grantId", "grant_id"),
    ("responseElements.customKeyStoreId", "custom_key_store_id"),
    ("responseElements.keyMetadata.aWSAccountId", "key_account"),
    ("responseElements.keyMetadata.AWSAccountId", "key_account"),
    ("responseElements.keyMetadata.keyId", "key_id"),
    ("responseElements.keyMetadata.arn", "key_arn"),
    ("responseElements.keyMetadata.creationDate", "key_created"),
    ("responseElements.keyMetadata.enabled", "key_enabled"),
    ("responseElements.keyMetadata.description", "description"),
    ("responseElements.keyMetadata.keyUsage", "key_usage"),
    ("responseElements.keyMetadata.keyState", "key_state"),
    ("responseElements.keyMetadata.origin", "key_origin"),
    ("responseElements.keyMetadata.keyManager", "key_manager"),
    ("responseElements.keyMetadata.customerMasterKeySpec", "key_spec"),
    ("responseElements.keyMetadata.keySpec", "key_spec"),
    ("responseElements.keyMetadata.encryptionAlgorithms", "key_algorithms"),
    ("responseElements.keyMetadata.multiRegion", "multi_region"),
    ("responseElements.keyMetadata.multiRegionConfiguration", "multi_region_config"),
    ("responseElements.keyMetadata.customKeyStoreId", "custom_key_store_id"),
    ("responseElements.keyMetadata.cloudHsmClusterId", "cloud_hsm_cluster_id"),
    ("responseElements.keyMetadata.xksKeyConfiguration", "xks"),
    ("responseElements.keyMetadata.currentKeyMaterialId", "key_material_id"),
    ("additionalEventData.grantId", "grant_id"),
    ("additionalEventData.keyMaterialId", "key_material_id"),
    ("additionalEventData.customKeyStoreId", "custom_key_store_id"),
    ("additionalEventData.customKeyStoreName", "custom_key_store_name"),
    ("additionalEventData.clusterId", "cloud_hsm_cluster_id"),
    ("additionalEventData.xksKeyId", "xks"),
    ("additionalEventData.backingKey", "backing_keys"),
    ("additionalEventData.backingKeys", "backing_keys"),
    ("additionalEventData.backingKeysDeletionStatus", "backing_keys_deletion"),
    ("additionalEventData.recipient", "attestation"),
    ("serviceEventDetails.keyId", "key_id"),
];

/// Every member of the record is in its column; one that the table does not know fails.
fn every_member_lands(record: &Value, row: &Row<'_>) {
    let columns = columns(row);
    for (member, value) in leaves(record) {
        let empty = value.is_null() || [json!(""), json!([]), json!({})].contains(&value);
        if empty {
            continue;
        }
        let column = match member.as_str() {
            "requestParameters.keySpec" if row.event_name.as_deref() == Some("CreateKey") => "key_spec",
            "requestParameters.keySpec" => "data_key_spec",
            "requestParameters.keyId" if value.as_str().is_some_and(|id| id.starts_with("alias/")) => "alias",
            name => match MEMBERS.iter().find(|(member, _)| *member == name) {
                Some((_, column)) => column,
                None => panic!("{name} has no column: {record}"),
            },
        };
        assert!(columns.contains_key(column), "{member} should be in {column}: {record}");
    }
}

fn leaves(record: &Value) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    for part in ["requestParameters", "responseElements", "additionalEventData", "serviceEventDetails"] {
        let Some(members) = record.get(part).and_then(Value::as_object) else { continue };
        for (name, value) in members {
            match (name.as_str(), value.as_object()) {
                ("keyMetadata", Some(metadata)) => {
                    found.extend(
                        metadata.iter().map(|(inner, value)| (format!("{part}.{name}.{inner}"), value.clone())),
                    );
                }
                _ => drop(found.insert(format!("{part}.{name}"), value.clone())),
            }
        }
    }
    found
}

#[test]
fn captured_kms_calls_have_key_and_caller() {
    let Some(records) = records("invictus") else { return };
    let kms: Vec<_> = records.iter().filter(|record| is_kms(record)).collect();
    assert_eq!(kms.len(), 240);
    for record in kms {
        let row = row(&record.to_string());
        assert!(row.key_arn.is_some() && row.principal.is_some() && row.resource.is_some(), "{record}");
        assert_eq!((row.call.as_deref(), row.cross_account), (Some("via-service"), Some(false)));
        assert_eq!((row.operation.as_deref(), row.key_ref.as_deref()), (Some("crypto"), Some("resources")));
        assert!(!row.wide, "{record}");
    }
    for record in records.iter().filter(|record| !is_kms(record)) {
        for class in [Class::Failure, Class::Binding, Class::IamPolicy, Class::TrailControl] {
            extract(class, &record.to_string()).expect("a row");
        }
    }
}

#[test]
fn every_version_of_the_record_format_gives_rows() {
    let Some(records) = records("versions") else { return };
    for record in &records {
        let row = row(&record.to_string());
        assert!(row.event_id.is_some() && row.event_time.is_some());
        if is_kms(record) {
            assert_ne!(row.operation.as_deref(), Some("unknown"));
        }
    }
}

#[test]
fn captured_failures_are_classified() {
    let Some(records) = records("traildiscover") else { return };
    let told = |event: &str| {
        let record = records.iter().find(|record| record["eventName"] == event).expect("the record");
        let row = row(&record.to_string());
        (
            row.failure.map(String::from),
            row.key_arn.map(String::from),
            row.key_ref.map(String::from),
            row.principal.map(String::from),
        )
    };
    let role = "arn:aws:iam::111111111111:role/aws-reserved/sso.amazonaws.com/us-east-2/AWSReservedSSO_ReadOnlyAccess_ff7f8c5c5851db50";
    assert_eq!(told("CreateKey"), (Some("access-denied".into()), None, None, Some(role.into())));
    let key = "arn:aws:kms:us-east-1:345594607949:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    assert_eq!(
        told("DescribeKey"),
        (Some("key-not-found".into()), Some(key.into()), Some("message".into()), Some(role.into()))
    );
}

#[test]
fn captured_policies_are_kept_whole() {
    let Some(records) = records("key-policies") else { return };
    for record in &records {
        let row = row(&record.to_string());
        assert_eq!(row.policy.as_deref(), record["requestParameters"]["policy"].as_str());
        assert!(row.policy.is_some() && row.key_arn.is_some() && row.wide);
    }
}
