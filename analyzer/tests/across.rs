//! Records that speak of records elsewhere: corrections and the two records of a cross-account call. How many are counted
//! must not depend on which rows happen to share a partition.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::fs;

use keytrail::pipeline::{Progress, ScanOptions, scan};
use keytrail::report::Report;
use serde_json::{Value, json};

const OWNER: &str = "111122223333";
const CALLER: &str = "444455556666";

struct Silent;

impl Progress for Silent {}

fn key(number: u32) -> String {
    format!("arn:aws:kms:eu-west-1:{OWNER}:key/00000000-0000-4000-8000-{number:012}")
}

fn decrypt(id: &str, log: &str, time: &str, key: Option<&str>, more: &[(&str, Value)]) -> Value {
    let mut record = json!({
        "eventVersion": "1.08",
        "userIdentity": {
            "type": "AssumedRole",
            "arn": format!("arn:aws:sts::{CALLER}:assumed-role/app/one"),
            "accountId": CALLER,
            "sessionContext": {"sessionIssuer": {"type": "Role", "arn": format!("arn:aws:iam::{CALLER}:role/app")}},
        },
        "eventTime": time,
        "eventSource": "kms.amazonaws.com",
        "eventName": "Decrypt",
        "awsRegion": "eu-west-1",
        "sourceIPAddress": "203.0.113.7",
        "requestParameters": {"encryptionAlgorithm": "SYMMETRIC_DEFAULT"},
        "eventID": id,
        "readOnly": true,
        "eventType": "AwsApiCall",
        "recipientAccountId": log,
    });
    if let Some(key) = key {
        record["resources"] = json!([{"accountId": OWNER, "type": "AWS::KMS::Key", "ARN": key}]);
    }
    for (name, value) in more {
        record[*name] = value.clone();
    }
    record
}

fn updated(original: &str) -> (&'static str, Value) {
    ("addendum", json!({"reason": "UPDATED_DATA", "updatedFields": "eventTime", "originalEventID": original}))
}

fn run(records: &[Value], threads: usize, memory: u64) -> Report {
    let folder = tempfile::tempdir().unwrap();
    for (number, record) in records.iter().enumerate() {
        fs::write(folder.path().join(format!("{number:03}.json")), json!({"Records": [record]}).to_string()).unwrap();
    }
    let options = ScanOptions {
        memory,
        threads: Some(threads),
        ..ScanOptions::new(vec![folder.path().to_string_lossy().into_owned()], keytrail::config::Settings::default())
    };
    scan(&options, &Silent).unwrap()
}

/// In whatever order the records come, and however they are partitioned, so many are counted.
fn counts(records: &[Value], kms: u64, duplicates: u64) {
    let reversed: Vec<Value> = records.iter().rev().cloned().collect();
    for records in [records, &reversed] {
        for threads in [1, 2] {
            for memory in [1024, 1 << 30] {
                let coverage = run(records, threads, memory).coverage;
                let counted = (coverage.records.kms, coverage.records.duplicates);
                assert_eq!(counted, (kms, duplicates), "{threads} threads, {memory} bytes");
            }
        }
    }
}

#[test]
fn a_correction_replaces_its_event_on_another_day() {
    let records: Vec<Value> = (0..8)
        .flat_map(|number| {
            let (id, correction) = (format!("original-{number}"), format!("correction-{number}"));
            let moved = format!("2026-09-1{number}T00:00:00Z");
            [
                decrypt(&id, OWNER, "2026-09-01T23:59:59Z", Some(&key(number)), &[]),
                decrypt(&correction, OWNER, &moved, Some(&key(number)), &[updated(&id)]),
            ]
        })
        .collect();
    counts(&records, 8, 8);
}

#[test]
fn a_correction_without_the_key_replaces_its_event() {
    let records: Vec<Value> = (0..8)
        .flat_map(|number| {
            let (id, correction) = (format!("original-{number}"), format!("correction-{number}"));
            [
                decrypt(&id, OWNER, "2026-09-01T12:00:00Z", Some(&key(number)), &[]),
                decrypt(&correction, OWNER, "2026-09-01T12:00:00Z", None, &[updated(&id)]),
            ]
        })
        .collect();
    counts(&records, 8, 8);
}

#[test]
fn a_correction_in_another_log_replaces_nothing() {
    let records = [
        decrypt("one", OWNER, "2026-09-01T12:00:00Z", Some(&key(1)), &[]),
        decrypt("two", CALLER, "2026-09-01T12:00:00Z", Some(&key(1)), &[updated("one")]),
    ];
    counts(&records, 2, 0);
}

#[test]
fn a_correction_never_replaces_itself() {
    let alone = [decrypt("one", OWNER, "2026-09-01T12:00:00Z", Some(&key(1)), &[updated("one")])];
    counts(&alone, 1, 0);
    let same_time = [
        decrypt("one", OWNER, "2026-09-01T12:00:00Z", Some(&key(1)), &[]),
        decrypt("one", OWNER, "2026-09-01T12:00:00Z", Some(&key(2)), &[updated("one")]),
    ];
    counts(&same_time, 1, 1);
    let moved = [
        decrypt("one", OWNER, "2026-09-01T12:00:00Z", Some(&key(1)), &[]),
        decrypt("one", OWNER, "2026-09-03T12:00:00Z", None, &[updated("one")]),
        decrypt("one", OWNER, "2026-09-03T12:00:00Z", None, &[updated("one")]),
    ];
    counts(&moved, 1, 2);
}

#[test]
fn a_record_without_the_key_gives_way_to_its_twin_with_the_key() {
    let records: Vec<Value> = (0..8)
        .flat_map(|number| {
            let (one, two) = (format!("caller-{number}"), format!("owner-{number}"));
            let shared = ("sharedEventID", json!(format!("shared-{number}")));
            let time = format!("2026-09-1{number}T12:00:00Z");
            [
                decrypt(&one, CALLER, &time, None, std::slice::from_ref(&shared)),
                decrypt(&two, OWNER, &time, Some(&key(number)), std::slice::from_ref(&shared)),
            ]
        })
        .collect();
    counts(&records, 8, 8);
}

#[test]
fn of_twins_without_a_key_one_stays() {
    let shared = ("sharedEventID", json!("shared"));
    let records = [
        decrypt("one", CALLER, "2026-09-01T12:00:00Z", None, std::slice::from_ref(&shared)),
        decrypt("two", OWNER, "2026-09-01T12:00:00Z", None, std::slice::from_ref(&shared)),
    ];
    counts(&records, 1, 1);
}
