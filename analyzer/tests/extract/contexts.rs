//! Encryption contexts, and the same resource named by its own service.

use keytrail::decode::Class;
use serde_json::{Value, json};

use crate::{KEY, kms, service};

fn resource(context: Value) -> Option<String> {
    kms("Decrypt", json!({"requestParameters": {"encryptionContext": context}})).resource.map(String::from)
}

#[test]
fn every_service_context_names_its_resource() {
    let secret = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:db-AbCdEf";
    let cases = [
        (json!({"aws:s3:arn": "arn:aws:s3:::bucket/key"}), "arn:aws:s3:::bucket/key"),
        (
            json!({"aws:s3:arn": "arn:aws:s3:::bucket", "a-user-pair": "arn:aws:sqs:eu-west-1:1:q"}),
            "arn:aws:s3:::bucket",
        ),
        (json!({"aws:ebs:id": "vol-f67bafb2"}), "aws:ebs:id=vol-f67bafb2"),
        (json!({"aws:ebs:id": "vol-1", "aws:rds:db-id": "db-ABC"}), "aws:rds:db-id=db-ABC"),
        (json!({"aws:rds:dbc-id": "cluster-ABC"}), "aws:rds:dbc-id=cluster-ABC"),
        (
            json!({"aws:dynamodb:tableName": "orders", "aws:dynamodb:subscriberId": "444455556666"}),
            "arn:aws:dynamodb:eu-west-1:444455556666:table/orders",
        ),
        (json!({"aws:dynamodb:tableName": "orders"}), "arn:aws:dynamodb:eu-west-1:111122223333:table/orders"),
        (
            json!({"aws:cassandra:keyspaceName": "ks", "aws:cassandra:tableName": "t", "aws:cassandra:subscriberId": "1"}),
            "arn:aws:cassandra:eu-west-1:1:/keyspace/ks/table/t",
        ),
        (
            json!({"aws:redshift:arn": "arn:aws:redshift:eu-west-1:1:cluster:c", "aws:redshift:createtime": "x"}),
            "arn:aws:redshift:eu-west-1:1:cluster:c",
        ),
        (json!({"SecretARN": secret, "SecretVersionId": "v"}), secret),
        (json!({"SecretVersionId": "RequestToValidateKeyAccess", "SecretARN": secret}), secret),
        (
            json!({"PARAMETER_ARN": "arn:aws:ssm:eu-west-1:1:parameter/db/pw", "aws-crypto-public-key": "AA=="}),
            "arn:aws:ssm:eu-west-1:1:parameter/db/pw",
        ),
        (
            json!({"aws:lambda:EventSourceArn": "arn:aws:sqs:eu-west-1:1:q", "aws:lambda:FunctionArn": "arn:aws:lambda:eu-west-1:1:function:f"}),
            "arn:aws:lambda:eu-west-1:1:function:f",
        ),
        (json!({"aws:logs:arn": "arn:aws:logs:eu-west-1:1:log-group:g"}), "arn:aws:logs:eu-west-1:1:log-group:g"),
        (
            json!({"aws:cloudtrail:arn": "arn:aws:cloudtrail:eu-west-1:1:trail/t", "aws:s3:arn": "arn:aws:s3:::log/x"}),
            "arn:aws:cloudtrail:eu-west-1:1:trail/t",
        ),
        (json!({"aws:sqs:arn": "arn:aws:sqs:eu-west-1:1:q"}), "arn:aws:sqs:eu-west-1:1:q"),
        (json!({"aws:sns:topicArn": "arn:aws:sns:eu-west-1:1:t"}), "arn:aws:sns:eu-west-1:1:t"),
        (json!({"aws:kinesis:arn": "arn:aws:kinesis:eu-west-1:1:stream/s"}), "arn:aws:kinesis:eu-west-1:1:stream/s"),
        (
            json!({"aws:kinesis:firehose:arn": "arn:aws:firehose:eu-west-1:1:deliverystream/d"}),
            "arn:aws:firehose:eu-west-1:1:deliverystream/d",
        ),
        (json!({"aws:elasticfilesystem:filesystem:id": "fs-1"}), "aws:elasticfilesystem:filesystem:id=fs-1"),
        (
            json!({"aws:s3:arn": "arn:aws:s3:::prod-starport", "aws:ecr:arn": "arn:aws:ecr:eu-west-1:1:repository/r"}),
            "arn:aws:ecr:eu-west-1:1:repository/r",
        ),
        (
            json!({"aws:workmail:arn": "arn:aws:workmail:eu-west-1:1:organization/m-1"}),
            "arn:aws:workmail:eu-west-1:1:organization/m-1",
        ),
        (
            json!({"aws:ses:source-account": "1", "aws:ses:rule-name": "r", "aws:ses:message-id": "m"}),
            "aws:ses:rule-name=r",
        ),
        (
            json!({"kms_cmk_id": KEY}),
            "kms_cmk_id=arn:aws:kms:eu-west-1:111122223333:key/00000000-1111-2222-3333-444444444444",
        ),
        (json!({"service": "elastictranscoder.amazonaws.com"}), "service=elastictranscoder.amazonaws.com"),
        (json!({"aws:geo:arn": "arn:aws:geo:eu-west-1:1:tracker/t"}), "arn:aws:geo:eu-west-1:1:tracker/t"),
        (
            json!({"aws:vpc-lattice:arn": "arn:aws:vpc-lattice:eu-west-1:1:service/s", "aws:acm:arn": "arn:aws:acm:eu-west-1:1:certificate/c"}),
            "arn:aws:acm:eu-west-1:1:certificate/c",
        ),
        (
            json!({"aws:chime:voice-profile-domain:arn": "arn:aws:chime:eu-west-1:1:voice-profile-domain/d"}),
            "arn:aws:chime:eu-west-1:1:voice-profile-domain/d",
        ),
        (json!({"aws:backup:backup-vault": "v"}), "aws:backup:backup-vault=v"),
        (
            json!({"aws:states:stateMachineArn": "arn:aws:states:eu-west-1:1:stateMachine:m"}),
            "arn:aws:states:eu-west-1:1:stateMachine:m",
        ),
        (json!({"Project": "Alpha", "Department": "Engineering"}), "Department=Engineering"),
        (json!({"aws-crypto-public-key": "AA==", "tenant": "t1"}), "tenant=t1"),
        (json!({"aws-crypto-public-key": "AA=="}), "aws-crypto-public-key=AA=="),
        (json!({"number": 5}), "number=5"),
    ];
    for (context, expected) in cases {
        assert_eq!(resource(context.clone()).as_deref(), Some(expected), "{context}");
    }
    for nothing in [json!({}), json!(null), json!("text"), json!([1]), json!({"omitted": true}), json!({"a": ""})] {
        assert_eq!(resource(nothing), None);
    }
}

