//! Any JSON gives a row or a named rejection.

use keytrail::decode::{Class, RejectReason};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::{KEY, columns, extract, kms, ms, record, row};

#[test]
fn what_every_event_has_is_demanded_by_name() {
    let without = |name: &str, value: Value| {
        let mut record = record("kms.amazonaws.com", "Decrypt", json!({}));
        record[name] = value;
        extract(Class::Kms, &record.to_string()).map(|_| ())
    };
    for nothing in [json!(null), json!("")] {
        assert_eq!(without("eventSource", nothing.clone()), Err(RejectReason::MissingEventSource));
        assert_eq!(without("eventName", nothing), Err(RejectReason::MissingEventName));
    }
    assert_eq!(without("eventTime", json!(null)), Err(RejectReason::MissingEventTime));
    for bad in [
        "",
        "yesterday",
        "2026-13-01T00:00:00Z",
        "2026-02-30T00:00:00Z",
        "2026-11-01T25:00:00Z",
        "2026-11-01",
        "20261101T000000Z",
        "+026-11-01T00:00:00Z",
    ] {
        assert_eq!(without("eventTime", json!(bad)), Err(RejectReason::BadEventTime), "{bad}");
    }
    assert_eq!(without("eventTime", json!(5)), Err(RejectReason::BadEventTime));
    for other in ["[]", "null", "5", "\"text\"", "true"] {
        assert_eq!(extract(Class::Kms, other).map(|_| ()), Err(RejectReason::NotAnObject));
    }
    assert_eq!(extract(Class::Kms, "{}").map(|_| ()), Err(RejectReason::MissingEventSource));
}

#[test]
fn event_times_with_offset_and_fraction() {
    let time = |text: &str| kms("Decrypt", json!({"eventTime": text})).event_time;
    assert_eq!(time("2026-11-01T00:00:05Z"), ms("2026-11-01T00:00:05Z"));
    assert_eq!(time("2026-11-01T02:00:05+02:00"), ms("2026-11-01T00:00:05Z"));
    assert_eq!(time("2026-11-01T00:00:05.250Z"), ms("2026-11-01T00:00:05.250Z"));
    assert_eq!(time("2000-01-01T00:00:00Z"), Some(946_684_800_000));
}

#[test]
fn an_event_without_id_gets_one_that_survives_redelivery() {
    let id = |members| kms("Decrypt", members).event_id.map(String::from);
    let request = id(json!({"eventID": null, "requestID": "r1"}));
    assert_eq!(request.as_deref(), Some("request:r1:Decrypt:2026-11-01T00:00:05Z"));
    let content = id(json!({"eventID": ""})).expect("an id");
    assert_eq!((content.len(), content.starts_with("content:")), (8 + 32, true));
    assert_eq!(Some(content.clone()), id(json!({"eventID": ""})));
    assert_ne!(Some(content), id(json!({"eventID": "", "x": 1})));
}

#[test]
fn corrections_name_what_they_replace() {
    let addendum =
        |reason| kms("Decrypt", json!({"addendum": {"reason": reason, "originalEventID": "e0", "updatedFields": "x"}}));
    let updated = addendum("UPDATED_DATA");
    assert_eq!((updated.corrects.as_deref(), updated.addendum_reason.as_deref()), (Some("e0"), Some("UPDATED_DATA")));
    let late = addendum("DELIVERY_DELAY");
    assert_eq!((late.corrects.as_deref(), late.addendum_reason.as_deref()), (None, Some("DELIVERY_DELAY")));
}

#[test]
fn the_last_of_duplicate_members_counts() {
    let row = row(
        r#"{"eventName":"Encrypt","eventSource":"kms.amazonaws.com","eventTime":"bad","eventTime":"2026-11-01T00:00:00Z",
        "eventName":"Decrypt","requestParameters":{"keyId":"x"},"requestParameters":{"encryptionAlgorithm":"A","encryptionAlgorithm":"B"},
        "awsRegion":"eu-west-1","awsRegion":null}"#,
    );
    assert_eq!((row.event_name.as_deref(), row.algorithm.as_deref()), (Some("Decrypt"), Some("B")));
    assert_eq!((row.requested_key.as_deref(), row.region.as_deref()), (None, None));
    assert_eq!((row.record, row.object), (7, 0));
}

#[test]
fn the_account_falls_back_to_the_caller_and_may_be_a_number() {
    assert_eq!(kms("Decrypt", json!({"recipientAccountId": null})).account.as_deref(), Some("111122223333"));
    assert_eq!(
        kms("Decrypt", json!({"recipientAccountId": 444455556666_i64})).account.as_deref(),
        Some("444455556666")
    );
    assert_eq!(kms("Decrypt", json!({"recipientAccountId": "####"})).account.as_deref(), Some("####"));
}

#[test]
fn nesting_ends() {
    let deep = format!("{}1{}", "{\"a\":".repeat(900), "}".repeat(900));
    let text = format!(
        r#"{{"eventName":"CreateGrant","eventSource":"kms.amazonaws.com","eventTime":"2026-11-01T00:00:00Z","requestParameters":{{"encryptionContext":{deep},"constraints":{deep},"tags":{deep}}},"userIdentity":{deep}}}"#
    );
    for class in Class::ALL {
        let row = extract(class, &text).expect("a row");
        assert_eq!((row.encryption_context, row.grant_constraints), (None, None));
    }
}

