//! Every column is filled by some record: a column that nothing fills is a column that lies.

use std::collections::BTreeSet;

use keytrail::decode::Class;
use keytrail::frame::{COLUMNS, Row};
use serde_json::{Value, json};

use crate::{KEY, OTHER_KEY, columns, kms, service};

#[test]
fn every_column_is_filled_at_least_once() {
    let filled: BTreeSet<String> = records().iter().flat_map(|row| columns(row).into_keys()).collect();
    let empty: Vec<&str> = COLUMNS.iter().map(|column| column.name).filter(|name| !filled.contains(*name)).collect();
    assert_eq!(empty, Vec::<&str>::new());
}

fn records() -> Vec<Row<'static>> {
    let resources = json!([{"ARN": KEY, "accountId": "111122223333", "type": "AWS::KMS::Key"}]);
    let with = |mut members: Value| {
        members["resources"] = resources.clone();
        members
    };
    vec![
        kms("Decrypt", with(decrypt())),
        kms(
            "GenerateDataKey",
            with(json!({"requestParameters": {"keyId": "alias/app", "keySpec": "AES_256", "numberOfBytes": 32,
            "encryptionContext": {"aws:s3:arn": "arn:aws:s3:::bucket/key"}}})),
        ),
        kms(
            "Sign",
            with(
                json!({"requestParameters": {"keyId": KEY, "messageType": "RAW", "signingAlgorithm": "ECDSA_SHA_256"}}),
            ),
        ),
        kms("ReEncrypt", re_encrypt()),
        kms("CreateKey", with(create_key())),
        kms(
            "ScheduleKeyDeletion",
            with(json!({"requestParameters": {"keyId": KEY, "pendingWindowInDays": 7},
            "responseElements": {"keyState": "PendingDeletion", "deletionDate": "Nov 2, 2021, 11:25:25 PM"}})),
        ),
        kms(
            "DeleteKey",
            with(json!({"additionalEventData": {"backingKeys": "[]", "backingKeysDeletionStatus": "[{}]"}})),
        ),
        kms("EnableKeyRotation", with(json!({"requestParameters": {"keyId": KEY, "rotationPeriodInDays": 180}}))),
        kms(
            "RotateKey",
            with(
                json!({"eventType": "AwsServiceEvent", "serviceEventDetails": {"keyId": KEY, "rotationType": "AUTOMATIC",
            "keyOrigin": "AWS_KMS", "previousKeyMaterialId": "aa", "currentKeyMaterialId": "bb"}}),
            ),
        ),
        kms(
            "GetParametersForImport",
            with(json!({"requestParameters": {"keyId": KEY, "wrappingKeySpec": "RSA_4096"}})),
        ),
        kms(
            "ImportKeyMaterial",
            with(
                json!({"requestParameters": {"keyId": KEY, "validTo": "Jan 1, 2021 8:00:00 PM", "importType": "NEW_KEY_MATERIAL",
            "expirationModel": "KEY_MATERIAL_EXPIRES", "keyMaterialDescription": "first"}}),
            ),
        ),
        kms("CreateAlias", with(json!({"requestParameters": {"aliasName": "alias/app", "targetKeyId": KEY}}))),
        kms(
            "ReplicateKey",
            with(json!({"requestParameters": {"keyId": KEY, "replicaRegion": "us-east-1"},
            "responseElements": {"replicaKeyMetadata": {"arn": OTHER_KEY}}})),
        ),
        kms("UpdatePrimaryRegion", with(json!({"requestParameters": {"keyId": KEY, "primaryRegion": "us-east-1"}}))),
        kms(
            "CreateGrant",
            with(json!({"responseElements": {"grantId": "g1"}, "requestParameters": {"keyId": KEY, "name": "n",
            "granteePrincipal": "arn:aws:iam::999988887777:root", "retiringPrincipal": "arn:aws:iam::111122223333:role/r",
            "operations": ["Decrypt"], "constraints": {"encryptionContextSubset": {"a": "b"}}}})),
        ),
        kms(
            "PutKeyPolicy",
            with(
                json!({"requestParameters": {"policy": "{}", "policyName": "default", "bypassPolicyLockoutSafetyCheck": true}}),
            ),
        ),
        kms("TagResource", with(json!({"requestParameters": {"tags": [{"tagKey": "team", "tagValue": "data"}]}}))),
        kms("UntagResource", with(json!({"requestParameters": {"tagKeys": ["team"]}}))),
        kms("ListGrants", with(json!({"requestParameters": {"limit": 10, "marker": "m"}}))),
        service(Class::TrailControl, "cloudtrail", "StopLogging", json!({"requestParameters": {"name": "main"}})),
    ]
}

fn decrypt() -> Value {
    json!({
        "sharedEventID": "s1", "requestID": "r1", "readOnly": true, "managementEvent": true, "eventCategory": "Management",
        "addendum": {"reason": "UPDATED_DATA", "originalEventID": "e0"}, "sourceIPAddress": "192.0.2.1", "userAgent": "cli", "vpcEndpointId": "vpce-1",
        "tlsDetails": {"tlsVersion": "TLSv1.3", "keyExchange": "X25519MLKEM768", "clientProvidedHostHeader": "kms-fips.eu-west-1.amazonaws.com"},
        "errorCode": "DisabledException", "errorMessage": format!("{KEY} is disabled."),
        "userIdentity": {"type": "AssumedRole", "arn": "arn:aws:sts::111122223333:assumed-role/etl/job-7", "accountId": "111122223333",
            "accessKeyId": "ASIAEXAMPLE", "invokedBy": "secretsmanager.amazonaws.com",
            "sessionContext": {"sourceIdentity": "eve", "attributes": {"mfaAuthenticated": "false"}}},
        "requestParameters": {"encryptionAlgorithm": "SYMMETRIC_DEFAULT", "dryRun": true, "encryptionContext": {"SecretARN": "arn:aws:secretsmanager:eu-west-1:1:secret:s", "aws:s3:arn": "arn:aws:s3:::b/x"}},
        "additionalEventData": {"keyMaterialId": "aa", "recipient": {"attestationDocumentModuleId": "i-1"}},
    })
}

fn re_encrypt() -> Value {
    json!({
        "resources": [{"ARN": KEY}, {"ARN": OTHER_KEY}], "additionalEventData": {"sourceKeyMaterialId": "aa", "destinationKeyMaterialId": "bb"},
        "requestParameters": {"sourceKeyId": KEY, "destinationKeyId": "alias/new", "sourceEncryptionAlgorithm": "SYMMETRIC_DEFAULT",
            "destinationEncryptionAlgorithm": "SYMMETRIC_DEFAULT", "sourceEncryptionContext": {"a": "1"}, "destinationEncryptionContext": {"b": "2"}},
    })
}

fn create_key() -> Value {
    json!({
        "requestParameters": {"description": "d", "keyUsage": "ENCRYPT_DECRYPT", "keySpec": "SYMMETRIC_DEFAULT", "origin": "EXTERNAL_KEY_STORE", "multiRegion": true,
            "xksKeyId": "bb85", "customKeyStoreId": "cks-1"},
        "responseElements": {"keyMetadata": {"arn": KEY, "keyManager": "CUSTOMER", "keyState": "Enabled", "enabled": true, "creationDate": "Aug 10, 2022, 10:38:27 PM",
            "encryptionAlgorithms": ["SYMMETRIC_DEFAULT"], "multiRegionConfiguration": {"multiRegionKeyType": "PRIMARY"}, "cloudHsmClusterId": "cluster-1"}},
        "additionalEventData": {"customKeyStoreName": "store"},
    })
}