#[test]
fn the_bucket_is_told_whatever_the_resource_is() {
    let trail = "arn:aws:cloudtrail:eu-west-1:1:trail/t";
    let cases = [
        (json!({"aws:s3:arn": "arn:aws:s3:::logs/AWSLogs/x.json.gz"}), Some("logs")),
        (json!({"aws:s3:arn": "arn:aws-cn:s3:::logs"}), Some("logs")),
        (json!({"aws:s3:arn": "arn:aws:s3:::logs/x", "aws:cloudtrail:arn": trail}), Some("logs")),
        (json!({"aws:cloudtrail:arn": trail}), None),
        (json!({"aws:s3:arn": "arn:aws:s3:::"}), None),
        (json!({"aws:s3:arn": "arn:aws:s3:::/logs"}), None),
        (json!({"aws:s3:arn": "arn:aws:s3:eu-west-1:111122223333:accesspoint/logs"}), None),
        (json!({"aws:s3:arn": "logs/x"}), None),
        (json!({"bucket": "arn:aws:s3:::logs"}), None),
    ];
    for (context, expected) in cases {
        let row = kms("Decrypt", json!({"requestParameters": {"encryptionContext": context}}));
        assert_eq!(row.bucket.as_deref(), expected, "{context}");
    }
    // A user may name a bucket of their own in the pair that wins.
    let pairs = json!({"aws:s3:arn": "arn:aws:s3:::logs/x", "aws:ecr:arn": "arn:aws:s3:::others/x"});
    let row = kms("Decrypt", json!({"requestParameters": {"encryptionContext": pairs}}));
    assert_eq!(row.bucket.as_deref(), Some("logs"));
    // Other calls read nothing: their rows do not carry it.
    let context = json!({"aws:s3:arn": "arn:aws:s3:::logs"});
    for (name, member) in [("GenerateDataKey", "encryptionContext"), ("ReEncrypt", "sourceEncryptionContext")] {
        assert_eq!(kms(name, json!({"requestParameters": {member: context.clone()}})).bucket, None, "{name}");
    }
}

