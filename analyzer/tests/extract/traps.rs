//! Invented records, each with one trap.

use crate::{KEY, row};

#[test]
fn a_disabled_key_behind_a_secret() {
    let row = row(r#"{"eventVersion":"1.11","userIdentity":{"type":"AssumedRole","principalId":"AROAEXAMPLE:job-7",
        "arn":"arn:aws:sts::111122223333:assumed-role/etl/job-7","accountId":"111122223333",
        "accessKeyId":"ASIAEXAMPLE","sessionContext":{"sessionIssuer":{"type":"Role",
        "principalId":"AROAEXAMPLE","arn":"arn:aws:iam::111122223333:role/etl",
        "accountId":"111122223333","userName":"etl"},"webIdFederationData":{},"attributes":{
        "creationDate":"2026-11-01T00:00:00Z","mfaAuthenticated":"false"}},
        "invokedBy":"secretsmanager.amazonaws.com"},"eventTime":"2026-11-01T00:00:05Z",
        "eventSource":"kms.amazonaws.com","eventName":"Decrypt","awsRegion":"eu-west-1",
        "sourceIPAddress":"secretsmanager.amazonaws.com","userAgent":"secretsmanager.amazonaws.com",
        "errorCode":"DisabledException",
        "errorMessage":"arn:aws:kms:eu-west-1:111122223333:key/00000000-1111-2222-3333-444444444444 is disabled.",
        "requestParameters":{"encryptionAlgorithm":"SYMMETRIC_DEFAULT","encryptionContext":{
        "SecretARN":"arn:aws:secretsmanager:eu-west-1:111122223333:secret:db-AbCdEf",
        "SecretVersionId":"v"}},"responseElements":null,"requestID":"r1","eventID":"e1","readOnly":true,
        "resources":[{"accountId":"111122223333","type":"AWS::KMS::Key",
        "ARN":"arn:aws:kms:eu-west-1:111122223333:key/00000000-1111-2222-3333-444444444444"}],
        "eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333",
        "eventCategory":"Management"}"#);
    assert_eq!((row.failure.as_deref(), row.error_code.as_deref()), (Some("key-disabled"), Some("DisabledException")));
    assert_eq!((row.key_arn.as_deref(), row.key_ref.as_deref()), (Some(KEY), Some("resources")));
    assert_eq!(row.principal.as_deref(), Some("arn:aws:iam::111122223333:role/etl"));
    assert_eq!((row.session_name.as_deref(), row.call.as_deref()), (Some("job-7"), Some("via-service")));
    assert_eq!(row.invoked_by.as_deref(), Some("secretsmanager.amazonaws.com"));
    assert_eq!(row.resource.as_deref(), Some("arn:aws:secretsmanager:eu-west-1:111122223333:secret:db-AbCdEf"));
    assert_eq!((row.mfa, row.read_only, row.wide), (Some(false), Some(true), false));
    assert_eq!((row.operation.as_deref(), row.source_kind.as_deref()), (Some("crypto"), Some("service")));
}

#[test]
fn an_automatic_rotation() {
    let row = row(r#"{"eventVersion":"1.11","userIdentity":{"accountId":"111122223333","invokedBy":"AWS Internal"},
        "eventTime":"2026-11-01T01:00:00Z","eventSource":"kms.amazonaws.com","eventName":"RotateKey",
        "awsRegion":"eu-west-1","sourceIPAddress":"AWS Internal","userAgent":"AWS Internal",
        "requestParameters":null,"responseElements":null,"eventID":"e2","readOnly":false,"resources":[{
        "accountId":"111122223333","type":"AWS::KMS::Key",
        "ARN":"arn:aws:kms:eu-west-1:111122223333:key/00000000-1111-2222-3333-444444444444"}],
        "eventType":"AwsServiceEvent","managementEvent":true,"recipientAccountId":"111122223333",
        "serviceEventDetails":{"rotationType":"AUTOMATIC","keyOrigin":"AWS_KMS",
        "keyId":"00000000-1111-2222-3333-444444444444","previousKeyMaterialId":"aa",
        "currentKeyMaterialId":"bb"},"eventCategory":"Management"}"#);
    assert_eq!((row.principal_type.as_deref(), row.principal.as_deref()), (Some("KMS"), Some("AWS KMS")));
    assert_eq!((row.call.as_deref(), row.operation.as_deref()), (Some("kms-internal"), Some("rotation")));
    assert_eq!((row.rotation_type.as_deref(), row.key_origin.as_deref()), (Some("AUTOMATIC"), Some("AWS_KMS")));
    assert_eq!((row.previous_key_material_id.as_deref(), row.key_material_id.as_deref()), (Some("aa"), Some("bb")));
    assert_eq!((row.key_arn.as_deref(), row.cross_account, row.request_id), (Some(KEY), Some(false), None));
}

