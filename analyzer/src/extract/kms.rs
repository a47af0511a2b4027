//! Events of KMS itself: what kind of operation, and the order in which the parts of a record are read.

use std::borrow::Cow;

use super::context::Place;
use super::{FailureClass, Parts, arn, context, json, keys, members};
use crate::frame::Row;

macro_rules! operations {
    ($($group:literal: $($name:literal)*;)*) => {
        /// Every event name of KMS that is known, with its group (the column `operation`).
        pub const OPERATIONS: &[(&str, &str)] = &[$($(($name, $group)),*),*];

        /// Group of an event name; `unknown` for names newer than this table.
        pub fn group(event_name: &str) -> &'static str {
            match event_name {
                $($($name)|* => $group,)*
                _ => "unknown",
            }
        }
    };
}

operations! {
    "crypto":
        "Decrypt" "GenerateDataKey" "Encrypt" "GenerateDataKeyWithoutPlaintext" "ReEncrypt" "Sign" "Verify" "GenerateMac"
        "VerifyMac" "GenerateDataKeyPair" "GenerateDataKeyPairWithoutPlaintext" "DeriveSharedSecret" "GenerateRandom"
        "Encapsulate" "Decapsulate";
    "read":
        "DescribeKey" "GetKeyPolicy" "GetKeyRotationStatus" "GetKeyLastUsage" "GetParametersForImport" "GetPublicKey"
        "ListAliases" "ListGrants" "ListKeyPolicies" "ListKeyRotations" "ListKeys" "ListResourceTags" "ListRetirableGrants"
        "DescribeCustomKeyStores";
    "lifecycle":
        "CreateKey" "EnableKey" "DisableKey" "ScheduleKeyDeletion" "CancelKeyDeletion" "DeleteKey" "UpdateKeyDescription"
        "ReplicateKey" "UpdatePrimaryRegion" "SynchronizeMultiRegionKey";
    "rotation": "EnableKeyRotation" "DisableKeyRotation" "RotateKeyOnDemand" "RotateKey";
    "import": "ImportKeyMaterial" "DeleteImportedKeyMaterial" "DeleteExpiredKeyMaterial";
    "policy": "PutKeyPolicy";
    "grant": "CreateGrant" "RetireGrant" "RevokeGrant";
    "alias": "CreateAlias" "UpdateAlias" "DeleteAlias";
    "tag": "TagResource" "UntagResource";
    "key-store":
        "CreateCustomKeyStore" "UpdateCustomKeyStore" "DeleteCustomKeyStore" "ConnectCustomKeyStore"
        "DisconnectCustomKeyStore";
}

/// Fills the columns of a KMS event. Expects the top-level members and the caller in the row.
pub(super) fn fill<'r>(row: &mut Row<'r>, parts: &Parts<'r>) {
    row.operation = row.event_name.as_deref().map(|name| Cow::Borrowed(group(name)));
    // Later parts overwrite: what KMS answered is truer than what was asked.
    let mut typed = keys::Typed::default();
    members::request(row, &mut typed, parts.request);
    members::additional(row, &mut typed, parts.additional);
    members::service(row, &mut typed, parts.service);
    members::response(row, &mut typed, parts.response);
    if typed.xks {
        members::xks(row, parts);
    }
    if let Some(code) = row.error_code.as_deref() {
        let class = match FailureClass::of(code, parts.message) {
            // A probe hurts nobody, whatever the state of the key.
            class if class.is_key_state() && row.dry_run == Some(true) => FailureClass::DryRun,
            class => class,
        };
        row.failure = Some(Cow::Borrowed(class.id()));
        // Some probes do not log their parameters; the error that only a probe can have says it as well.
        if class == FailureClass::DryRun {
            row.dry_run = Some(true);
        }
    }
    keys::fill(row, &typed, parts);
    fill_resource(row, &typed, parts);
    if !parts.omitted.is_empty() {
        row.details =
            json::list_of(parts.omitted.iter().copied()).map(|list| Cow::Owned(format!("{{\"omitted\":{list}}}")));
    }
}

/// The protected thing: from the context of a call, or from the context that a grant is bound to.
fn fill_resource<'r>(row: &mut Row<'r>, typed: &keys::Typed<'r>, parts: &Parts<'r>) {
    let Some(request) = parts.request else { return };
    let place = Place {
        region: row.region.as_deref().unwrap_or_default(),
        account: row.principal_account.as_deref().or(row.account.as_deref()).unwrap_or_default(),
    };
    let of = |names: &[&str]| {
        let mut at = request;
        for name in names {
            at = json::get(&at, name)?;
        }
        context::resource(&at, place)
    };
    let paths: &[&[&str]] = match row.event_name.as_deref() {
        Some("ReEncrypt") => &[&["sourceEncryptionContext"], &["destinationEncryptionContext"]],
        Some("CreateGrant") => {
            &[&["constraints", "encryptionContextEquals"], &["constraints", "encryptionContextSubset"]]
        }
        _ => {
            let Some(context) = typed.context else { return };
            let (resource, object) = context::resource_and_object(&context, place);
            row.resource = resource;
            if row.event_name.as_deref() == Some("Decrypt") {
                row.bucket = object.and_then(arn::bucket).map(Cow::Borrowed);
            }
            return;
        }
    };
    row.resource = paths.iter().find_map(|path| of(path));
}