#[test]
fn the_context_is_kept_as_one_canonical_text() {
    let row =
        kms("Encrypt", json!({"requestParameters": {"encryptionContext": {"b": "2\u{1}\"\\\n", "a": "é", "c": ""}}}));
    assert_eq!(row.encryption_context.as_deref(), Some(r#"{"a":"é","b":"2\u0001\"\\\n","c":""}"#));
    assert!(!row.wide);
    let twice = r#"{"eventSource":"kms.amazonaws.com","eventName":"Decrypt","eventTime":"2026-11-01T00:00:00Z",
        "requestParameters":{"encryptionContext":{"z":"1","a":"first","a":"last"}}}"#;
    let row = crate::row(twice);
    assert_eq!(row.encryption_context.as_deref(), Some(r#"{"a":"last","z":"1"}"#));
    assert_eq!(row.resource.as_deref(), Some("a=last"));
}

#[test]
fn a_grant_is_about_what_its_constraint_names() {
    let constraints = json!({"encryptionContextSubset": {"aws:ebs:id": "vol-f67bafb2"}});
    let row = kms("CreateGrant", json!({"requestParameters": {"constraints": constraints}}));
    assert_eq!(row.resource.as_deref(), Some("aws:ebs:id=vol-f67bafb2"));
}

#[test]
fn a_failing_service_names_its_resource_as_its_kms_calls_do() {
    let arn = |text: &str| format!("arn:aws:{}", text.replace("@", ":eu-west-1:111122223333:"));
    let cases = [
        (
            "ec2",
            "AttachVolume",
            json!({"volumeId": "vol-f67bafb2", "instanceId": "i-1"}),
            "aws:ebs:id=vol-f67bafb2".to_owned(),
        ),
        (
            "ec2",
            "CreateSnapshot",
            json!({"CreateSnapshotRequest": {"VolumeId": "vol-f67bafb2"}}),
            "aws:ebs:id=vol-f67bafb2".to_owned(),
        ),
        ("ec2", "CopySnapshot", json!({"sourceSnapshotId": "snap-1"}), "aws:ebs:id=snap-1".to_owned()),
        ("ec2", "StartInstances", json!({"instancesSet": {"items": [{"instanceId": "i-1"}]}}), arn("ec2@instance/i-1")),
        ("ec2", "CopyImage", json!({"sourceImageId": "ami-0", "imageId": "ami-1"}), arn("ec2@image/ami-1")),
        ("s3", "GetObject", json!({"bucketName": "b", "key": "a/k"}), "arn:aws:s3:::b/a/k".to_owned()),
        ("s3", "PutBucketEncryption", json!({"bucketName": "b"}), "arn:aws:s3:::b".to_owned()),
        (
            "secretsmanager",
            "GetSecretValue",
            json!({"secretId": arn("secretsmanager@secret:db-AbCdEf")}),
            arn("secretsmanager@secret:db-AbCdEf"),
        ),
        ("secretsmanager", "GetSecretValue", json!({"secretId": "db"}), arn("secretsmanager@secret:db")),
        ("ssm", "GetParameter", json!({"name": "plain:3"}), arn("ssm@parameter/plain")),
        ("ssm", "GetParameters", json!({"names": ["/a/b", "/c"]}), arn("ssm@parameter/a/b")),
        ("lambda", "Invoke", json!({"functionName": arn("lambda@function:f:PROD")}), arn("lambda@function:f")),
        ("lambda", "UpdateFunctionConfiguration20150331v2", json!({"functionName": "f"}), arn("lambda@function:f")),
        ("lambda", "Invoke", json!({"functionName": "111122223333:function:f:1"}), arn("lambda@function:f")),
        ("dynamodb", "PutItem", json!({"tableName": "orders"}), arn("dynamodb@table/orders")),
        ("dynamodb", "Query", json!({"tableName": arn("dynamodb@table/orders/index/i")}), arn("dynamodb@table/orders")),
        ("dynamodb", "BatchGetItem", json!({"requestItems": {"orders": {}}}), arn("dynamodb@table/orders")),
        ("sqs", "SendMessage", json!({"queueUrl": "https://sqs.eu-west-1.amazonaws.com/111122223333/q"}), arn("sqs@q")),
        (
            "sqs",
            "SendMessage",
            json!({"queueUrl": "https://eu-west-1.queue.amazonaws.com/111122223333/q"}),
            arn("sqs@q"),
        ),
        ("sns", "Publish", json!({"topicArn": arn("sns@t")}), arn("sns@t")),
        ("kinesis", "PutRecord", json!({"streamName": "s"}), arn("kinesis@stream/s")),
        ("firehose", "PutRecord", json!({"deliveryStreamName": "d"}), arn("firehose@deliverystream/d")),
        ("logs", "PutLogEvents", json!({"logGroupName": "/g"}), arn("logs@log-group:/g")),
        ("rds", "StartDBInstance", json!({"dBInstanceIdentifier": "db1"}), arn("rds@db:db1")),
        (
            "elasticfilesystem",
            "CreateMountTarget",
            json!({"fileSystemId": "fs-1"}),
            "aws:elasticfilesystem:filesystem:id=fs-1".to_owned(),
        ),
        ("ecr", "BatchGetImage", json!({"repositoryName": "r"}), arn("ecr@repository/r")),
        ("backup", "StartBackupJob", json!({"backupVaultName": "v"}), "aws:backup:backup-vault=v".to_owned()),
        ("cassandra", "Select", json!({"keyspaceName": "ks", "tableName": "t"}), arn("cassandra@/keyspace/ks/table/t")),
        (
            "glue",
            "StartJobRun",
            json!({"role": "arn:aws:iam::1:role/r", "target": arn("glue@job/j")}),
            arn("glue@job/j"),
        ),
    ];
    for (source, event, request, expected) in cases {
        let members = json!({"requestParameters": request, "errorCode": "KMS.DisabledException"});
        let row = service(Class::Failure, source, event, members);
        assert_eq!(row.resource.as_deref(), Some(expected.as_str()), "{source} {event} {request}");
        assert_eq!(row.related_resource, row.resource);
    }
}

#[test]
fn a_database_is_joined_by_its_resource_id_and_told_by_its_arn() {
    let members =
        json!({"requestParameters": {"dBInstanceIdentifier": "db1"}, "responseElements": {"dbiResourceId": "db-ABC"}});
    let row = service(Class::Failure, "rds", "StartDBInstance", members);
    assert_eq!(row.resource.as_deref(), Some("aws:rds:db-id=db-ABC"));
    assert_eq!(row.related_resource.as_deref(), Some("arn:aws:rds:eu-west-1:111122223333:db:db1"));
}

#[test]
fn resources_and_text_help_where_the_request_is_gone() {
    let listed = json!({"errorCode": "KMS.DisabledException", "resources": [
        {"ARN": KEY, "type": "AWS::KMS::Key"}, {"type": "AWS::S3::Object", "ARN": "arn:aws:s3:::b/k"}]});
    let row = service(Class::Failure, "s3", "GetObject", listed);
    assert_eq!((row.resource.as_deref(), row.key_arn.as_deref()), (Some("arn:aws:s3:::b/k"), Some(KEY)));
    let text = json!({"errorCode": "Client.InvalidKmsKey.InvalidState", "errorMessage": "Volume vol-0123456789abcdef0 cannot be attached"});
    let row = service(Class::Failure, "ec2", "AttachVolume", text);
    assert_eq!(row.resource.as_deref(), Some("aws:ebs:id=vol-0123456789abcdef0"));
}