#[test]
fn a_grant_to_another_account() {
    let row = row(r#"{"eventVersion":"1.08","userIdentity":{"type":"IAMUser","principalId":"AIDAEXAMPLE",
        "arn":"arn:aws:iam::111122223333:user/eve","accountId":"111122223333",
        "accessKeyId":"AKIAEXAMPLE","userName":"eve"},"eventTime":"2026-11-01T02:00:00Z",
        "eventSource":"kms.amazonaws.com","eventName":"CreateGrant","awsRegion":"eu-west-1",
        "sourceIPAddress":"203.0.113.9","userAgent":"aws-cli/2.31","requestParameters":{
        "keyId":"alias/app","granteePrincipal":"arn:aws:iam::999988887777:root","operations":["Decrypt",
        "CreateGrant"]},"responseElements":{"grantId":"g1",
        "keyId":"arn:aws:kms:eu-west-1:111122223333:key/00000000-1111-2222-3333-444444444444"},
        "requestID":"r3","eventID":"e3","readOnly":false,"resources":[{"accountId":"111122223333",
        "type":"AWS::KMS::Key",
        "ARN":"arn:aws:kms:eu-west-1:111122223333:key/00000000-1111-2222-3333-444444444444"}],
        "eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333",
        "eventCategory":"Management"}"#);
    assert_eq!((row.grant_id.as_deref(), row.grantee_kind.as_deref()), (Some("g1"), Some("root")));
    assert_eq!((row.grantee_account.as_deref(), row.grant_constraints), (Some("999988887777"), None));
    assert_eq!(row.grant_operations.as_deref(), Some(r#"["CreateGrant","Decrypt"]"#));
    assert_eq!(
        (row.alias.as_deref(), row.requested_key.as_deref()),
        (Some("arn:aws:kms:eu-west-1:111122223333:alias/app"), Some("alias/app"))
    );
    assert_eq!((row.key_arn.as_deref(), row.call.as_deref()), (Some(KEY), Some("direct")));
}

#[test]
fn a_retirement_that_names_the_grant_elsewhere() {
    let row = row(r#"{"eventVersion":"1.08","userIdentity":{"type":"AssumedRole",
        "arn":"arn:aws:sts::111122223333:assumed-role/etl/job-8"},"eventTime":"2026-11-01T03:00:00Z",
        "eventSource":"kms.amazonaws.com","eventName":"RetireGrant","awsRegion":"eu-west-1",
        "requestParameters":null,"responseElements":null,"additionalEventData":{"grantId":"g1"},
        "eventID":"e4","readOnly":false,"resources":[{"accountId":"111122223333","type":"AWS::KMS::Key",
        "ARN":"arn:aws:kms:eu-west-1:111122223333:key/00000000-1111-2222-3333-444444444444"}],
        "eventType":"AwsApiCall","recipientAccountId":"111122223333"}"#);
    assert_eq!((row.grant_id.as_deref(), row.key_arn.as_deref()), (Some("g1"), Some(KEY)));
    assert_eq!(row.principal.as_deref(), Some("arn:aws:iam::111122223333:role/etl"));
    assert_eq!((row.principal_account.as_deref(), row.cross_account), (Some("111122223333"), Some(false)));
}

#[test]
fn a_foreign_caller_without_arn() {
    let row = row(r#"{"eventVersion":"1.09","userIdentity":{"type":"AWSAccount","principalId":"AROAOTHER:s",
        "accountId":"999988887777"},"eventTime":"2026-11-01T04:00:00Z",
        "eventSource":"kms.amazonaws.com","eventName":"Decrypt","awsRegion":"eu-west-1",
        "sourceIPAddress":"198.51.100.7","requestParameters":{
        "encryptionAlgorithm":"SYMMETRIC_DEFAULT"},"responseElements":null,"eventID":"e5",
        "sharedEventID":"s5","readOnly":true,"resources":[{"accountId":"111122223333",
        "type":"AWS::KMS::Key",
        "ARN":"arn:aws:kms:eu-west-1:111122223333:key/00000000-1111-2222-3333-444444444444"}],
        "eventType":"AwsApiCall","recipientAccountId":"111122223333"}"#);
    assert_eq!(row.principal.as_deref(), Some("account:999988887777/AROAOTHER"));
    assert_eq!((row.cross_account, row.shared_event_id.as_deref()), (Some(true), Some("s5")));
    assert_eq!((row.key_account.as_deref(), row.account.as_deref()), (Some("111122223333"), Some("111122223333")));
    assert_eq!((row.principal_arn, row.requested_key, row.wide), (None, None, false));
}

/// Beside the request, AWS names the cluster that the store has: a new name alone asks for no other one.
#[test]
fn a_key_store_that_is_renamed() {
    let update = |request: &str| {
        row(&format!(
            r#"{{"eventVersion":"1.11","userIdentity":{{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/ops",
            "accountId":"111122223333","userName":"ops"}},"eventTime":"2026-11-01T02:00:00Z",
            "eventSource":"kms.amazonaws.com","eventName":"UpdateCustomKeyStore","awsRegion":"eu-west-1",
            "requestParameters":{{"customKeyStoreId":"cks-1234567890abcdef0",{request}}},"responseElements":null,
            "additionalEventData":{{"customKeyStoreName":"ledger","clusterId":"cluster-1a23b4cdefg"}},
            "eventID":"e4","recipientAccountId":"111122223333"}}"#
        ))
    };
    assert_eq!(update(r#""newCustomKeyStoreName":"books""#).cloud_hsm_cluster_id, None);
    let moved = update(r#""clusterId":"cluster-9z87y6xwvut""#);
    assert_eq!(moved.cloud_hsm_cluster_id.as_deref(), Some("cluster-9z87y6xwvut"));
}
