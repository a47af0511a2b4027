//! Members of a KMS event into their columns, one function per part of the record.

use std::borrow::Cow;

use simd_json::prelude::*;

use super::json::{self, Node};
use super::keys::Typed;
use super::{Parts, arn, dates};
use crate::frame::{Row, Text};

/// `requestParameters`.
pub(super) fn request<'r>(row: &mut Row<'r>, typed: &mut Typed<'r>, request: Option<Node<'r>>) {
    let Some(members) = request.as_ref().and_then(json::object) else { return };
    let event = row.event_name.clone();
    let event = event.as_deref().unwrap_or_default();
    let data_key = event.starts_with("GenerateDataKey");
    for (name, value) in members.iter() {
        match name {
            "keyId" => typed.key = json::str_of(&value),
            "encryptionContext" => {
                typed.context = Some(value);
                row.encryption_context = object_text(&value);
            }
            "sourceEncryptionContext" => row.encryption_context = object_text(&value),
            "encryptionAlgorithm"
            | "signingAlgorithm"
            | "macAlgorithm"
            | "keyAgreementAlgorithm"
            | "wrappingAlgorithm"
            | "encapsulationAlgorithm"
            | "destinationEncryptionAlgorithm" => row.algorithm = json::text(&value),
            "keySpec" if data_key => row.data_key_spec = json::text(&value),
            "keyPairSpec" => row.data_key_spec = json::text(&value),
            "numberOfBytes" => row.number_of_bytes = json::int(&value),
            "messageType" => row.message_type = json::text(&value),
            "dryRun" => row.dry_run = json::boolean(&value),
            "keyMaterialId" => row.key_material_id = json::text(&value),
            "targetKeyId" => {
                typed.target = json::str_of(&value);
                row.target_key = json::text(&value);
            }
            "sourceKeyId" => {
                typed.source = json::str_of(&value);
                row.source_key = json::text(&value);
            }
            "destinationKeyId" => typed.destination = json::str_of(&value),
            "destinationEncryptionContext" => row.destination_context = object_text(&value),
            "sourceEncryptionAlgorithm" => row.source_algorithm = json::text(&value),
            "aliasName" => typed.alias = json::str_of(&value),
            _ => {
                typed.xks |= name.starts_with(XKS);
                request_of_control_plane(row, event, name, &value);
            }
        }
    }
}

/// `additionalEventData`.
pub(super) fn additional<'r>(row: &mut Row<'r>, typed: &mut Typed<'r>, additional: Option<Node<'r>>) {
    let Some(members) = additional.as_ref().and_then(json::object) else { return };
    for (name, value) in members.iter() {
        match name {
            "keyMaterialId" | "sourceKeyMaterialId" => set(&mut row.key_material_id, json::text(&value)),
            "destinationKeyMaterialId" => row.destination_key_material_id = json::text(&value),
            "grantId" => set(&mut row.grant_id, json::text(&value)),
            "customKeyStoreId" => set(&mut row.custom_key_store_id, json::text(&value)),
            "customKeyStoreName" if row.custom_key_store_name.is_none() => {
                row.custom_key_store_name = json::text(&value)
            }
            // Of an update the column says what was asked for: there this member names the cluster that the store has.
            "clusterId" | "cloudHsmClusterId" if row.event_name.as_deref() != Some("UpdateCustomKeyStore") => {
                set(&mut row.cloud_hsm_cluster_id, json::text(&value))
            }
            "backingKey" | "backingKeys" => row.backing_keys = as_logged(&value),
            "backingKeysDeletionStatus" => row.backing_keys_deletion = as_logged(&value),
            "recipient" => row.attestation = object_text(&value),
            _ => typed.xks |= name.starts_with(XKS),
        }
    }
}

