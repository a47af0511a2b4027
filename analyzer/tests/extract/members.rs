//! Members of KMS events into their columns.

use keytrail::extract::{dates, kms};
use serde_json::json;

use crate::{KEY, kms as event, ms};

#[test]
fn every_operation_has_a_group() {
    assert_eq!(kms::OPERATIONS.len(), 54 + 2 + 4);
    let mut names: Vec<_> = kms::OPERATIONS.iter().map(|(name, _)| name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), kms::OPERATIONS.len());
    for (name, group) in kms::OPERATIONS {
        let row = event(name, json!({}));
        assert_eq!(row.operation.as_deref(), Some(*group));
        assert_eq!(row.wide, !matches!(*group, "crypto" | "read"), "{name}");
    }
    let unknown = event("decrypt", json!({}));
    assert_eq!((unknown.operation.as_deref(), unknown.wide), (Some("unknown"), true));
}

#[test]
fn the_algorithm_of_every_kind_of_call() {
    let members = [
        "encryptionAlgorithm",
        "signingAlgorithm",
        "macAlgorithm",
        "keyAgreementAlgorithm",
        "wrappingAlgorithm",
        "encapsulationAlgorithm",
    ];
    for member in members {
        let row = event("Sign", json!({"requestParameters": {member: "A"}}));
        assert_eq!(row.algorithm.as_deref(), Some("A"), "{member}");
    }
    let re_encrypt = json!({"sourceEncryptionAlgorithm": "S", "destinationEncryptionAlgorithm": "D"});
    let row = event("ReEncrypt", json!({"requestParameters": re_encrypt}));
    assert_eq!((row.source_algorithm.as_deref(), row.algorithm.as_deref()), (Some("S"), Some("D")));
    let pair = event("GenerateDataKeyPair", json!({"requestParameters": {"keyPairSpec": "RSA_3072"}}));
    assert_eq!(pair.data_key_spec.as_deref(), Some("RSA_3072"));
}

#[test]
fn imports_name_their_material() {
    let row = event(
        "ImportKeyMaterial",
        json!({"requestParameters": {"keyId": KEY, "importType": "NEW_KEY_MATERIAL"}, "responseElements": {"keyId": KEY, "keyMaterialId": "bb"}}),
    );
    assert_eq!((row.key_material_id.as_deref(), row.operation.as_deref()), (Some("bb"), Some("import")));
    let row = event("DeleteImportedKeyMaterial", json!({"requestParameters": {"keyId": KEY, "keyMaterialId": "aa"}}));
    assert_eq!(row.key_material_id.as_deref(), Some("aa"));
}

#[test]
fn dates_in_every_dialect() {
    let cases = [
        ("Aug 10, 2022, 10:38:27 PM", "2022-08-10T22:38:27Z"),
        ("Jan 1, 2021 8:00:00 PM", "2021-01-01T20:00:00Z"),
        ("Apr 12, 2021 18:58:30 PM", "2021-04-12T18:58:30Z"),
        ("Nov 2, 2021, 11:25:25 PM", "2021-11-02T23:25:25Z"),
        ("Oct 21, 2024, 2:25:29\u{202f}PM", "2024-10-21T14:25:29Z"),
        ("Oct 21, 2024, 12:25:29\u{a0}AM", "2024-10-21T00:25:29Z"),
        ("Oct 21, 2024, 12:25:29 PM", "2024-10-21T12:25:29Z"),
        ("September 1, 2024 12:00 am", "2024-09-01T00:00:00Z"),
        ("2024-10-21T14:25:29Z", "2024-10-21T14:25:29Z"),
        ("2024-10-21T14:25:29.5+02:00", "2024-10-21T12:25:29.5Z"),
        ("1729520729", "2024-10-21T14:25:29Z"),
        ("1.729520729E9", "2024-10-21T14:25:29Z"),
        ("1729520729000", "2024-10-21T14:25:29Z"),
    ];
    for (text, expected) in cases {
        assert_eq!(dates::locale(text), ms(expected), "{text}");
    }
    for text in [
        "",
        "soon",
        "Foo 1, 2021 1:00:00 PM",
        "Feb 30, 2021 1:00:00 PM",
        "Jan 1, 2021 25:00:00",
        "Jan 1, 21 1:00:00",
        "12",
        "é, é",
    ] {
        assert_eq!(dates::locale(text), None, "{text}");
    }
    let bad = event("ScheduleKeyDeletion", json!({"responseElements": {"deletionDate": "in a month"}}));
    assert_eq!(bad.deletion_date, None);
}