/// Names that the extractor looks for, so that arbitrary values land where they are read.
fn name() -> impl Strategy<Value = String> {
    const KNOWN: &[&str] = &[
        "eventName",
        "eventSource",
        "eventTime",
        "eventID",
        "eventType",
        "awsRegion",
        "userIdentity",
        "sessionContext",
        "sessionIssuer",
        "attributes",
        "mfaAuthenticated",
        "type",
        "arn",
        "ARN",
        "accountId",
        "principalId",
        "invokedBy",
        "requestParameters",
        "responseElements",
        "additionalEventData",
        "serviceEventDetails",
        "resources",
        "addendum",
        "tlsDetails",
        "errorCode",
        "errorMessage",
        "keyId",
        "encryptionContext",
        "keyMetadata",
        "replicaKeyMetadata",
        "tags",
        "tagKey",
        "constraints",
        "operations",
        "granteePrincipal",
        "policy",
        "policyDocument",
        "deletionDate",
        "validTo",
        "recipient",
        "xksProxyUriPath",
        "xksKeyConfiguration",
        "omitted",
        "kmsKeyId",
        "queueUrl",
        "functionName",
        "tableName",
        "name",
        "bucketName",
        "key",
        "volumeId",
        "secretId",
        "eventSelectors",
        "aliasName",
        "destinationKeyId",
        "requestItems",
        "dbiResourceId",
        "encryptionContextSubset",
        "aws:dynamodb:tableName",
        "numberOfBytes",
    ];
    prop_oneof![8 => prop::sample::select(KNOWN).prop_map(str::to_owned), 1 => ".{0,6}"]
}

fn scalar() -> impl Strategy<Value = Value> {
    const TEXTS: &[&str] = &[
        "",
        "Decrypt",
        "ReEncrypt",
        "CreateGrant",
        "CreateKey",
        "ReplicateKey",
        "kms.amazonaws.com",
        "s3.amazonaws.com",
        "2026-11-01T00:00:00Z",
        KEY,
        "arn:aws:kms:eu-west-1::key/",
        "arn:aws:kms:",
        "arn:",
        "arn:aws:sts::1:assumed-role/",
        "arn:aws:lambda:a:b:function:",
        "alias/",
        "alias/x",
        "AssumedRole",
        "AWSService",
        "AWS Internal",
        "Oct 21, 2024, 2:25:29\u{202f}PM",
        "Jan 1, 2021",
        "is disabled key",
        "Error Code: ",
        "error code: é",
        "KMS Exception: X",
        "//",
        "/",
        ":",
        "é",
        "\u{0}",
        "client.internalerror",
        "#",
        "vol-",
        "vol-12345678",
        "true",
    ];
    prop_oneof![
        6 => prop::sample::select(TEXTS).prop_map(Value::from),
        1 => ".{0,20}".prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
    ]
}

fn json_value() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(5, 48, 6, |inner| {
        prop_oneof![
            1 => prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            4 => prop::collection::vec((name(), inner), 0..6).prop_map(|pairs| Value::Object(pairs.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 1000 } else { 4000 }))]

    #[test]
    fn any_json_gives_a_row_or_a_reason(value in json_value()) {
        for class in Class::ALL {
            let _ = extract(class, &value.to_string());
        }
    }

    #[test]
    fn any_members_on_a_sound_event_give_a_row(
        members in prop::collection::vec((name(), json_value()), 0..8),
        event in prop::sample::select(&["Decrypt", "ReEncrypt", "CreateKey", "CreateGrant", "RotateKey", "New"][..]),
        source in prop::sample::select(&["kms", "s3", "ec2", "rds", "lambda", "sqs", "ssm", "dynamodb", "secretsmanager", "iam", "cloudtrail"][..]),
    ) {
        let mut record = record(&format!("{source}.amazonaws.com"), event, json!({}));
        for (name, value) in members.into_iter().filter(|(name, _)| !matches!(name.as_str(), "eventTime" | "eventName" | "eventSource")) {
            record[name] = value;
        }
        for class in Class::ALL {
            let row = extract(class, &record.to_string()).expect("a row");
            prop_assert!(row.event_id.is_some() && row.event_time.is_some() && row.event_name.is_some());
            prop_assert!(row.wide || class == Class::Kms);
            if let Some(arn) = row.key_arn.as_deref() {
                prop_assert!(row.key_id.is_some() && row.key_ref.is_some() && arn.contains(":key/"));
            }
            for text in [&row.encryption_context, &row.grant_operations, &row.grant_constraints, &row.tags, &row.details, &row.xks, &row.attestation] {
                prop_assert!(text.as_deref().is_none_or(|text| serde_json::from_str::<Value>(text).is_ok()), "{:?}", text);
            }
        }
    }
}

#[test]
fn a_row_can_be_appended_as_it_is() {
    let row = kms("Decrypt", json!({"resources": [{"ARN": KEY}]}));
    assert_eq!(columns(&row).get("key_arn").map(String::as_str), Some(KEY));
}