/// `serviceEventDetails`.
pub(super) fn service<'r>(row: &mut Row<'r>, typed: &mut Typed<'r>, details: Option<Node<'r>>) {
    let Some(members) = details.as_ref().and_then(json::object) else { return };
    for (name, value) in members.iter() {
        match name {
            "keyId" => typed.service = json::str_of(&value),
            "rotationType" => row.rotation_type = json::text(&value),
            "keyOrigin" => row.key_origin = json::text(&value),
            "previousKeyMaterialId" => row.previous_key_material_id = json::text(&value),
            "currentKeyMaterialId" | "keyMaterialId" => set(&mut row.key_material_id, json::text(&value)),
            _ => {}
        }
    }
}

/// `responseElements`.
pub(super) fn response<'r>(row: &mut Row<'r>, typed: &mut Typed<'r>, response: Option<Node<'r>>) {
    let Some(members) = response.as_ref().and_then(json::object) else { return };
    let mut metadata = None;
    for (name, value) in members.iter() {
        match name {
            "keyId" => typed.response = json::str_of(&value),
            "keyState" => row.key_state = json::text(&value),
            "deletionDate" => row.deletion_date = date(&value),
            "pendingWindowInDays" => set(&mut row.pending_window_days, json::int(&value)),
            "grantId" => set(&mut row.grant_id, json::text(&value)),
            "keyMaterialId" => set(&mut row.key_material_id, json::text(&value)),
            "customKeyStoreId" => set(&mut row.custom_key_store_id, json::text(&value)),
            "keyMetadata" => metadata = Some(value),
            "replicaKeyMetadata" => replica(row, &value),
            "replicaPolicy" if row.policy.is_none() => row.policy = policy(&value),
            "replicaTags" if row.tags.is_none() => row.tags = tags(&value).map(Cow::Owned),
            _ => typed.xks |= name.starts_with(XKS),
        }
    }
    if let Some(metadata) = metadata {
        key_metadata(row, typed, &metadata);
    }
}

/// Parameters of calls that change something or list something: rare beside cryptographic calls.
fn request_of_control_plane<'r>(row: &mut Row<'r>, event: &str, name: &str, value: &Node<'r>) {
    match name {
        "description" => row.description = json::text(value),
        "keyUsage" => row.key_usage = json::text(value),
        "keySpec" => row.key_spec = json::text(value),
        "customerMasterKeySpec" => row.key_spec = row.key_spec.take().or_else(|| json::text(value)),
        "origin" => row.key_origin = json::text(value),
        "multiRegion" => row.multi_region = json::boolean(value),
        "policy" => row.policy = policy(value),
        "policyName" => row.policy_name = json::text(value),
        "bypassPolicyLockoutSafetyCheck" => row.lockout_bypass = json::boolean(value),
        "tags" => row.tags = tags(value).map(Cow::Owned),
        "tagKeys" => row.tag_keys = texts(value, false),
        "customKeyStoreId" => row.custom_key_store_id = json::text(value),
        "newCustomKeyStoreName" => row.custom_key_store_name = json::text(value),
        "customKeyStoreName" => {
            row.custom_key_store_name = row.custom_key_store_name.take().or_else(|| json::text(value))
        }
        "clusterId" | "cloudHsmClusterId" => row.cloud_hsm_cluster_id = json::text(value),
        "pendingWindowInDays" => row.pending_window_days = json::int(value),
        "rotationPeriodInDays" => row.rotation_period_days = json::int(value),
        "wrappingKeySpec" => row.wrapping_key_spec = json::text(value),
        "importType" => row.import_type = json::text(value),
        "keyMaterialDescription" => row.key_material_description = json::text(value),
        "expirationModel" => row.expiration_model = json::text(value),
        "validTo" => row.valid_to = date(value),
        "replicaRegion" => row.replica_region = json::text(value),
        "primaryRegion" => row.primary_region = json::text(value),
        "grantId" => row.grant_id = json::text(value),
        "name" if event == "CreateGrant" => row.grant_name = json::text(value),
        "granteePrincipal" | "granteeServicePrincipal" => grantee(row, value),
        "retiringPrincipal" | "retiringServicePrincipal" => set(&mut row.retiring_principal, json::text(value)),
        "operations" => row.grant_operations = texts(value, true),
        "constraints" => row.grant_constraints = constraints(value).map(Cow::Owned),
        "limit" => row.list_limit = json::int(value),
        "marker" => row.list_marker = json::text(value),
        _ => {}
    }
}

