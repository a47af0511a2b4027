//! `keytrail explain` through the real binary.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

#[allow(dead_code, reason = "shared with tests that need more of it")]
#[path = "support/run.rs"]
mod run;

use std::path::Path;

use run::{ingest, keytrail, run, scan};
use serde_json::Value;

const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/sample");

fn explain(args: &[&str]) -> run::Done {
    let mut command = keytrail("explain");
    command.args(args);
    run(command)
}

fn finding(rule: &str) -> Value {
    let document = scan(&[SAMPLE], &[]).ended(0).json();
    document["findings"].as_array().unwrap().iter().find(|finding| finding["rule"] == rule).unwrap().clone()
}

/// Copies a folder, so that a test may take files away.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target)
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn every_record_of_the_evidence_is_shown_as_it_was_written() {
    let finding = finding("disabled-key-failure");
    let document = explain(&[finding["id"].as_str().unwrap(), SAMPLE]).ended(0).json();
    assert_eq!(document["schema"], "keytrail.explain/1");
    assert_eq!(document["finding"], finding);
    let records = document["records"].as_array().unwrap();
    assert_eq!(records.len(), finding["evidence"].as_array().unwrap().len());
    for (record, evidence) in records.iter().zip(finding["evidence"].as_array().unwrap()) {
        assert_eq!(record["raw"]["eventID"], evidence["event_id"]);
        assert_eq!(record["raw"]["eventName"], evidence["event_name"]);
        assert_eq!(record["problem"], Value::Null);
    }
    assert!(
        !document["related"].as_array().unwrap().is_empty(),
        "who disabled the key is a finding of the same incident"
    );
}

/// What the output tells people to type does what it says, where the tools are there.
#[test]
fn the_command_by_hand_finds_the_same_record() {
    let has =
        |tool: &str| std::process::Command::new(tool).arg("--version").output().is_ok_and(|out| out.status.success());
    if !has("jq") || !has("gunzip") {
        println!("skipped: jq or gunzip is not there");
        return;
    }
    let finding = finding("key-disabled");
    let document = explain(&[finding["id"].as_str().unwrap(), SAMPLE]).ended(0).json();
    let record = &document["records"][0];
    let command = record["commands"][0].as_str().unwrap();
    let out = std::process::Command::new("sh").args(["-c", command]).output().unwrap();
    let shown: Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(shown, record["raw"], "{command}");
}

#[test]
fn the_first_digits_of_an_id_are_enough_and_a_lake_leads_to_the_records() {
    let finding = finding("key-disabled");
    let folder = tempfile::tempdir().unwrap();
    let lake = folder.path().join("lake");
    ingest(&[SAMPLE], &lake, &[]).ended(0);
    let short = &finding["id"].as_str().unwrap()[..8];
    let from_logs = explain(&[short, SAMPLE]).ended(0).json();
    let from_lake = explain(&[short, lake.to_str().unwrap()]).ended(0).json();
    assert_eq!(from_logs["records"], from_lake["records"]);
}

#[test]
fn a_record_that_is_gone_is_said_and_ends_with_4() {
    let finding = finding("key-disabled");
    let folder = tempfile::tempdir().unwrap();
    let (logs, lake) = (folder.path().join("logs"), folder.path().join("lake"));
    copy(SAMPLE.as_ref(), &logs);
    ingest(&[&logs], &lake, &[]).ended(0);
    std::fs::remove_dir_all(&logs).unwrap();
    let done = explain(&[finding["id"].as_str().unwrap(), lake.to_str().unwrap()]).ended(4);
    let document = done.json();
    assert!(document["records"][0]["problem"].is_string() && document["records"][0]["raw"].is_null());
    assert!(!document["records"][0]["commands"].as_array().unwrap().is_empty());
}

/// Whoever can write to the place of the logs can put another record there: it must not pass for evidence.
#[test]
fn a_record_that_was_replaced_is_no_evidence() {
    let finding = finding("key-disabled");
    let folder = tempfile::tempdir().unwrap();
    let (logs, lake) = (folder.path().join("logs"), folder.path().join("lake"));
    copy(SAMPLE.as_ref(), &logs);
    ingest(&[&logs], &lake, &[]).ended(0);
    let id = finding["id"].as_str().unwrap();
    let document = explain(&[id, lake.to_str().unwrap()]).ended(0).json();
    let record = &document["records"][0];
    let forged: Vec<Value> = (0..64)
        .map(|n| {
            let mut raw = record["raw"].clone();
            raw["eventID"] = format!("00000000-0000-4000-8000-{n:012}").into();
            raw
        })
        .collect();
    std::fs::write(record["object"].as_str().unwrap(), serde_json::json!({ "Records": forged }).to_string()).unwrap();
    let document = explain(&[id, lake.to_str().unwrap()]).ended(4).json();
    assert_eq!(document["records"][0]["problem"], "another record stands there now");
    assert_eq!(document["records"][0]["raw"], Value::Null);
}

#[test]
fn wrong_ids_are_refused() {
    explain(&["abc", SAMPLE]).ended(2);
    explain(&["not-an-id", SAMPLE]).ended(2);
    explain(&["ffffffffffffffffffffffffffffffff", SAMPLE]).ended(3);
}