#[test]
fn grants_are_normalized() {
    let grant = |parameters| event("CreateGrant", json!({"requestParameters": parameters}));
    let row = grant(
        json!({"operations": ["Encrypt", "Decrypt", "Encrypt"], "granteePrincipal": "arn:aws:iam::999988887777:root",
        "name": "n", "retiringPrincipal": "r", "constraints": {"encryptionContextSubset": {"b": "1", "a": "2"}, "sourceArn": "arn:aws:s3:::b"}}),
    );
    assert_eq!(row.grant_operations.as_deref(), Some(r#"["Decrypt","Encrypt"]"#));
    assert_eq!(
        row.grant_constraints.as_deref(),
        Some(r#"{"encryptionContextSubset":{"a":"2","b":"1"},"sourceArn":"arn:aws:s3:::b"}"#)
    );
    assert_eq!((row.grantee_kind.as_deref(), row.grantee_account.as_deref()), (Some("root"), Some("999988887777")));
    assert_eq!((row.grant_name.as_deref(), row.retiring_principal.as_deref()), (Some("n"), Some("r")));
    for empty in [
        json!({}),
        json!({"encryptionContextSubset": {}}),
        json!(null),
        json!({"encryptionContextEquals": null}),
        json!({"omitted": true}),
    ] {
        assert_eq!(grant(json!({"constraints": empty})).grant_constraints, None, "{empty}");
    }
    let service = grant(
        json!({"granteeServicePrincipal": "rds.eu-west-1.amazonaws.com", "retiringServicePrincipal": "rds.amazonaws.com"}),
    );
    assert_eq!(
        (service.grantee_kind.as_deref(), service.retiring_principal.as_deref()),
        (Some("service"), Some("rds.amazonaws.com"))
    );
    assert_eq!((service.grant_operations, service.grantee_account), (None, None));
    let retired = event("RetireGrant", json!({"additionalEventData": {"grantId": "g1"}, "resources": [{"ARN": KEY}]}));
    assert_eq!((retired.grant_id.as_deref(), retired.key_arn.as_deref()), (Some("g1"), Some(KEY)));
    let revoked = event("RevokeGrant", json!({"requestParameters": {"keyId": KEY, "grantId": "g2"}}));
    assert_eq!(revoked.grant_id.as_deref(), Some("g2"));
}

#[test]
fn deletion_carries_window_state_and_date() {
    let row = event(
        "ScheduleKeyDeletion",
        json!({"requestParameters": {"keyId": KEY, "pendingWindowInDays": 7}, "responseElements": {
        "keyId": KEY, "keyState": "PendingDeletion", "deletionDate": "Apr 12, 2021 18:58:30 PM"}}),
    );
    assert_eq!((row.pending_window_days, row.key_state.as_deref()), (Some(7), Some("PendingDeletion")));
    assert_eq!(row.deletion_date, ms("2021-04-12T18:58:30Z"));
    let replica = event(
        "ScheduleKeyDeletion",
        json!({"responseElements": {"keyState": "PendingReplicaDeletion", "pendingWindowInDays": 30}}),
    );
    assert_eq!((replica.pending_window_days, replica.deletion_date), (Some(30), None));
    assert_eq!(event("ScheduleKeyDeletion", json!({"requestParameters": {"keyId": KEY}})).pending_window_days, None);
}

#[test]
fn old_and_new_rotation_events() {
    let old = event(
        "RotateKey",
        json!({"eventType": "AwsServiceEvent", "serviceEventDetails": {"keyId": "00000000-1111-2222-3333-444444444444"}}),
    );
    assert_eq!(
        (old.key_arn.as_deref(), old.rotation_type, old.call.as_deref()),
        (Some(KEY), None, Some("kms-internal"))
    );
    let new = event(
        "RotateKey",
        json!({"serviceEventDetails": {"keyId": KEY, "rotationType": "ON_DEMAND", "keyOrigin": "AWS_KMS",
        "previousKeyMaterialId": "aa", "currentKeyMaterialId": "bb"}}),
    );
    assert_eq!((new.rotation_type.as_deref(), new.key_origin.as_deref()), (Some("ON_DEMAND"), Some("AWS_KMS")));
    assert_eq!((new.previous_key_material_id.as_deref(), new.key_material_id.as_deref()), (Some("aa"), Some("bb")));
}

#[test]
fn left_out_content_is_unknown_and_says_so() {
    let row = event("PutKeyPolicy", json!({"requestParameters": {"omitted": true}, "resources": [{"ARN": KEY}]}));
    assert_eq!((row.policy, row.details.as_deref()), (None, Some(r#"{"omitted":["requestParameters"]}"#)));
    let partly = event("PutKeyPolicy", json!({"requestParameters": {"policy": {"omitted": true}}}));
    assert_eq!(partly.policy, None);
}

#[test]
fn policies_stay_as_sent() {
    let text = "{\n  \"Version\" : \"2012-10-17\" }";
    assert_eq!(event("PutKeyPolicy", json!({"requestParameters": {"policy": text}})).policy.as_deref(), Some(text));
    let object = event("PutKeyPolicy", json!({"requestParameters": {"policy": {"Version": "2012-10-17", "Id": "x"}}}));
    assert_eq!(object.policy.as_deref(), Some(r#"{"Id":"x","Version":"2012-10-17"}"#));
}

#[test]
fn a_replica_does_not_change_the_state_of_its_primary() {
    let replica = "arn:aws:kms:us-east-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab";
    let row = event(
        "ReplicateKey",
        json!({"requestParameters": {"keyId": KEY, "replicaRegion": "us-east-1"}, "responseElements": {
        "replicaKeyMetadata": {"arn": replica, "keyState": "Creating", "enabled": false, "multiRegion": true},
        "replicaPolicy": "{}", "replicaTags": [{"tagKey": "a", "tagValue": "b"}]}}),
    );
    assert_eq!((row.key_arn.as_deref(), row.replica_key_arn.as_deref()), (Some(KEY), Some(replica)));
    assert_eq!((row.key_state, row.key_enabled, row.multi_region), (None, None, Some(true)));
    assert_eq!((row.policy.as_deref(), row.tags.as_deref()), (Some("{}"), Some(r#"{"a":"b"}"#)));
}

#[test]
fn old_key_metadata_has_only_the_old_spec() {
    let row = event("CreateKey", json!({"requestParameters": {"customerMasterKeySpec": "RSA_2048"}}));
    assert_eq!(row.key_spec.as_deref(), Some("RSA_2048"));
    let metadata = json!({"keySpec": "HMAC_256", "customerMasterKeySpec": "SYMMETRIC_DEFAULT"});
    let row = event("CreateKey", json!({"responseElements": {"keyMetadata": metadata}}));
    assert_eq!(row.key_spec.as_deref(), Some("HMAC_256"));
    let data_key =
        event("GenerateDataKey", json!({"requestParameters": {"keySpec": "AES_256"}, "resources": [{"ARN": KEY}]}));
    assert_eq!((data_key.data_key_spec.as_deref(), data_key.key_spec, data_key.wide), (Some("AES_256"), None, false));
}

#[test]
fn credentials_of_key_stores_stay_behind() {
    let row = event(
        "CreateCustomKeyStore",
        json!({"requestParameters": {"customKeyStoreName": "s", "xksProxyUriEndpoint": "https://p",
        "xksProxyAuthenticationCredential": {"accessKeyId": "SECRET1", "rawSecretAccessKey": "SECRET2"}, "keyStorePassword": "SECRET3",
        "xksProxyConfiguration": {"accessKeyId": "SECRET4", "uriPath": "/kms"}}}),
    );
    assert_eq!(
        row.xks.as_deref(),
        Some(r#"{"xksProxyConfiguration":{"uriPath":"/kms"},"xksProxyUriEndpoint":"https://p"}"#)
    );
    let all = format!("{:?}", crate::columns(&row));
    assert!(!all.contains("SECRET"), "{all}");
}

#[test]
fn a_new_credential_of_a_key_store_is_told_by_its_name() {
    let credential = json!({"accessKeyId": "SECRET1", "rawSecretAccessKey": "SECRET2"});
    for value in [credential, json!("SECRET3"), json!(["SECRET4"]), json!(null)] {
        let row = event(
            "UpdateCustomKeyStore",
            json!({"requestParameters": {"customKeyStoreId": "cks-1", "xksProxyAuthenticationCredential": value}}),
        );
        assert_eq!(row.xks.as_deref(), Some(r#"{"xksProxyAuthenticationCredential":null}"#));
        let all = format!("{:?}", crate::columns(&row));
        assert!(!all.contains("SECRET"), "{all}");
    }
}

#[test]
fn plain_calls_that_tell_more_are_wide() {
    let plain = json!({"resources": [{"ARN": KEY}], "requestParameters": {"keyId": "alias/app", "encryptionAlgorithm": "SYMMETRIC_DEFAULT"}});
    let row = event("Decrypt", plain.clone());
    assert!(!row.wide && row.requested_key.is_none());
    let mut store = plain;
    store["additionalEventData"] = json!({"customKeyStoreId": "cks-1"});
    let row = event("Decrypt", store);
    assert_eq!((row.wide, row.requested_key.as_deref()), (true, Some("alias/app")));
}