fn key_metadata<'r>(row: &mut Row<'r>, typed: &mut Typed<'r>, metadata: &Node<'r>) {
    let Some(members) = json::object(metadata) else { return };
    let (mut arn, mut id, mut spec, mut old_spec) = (None, None, None, None);
    let mut algorithms: Vec<&str> = Vec::new();
    for (name, value) in members.iter() {
        match name {
            "arn" => arn = json::str_of(&value),
            "keyId" => id = json::str_of(&value),
            "aWSAccountId" | "AWSAccountId" | "awsAccountId" => typed.owner = json::str_of(&value),
            "creationDate" => row.key_created = date(&value),
            "enabled" => row.key_enabled = json::boolean(&value),
            "description" => set(&mut row.description, json::text(&value)),
            "keyUsage" => set(&mut row.key_usage, json::text(&value)),
            "keyState" => row.key_state = json::text(&value),
            "origin" => set(&mut row.key_origin, json::text(&value)),
            "keyManager" => row.key_manager = json::text(&value),
            "keySpec" => spec = json::text(&value),
            "customerMasterKeySpec" => old_spec = json::text(&value),
            "multiRegion" => set(&mut row.multi_region, json::boolean(&value)),
            "multiRegionConfiguration" => row.multi_region_config = object_text(&value),
            "customKeyStoreId" => set(&mut row.custom_key_store_id, json::text(&value)),
            "cloudHsmClusterId" => set(&mut row.cloud_hsm_cluster_id, json::text(&value)),
            "validTo" => set(&mut row.valid_to, date(&value)),
            "expirationModel" => set(&mut row.expiration_model, json::text(&value)),
            "deletionDate" => row.deletion_date = date(&value),
            "pendingDeletionWindowInDays" => set(&mut row.pending_window_days, json::int(&value)),
            "currentKeyMaterialId" => set(&mut row.key_material_id, json::text(&value)),
            list if list.ends_with("Algorithms") => {
                algorithms.extend(json::items(&value).filter_map(|item| json::str_of(&item)));
            }
            _ => typed.xks |= name.starts_with(XKS),
        }
    }
    set(&mut row.key_spec, spec.or(old_spec));
    row.key_algorithms = json::list_of(algorithms).map(Cow::Owned);
    typed.response = arn.or(id).or(typed.response);
}

/// The replica that ReplicateKey made. What differs from the primary (state, Region) is not the primary's.
fn replica<'r>(row: &mut Row<'r>, metadata: &Node<'r>) {
    let Some(members) = json::object(metadata) else { return };
    for (name, value) in members.iter() {
        match name {
            "arn" => row.replica_key_arn = json::text(&value),
            "keyUsage" => set(&mut row.key_usage, json::text(&value)),
            "keySpec" => set(&mut row.key_spec, json::text(&value)),
            "origin" => set(&mut row.key_origin, json::text(&value)),
            "keyManager" => set(&mut row.key_manager, json::text(&value)),
            "multiRegion" => set(&mut row.multi_region, json::boolean(&value)),
            "multiRegionConfiguration" => row.multi_region_config = object_text(&value),
            _ => {}
        }
    }
}

fn grantee<'r>(row: &mut Row<'r>, value: &Node<'r>) {
    let Some(text) = json::str_of(value) else { return };
    let (kind, account) = arn::grantee(text);
    row.grantee = Some(Cow::Borrowed(text));
    row.grantee_kind = Some(Cow::Borrowed(kind));
    row.grantee_account = account.map(Cow::Borrowed);
}

