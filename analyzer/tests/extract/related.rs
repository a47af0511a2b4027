//! Records of other services: bindings, IAM policies, trail control.

use keytrail::decode::Class;
use serde_json::json;

use crate::{KEY, KEY_ID, OTHER_KEY, service};

#[test]
fn bindings_give_key_and_resource() {
    let arn = |text: &str| format!("arn:aws:{}", text.replace("@", ":eu-west-1:111122223333:"));
    let bucket = json!({"bucketName": "b", "ServerSideEncryptionConfiguration": {"xmlns": "x", "Rule": {
        "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY}, "BucketKeyEnabled": true}}});
    let cases = [
        ("s3", "PutBucketEncryption", bucket, "arn:aws:s3:::b".to_owned()),
        (
            "s3",
            "CopyObject",
            json!({"bucketName": "b", "key": "k", "x-amz-server-side-encryption-aws-kms-key-id": KEY}),
            "arn:aws:s3:::b/k".to_owned(),
        ),
        (
            "ec2",
            "ModifyEbsDefaultKmsKeyId",
            json!({"ModifyEbsDefaultKmsKeyIdRequest": {"KmsKeyId": KEY}}),
            "aws:ebs:default=111122223333/eu-west-1".to_owned(),
        ),
        ("ec2", "CreateVolume", json!({"kmsKeyId": KEY, "snapshotId": "snap-1"}), "aws:ebs:id=snap-1".to_owned()),
        (
            "dynamodb",
            "CreateTable",
            json!({"tableName": "t", "sSESpecification": {"sSEType": "KMS", "kMSMasterKeyId": KEY}}),
            arn("dynamodb@table/t"),
        ),
        (
            "rds",
            "CreateDBInstance",
            json!({"dBInstanceIdentifier": "d", "performanceInsightsKMSKeyId": OTHER_KEY, "kmsKeyId": KEY}),
            arn("rds@db:d"),
        ),
        ("logs", "AssociateKmsKey", json!({"logGroupName": "g", "kmsKeyId": KEY}), arn("logs@log-group:g")),
        (
            "sqs",
            "SetQueueAttributes",
            json!({"queueUrl": "https://sqs.eu-west-1.amazonaws.com/1/q", "attributes": {"KmsMasterKeyId": KEY}}),
            "arn:aws:sqs:eu-west-1:1:q".to_owned(),
        ),
        (
            "sns",
            "SetTopicAttributes",
            json!({"topicArn": arn("sns@t"), "attributeName": "KmsMasterKeyId", "attributeValue": KEY}),
            arn("sns@t"),
        ),
        (
            "kinesis",
            "StartStreamEncryption",
            json!({"streamName": "s", "keyId": KEY, "encryptionType": "KMS"}),
            arn("kinesis@stream/s"),
        ),
        ("ssm", "PutParameter", json!({"name": "p", "type": "SecureString", "keyId": KEY}), arn("ssm@parameter/p")),
        ("secretsmanager", "CreateSecret", json!({"name": "s", "kmsKeyId": KEY}), arn("secretsmanager@secret:s")),
        ("lambda", "CreateFunction20150331", json!({"functionName": "f", "kMSKeyArn": KEY}), arn("lambda@function:f")),
        (
            "elasticfilesystem",
            "CreateFileSystem",
            json!({"encrypted": true, "kmsKeyId": KEY, "fileSystemId": "fs-1"}),
            "aws:elasticfilesystem:filesystem:id=fs-1".to_owned(),
        ),
    ];
    for (source, event, request, resource) in cases {
        let row = service(Class::Binding, source, event, json!({"requestParameters": request}));
        assert_eq!((row.key_arn.as_deref(), row.key_ref.as_deref()), (Some(KEY), Some("request")), "{event}");
        assert_eq!(
            (row.resource.as_deref(), row.requested_key.as_deref()),
            (Some(resource.as_str()), Some(KEY)),
            "{event}"
        );
        assert_eq!((row.class.as_deref(), row.wide, row.operation), (Some("binding"), true, None));
    }
}

#[test]
fn the_settings_of_a_binding_are_details() {
    let request = json!({"bucketName": "b", "ServerSideEncryptionConfiguration": {"Rule": {
        "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "alias/app"}, "BucketKeyEnabled": true}}});
    let row = service(Class::Binding, "s3", "PutBucketEncryption", json!({"requestParameters": request}));
    assert_eq!(row.details.as_deref(), Some(r#"{"bucketKeyEnabled":true,"sseAlgorithm":"aws:kms"}"#));
    assert_eq!(row.alias.as_deref(), Some("arn:aws:kms:eu-west-1:111122223333:alias/app"));
    assert_eq!((row.key_arn, row.requested_key.as_deref()), (None, Some("alias/app")));
}

#[test]
fn an_answer_resolves_what_was_typed() {
    let members = json!({"requestParameters": {"kmsKeyId": "alias/app"}, "responseElements": {"volumeId": "vol-1", "kmsKeyId": KEY}});
    let row = service(Class::Binding, "ec2", "CreateVolume", members);
    assert_eq!((row.key_arn.as_deref(), row.key_ref.as_deref()), (Some(KEY), Some("response")));
    assert_eq!((row.requested_key.as_deref(), row.resource.as_deref()), (Some("alias/app"), Some("aws:ebs:id=vol-1")));
    let bare = service(Class::Binding, "ec2", "CreateVolume", json!({"requestParameters": {"kmsKeyId": KEY_ID}}));
    assert_eq!((bare.key_arn.as_deref(), bare.key_ref.as_deref()), (Some(KEY), Some("built")));
    let none =
        service(Class::Binding, "s3", "DeleteBucketEncryption", json!({"requestParameters": {"bucketName": "b"}}));
    assert_eq!((none.key_arn, none.resource.as_deref()), (None, Some("arn:aws:s3:::b")));
}

#[test]
fn iam_documents_stay_as_sent_beside_what_they_belong_to() {
    let cases = [
        (
            "CreatePolicy",
            json!({"policyName": "p", "policyDocument": "{}"}),
            json!({"policy": {"arn": "arn:aws:iam::1:policy/x/p"}}),
            "arn:aws:iam::1:policy/x/p",
        ),
        (
            "CreatePolicy",
            json!({"policyName": "p", "policyDocument": "{}"}),
            json!(null),
            "arn:aws:iam::111122223333:policy/p",
        ),
        (
            "CreatePolicyVersion",
            json!({"policyArn": "arn:aws:iam::1:policy/p", "policyDocument": "{}", "setAsDefault": true}),
            json!(null),
            "arn:aws:iam::1:policy/p",
        ),
        (
            "PutRolePolicy",
            json!({"roleName": "r", "policyName": "p", "policyDocument": "{}"}),
            json!(null),
            "arn:aws:iam::111122223333:role/r",
        ),
        (
            "PutUserPolicy",
            json!({"userName": "u", "policyName": "p", "policyDocument": "{}"}),
            json!(null),
            "arn:aws:iam::111122223333:user/u",
        ),
        (
            "PutGroupPolicy",
            json!({"groupName": "g", "policyName": "p", "policyDocument": "{}"}),
            json!(null),
            "arn:aws:iam::111122223333:group/g",
        ),
    ];
    for (event, request, response, related) in cases {
        let members = json!({"requestParameters": request, "responseElements": response});
        let row = service(Class::IamPolicy, "iam", event, members);
        assert_eq!((row.policy.as_deref(), row.related_resource.as_deref()), (Some("{}"), Some(related)), "{event}");
        assert!(row.wide && row.resource.is_none());
    }
    let version = json!({"requestParameters": {"policyArn": "a", "policyDocument": "{}", "setAsDefault": true}});
    let row = service(Class::IamPolicy, "iam", "CreatePolicyVersion", version);
    assert_eq!(row.details.as_deref(), Some(r#"{"setAsDefault":true}"#));
}

#[test]
fn trail_control_keeps_what_narrows_a_trail() {
    let trail = "arn:aws:cloudtrail:eu-west-1:111122223333:trail/main";
    let selectors = json!({"requestParameters": {"trailName": "main", "eventSelectors": [
        {"ReadWriteType": "WriteOnly", "excludeManagementEventSources": ["kms.amazonaws.com"], "includeManagementEvents": true}]}});
    let row = service(Class::TrailControl, "cloudtrail", "PutEventSelectors", selectors);
    let expected = r#"{"eventSelectors":[{"excludeManagementEventSources":["kms.amazonaws.com"],"includeManagementEvents":true,"readWriteType":"WriteOnly"}],"trailName":"main"}"#;
    assert_eq!(row.details.as_deref(), Some(expected));
    assert_eq!((row.related_resource.as_deref(), row.resource.as_deref()), (Some(trail), Some(trail)));

    let update = json!({"requestParameters": {"name": trail, "kmsKeyId": "alias/log", "isMultiRegionTrail": false, "enableLogFileValidation": false},
        "responseElements": {"name": "main", "trailARN": trail, "kmsKeyId": KEY, "s3BucketName": "logs", "isMultiRegionTrail": false}});
    let row = service(Class::TrailControl, "cloudtrail", "UpdateTrail", update);
    let expected = format!(
        r#"{{"enableLogFileValidation":false,"isMultiRegionTrail":false,"kmsKeyId":"{KEY}","name":"main","s3BucketName":"logs","trailARN":"{trail}"}}"#
    );
    assert_eq!((row.details.as_deref(), row.key_arn.as_deref()), (Some(expected.as_str()), Some(KEY)));
    let advanced = json!({"requestParameters": {"advancedEventSelectors": [{"name": "no KMS", "fieldSelectors": [
        {"field": "eventSource", "notEquals": ["kms.amazonaws.com"]}]}], "trailName": "main"}});
    let row = service(Class::TrailControl, "cloudtrail", "PutEventSelectors", advanced);
    assert_eq!(row.resource.as_deref(), Some(trail));
    assert!(
        row.details.as_deref().is_some_and(|details| details.ends_with(r#","trailName":"main"}"#)),
        "{:?}",
        row.details
    );
    let stop =
        service(Class::TrailControl, "cloudtrail", "StopLogging", json!({"requestParameters": {"name": "main"}}));
    assert_eq!((stop.resource.as_deref(), stop.details.as_deref()), (Some(trail), Some(r#"{"name":"main"}"#)));
    let denied = json!({"errorCode": "AccessDenied", "requestParameters": {"name": "main"}});
    assert_eq!(
        service(Class::TrailControl, "cloudtrail", "StopLogging", denied).failure.as_deref(),
        Some("access-denied")
    );
}
