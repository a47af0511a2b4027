//! Snapshots of AWS Config, packed files and pipes as inventories.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use keytrail_fixtures::gzip;
use serde_json::{Value, json};

use super::{Answers, SAMPLE, keytrail, row, run};

const ID: &str = "7a6b5c4d-3e2f-4a1b-9c8d-0e1f2a3b4c5d";
const ARN: &str = "arn:aws:kms:eu-west-1:111122223333:key/7a6b5c4d-3e2f-4a1b-9c8d-0e1f2a3b4c5d";

/// As AWS Config delivers it to a bucket.
fn snapshot() -> Value {
    json!({"fileVersion": "1.0", "configSnapshotId": "5a4b3c2d", "configurationItems": [
        {"resourceType": "AWS::S3::Bucket", "configurationItemCaptureTime": "2026-12-01T00:00:00Z", "configuration": {"name": "b"}},
        {
            "resourceType": "AWS::KMS::Key", "configurationItemStatus": "OK", "ARN": ARN, "tags": {},
            "configurationItemCaptureTime": "2026-11-30T12:34:56.789Z",
            "configuration": {
                "arn": ARN, "keyId": ID, "keyState": "Disabled", "keyManager": "CUSTOMER", "origin": "AWS_KMS",
                "keyUsage": "ENCRYPT_DECRYPT", "customerMasterKeySpec": "SYMMETRIC_DEFAULT", "creationDate": "2024-02-03T04:05:06.789Z",
            },
            "supplementaryConfiguration": {"KeyRotationStatus": true, "KeyPolicy": "{\"Statement\":[]}"},
        },
        {
            "resourceType": "AWS::KMS::Alias", "configurationItemStatus": "OK", "configurationItemCaptureTime": "2026-11-30T00:00:00Z",
            "ARN": "arn:aws:kms:eu-west-1:111122223333:alias/recorded",
            "configuration": {"AliasName": "alias/recorded", "TargetKeyId": ID},
        },
    ]})
}

#[test]
fn a_packed_snapshot_counts_for_the_times_at_which_config_asked() {
    let answers = Answers::new();
    let path =
        answers.folder.path().join("111122223333_Config_eu-west-1_ConfigSnapshot_20261201T000000Z_5a4b3c2d.json.gz");
    fs::write(&path, gzip(snapshot().to_string().as_bytes(), 6)).unwrap();
    let document = keytrail("keys", &[SAMPLE, "--inventory", answers.path()]).ended(0).json();
    let key = row(&document, ARN);
    assert_eq!((&key["state"], &key["state_captured_at"]), (&json!("Disabled"), &json!("2026-11-30T12:34:56.789Z")));
    assert_eq!((&key["aliases"], &key["rotation"]["automatic"]), (&json!(["alias/recorded"]), &json!("on")));
    let told = &key["inventory"];
    assert_eq!(told["grants"], Value::Null, "AWS Config records none");
    assert!(told["policy"]["source"].as_str().unwrap().ends_with("recorded by AWS Config"), "{told}");
    // Before Config asked, nothing but what a key is.
    let document = keytrail("keys", &[SAMPLE, "--inventory", answers.path(), "--as-of", "2026-10-01"]).ended(0).json();
    let key = row(&document, ARN);
    assert_eq!((&key["state"], &key["spec"]), (&json!("unknown"), &json!("SYMMETRIC_DEFAULT")));
}

#[test]
fn a_damaged_or_swollen_file_is_told_and_costs_only_itself() {
    let answers = Answers::new();
    answers.write("good.json", 1_796_083_200, &snapshot());
    let packed = gzip(snapshot().to_string().as_bytes(), 6);
    fs::write(answers.folder.path().join("cut.json.gz"), &packed[..packed.len() / 2]).unwrap();
    // 257 MiB of blanks in a few hundred kilobytes.
    let member = gzip(&vec![b' '; 1 << 20], 6);
    fs::write(answers.folder.path().join("bomb.json.gz"), member.repeat(257)).unwrap();
    let document = keytrail("keys", &[SAMPLE, "--inventory", answers.path()]).ended(4).json();
    assert_eq!(row(&document, ARN)["state"], "Disabled");
    let misread = document["coverage"]["inventory"]["misread"].as_array().unwrap();
    let reasons: Vec<&str> = misread.iter().map(|one| one["reason"].as_str().unwrap()).collect();
    assert_eq!(reasons.len(), 2, "{reasons:?}");
    assert!(reasons.iter().any(|reason| reason.contains("larger than 256 MiB")), "{reasons:?}");
}

/// What comes through a pipe, as of `--inventory <(zcat snapshot.json.gz)`.
fn piped(document: &Value) -> run::Done {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keytrail"));
    command.env_clear().args(["keys", "--format", "json", "--quiet", SAMPLE, "--inventory", "/dev/stdin"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(document.to_string().as_bytes()).unwrap();
    run::Done::of(child.wait_with_output().unwrap())
}

#[test]
fn a_pipe_is_read_once_and_has_no_time_of_its_own() {
    let document = piped(&snapshot()).ended(0).json();
    assert_eq!(row(&document, ARN)["state_captured_at"], "2026-11-30T12:34:56.789Z");
    // What the CLI prints does not say when KMS said it.
    let done = piped(&json!({"KeyMetadata": {"Arn": ARN, "KeyState": "Disabled"}})).ended(4);
    let misread = &done.json()["coverage"]["inventory"]["misread"];
    assert!(misread[0]["reason"].as_str().unwrap().contains("save it to a file"), "{misread}");
}