/// Constraints without their empty members: a subset of nothing binds nothing.
fn constraints(value: &Node<'_>) -> Option<String> {
    let members = json::object(value)?;
    json::object_of(members.iter().filter_map(|(name, value)| Some((name.into(), json::canonical(&value)?))).collect())
}

/// How the names of members of external key stores begin.
const XKS: &str = "xks";

/// Members of external key stores, gathered from all parts of the record. Credentials stay behind: that an update brings a
/// new one is told by its name, with null for what it is.
pub(super) fn xks<'r>(row: &mut Row<'r>, parts: &Parts<'r>) {
    let is_update = row.event_name.as_deref() == Some("UpdateCustomKeyStore");
    let metadata = parts.response.and_then(|response| json::get(&response, "keyMetadata"));
    let mut found: Vec<(Cow<'r, str>, String)> = Vec::new();
    for part in [parts.request, parts.additional, parts.response, metadata].into_iter().flatten() {
        let Some(members) = part.as_object() else { continue };
        for (name, value) in members.iter().filter(|(name, _)| name.starts_with(XKS)) {
            let text = match json::object(&value) {
                _ if name.to_ascii_lowercase().contains("credential") => is_update.then(|| "null".to_owned()),
                // Of nested members only plain identifiers are taken; access key ids are none of a report's business.
                Some(nested) => json::object_of(
                    nested
                        .iter()
                        .filter(|(name, _)| matches!(*name, "id" | "connectivity" | "uriEndpoint" | "uriPath"))
                        .filter_map(|(name, value)| Some((name.into(), json::canonical(&value)?)))
                        .collect(),
                ),
                None => json::canonical(&value),
            };
            found.extend(text.map(|text| (name.into(), text)));
        }
    }
    row.xks = json::object_of(found).map(Cow::Owned);
}

fn policy<'r>(value: &Node<'r>) -> Text<'r> {
    if value.is_str() { json::text(value) } else { json::canonical(value).map(Cow::Owned) }
}

fn as_logged<'r>(value: &Node<'r>) -> Text<'r> {
    policy(value)
}

fn object_text<'r>(value: &Node<'r>) -> Text<'r> {
    json::object(value)?;
    json::canonical(value).map(Cow::Owned)
}

/// A list of texts as JSON; sorted and each once where the order means nothing.
fn texts<'r>(value: &Node<'r>, sorted: bool) -> Text<'r> {
    let mut texts: Vec<&str> = json::items(value).filter_map(|item| json::str_of(&item)).collect();
    if sorted {
        texts.sort_unstable();
        texts.dedup();
    }
    json::list_of(texts).map(Cow::Owned)
}

/// `[{tagKey, tagValue}]` as one JSON object.
fn tags(value: &Node<'_>) -> Option<String> {
    let member = |item: &Node<'_>, names: &[&str]| {
        names.iter().find_map(|name| json::get(item, name)).and_then(|value| Some(value.as_str()?.to_owned()))
    };
    let pairs = json::items(value).filter_map(|item| {
        let name = member(&item, &["tagKey", "TagKey", "key"])?;
        let mut text = String::new();
        json::push_string(&mut text, &member(&item, &["tagValue", "TagValue", "value"]).unwrap_or_default());
        Some((Cow::Owned(name), text))
    });
    json::object_of(pairs.collect())
}

fn date(value: &Node<'_>) -> Option<i64> {
    match value.as_str() {
        Some(text) => dates::locale(text),
        None => dates::locale(&value.as_f64().or_else(|| value.as_i64().map(|number| number as f64))?.to_string()),
    }
}

/// Overwrites when there is something to write.
fn set<T>(slot: &mut Option<T>, value: Option<T>) {
    if value.is_some() {
        *slot = value;
    }
}
