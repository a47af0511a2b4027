//! `keytrail keys` through the real binary.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

#[allow(dead_code, reason = "shared with tests that need more of it")]
#[path = "support/run.rs"]
mod run;

use run::{ingest, keytrail, run};
use serde_json::Value;

const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/sample");

fn keys(args: &[&str]) -> run::Done {
    let mut command = keytrail("keys");
    command.args(args);
    run(command)
}

fn named<'d>(document: &'d Value, alias: &str) -> &'d Value {
    let has = |key: &&Value| key["aliases"].as_array().unwrap().iter().any(|name| name == alias);
    document["keys"].as_array().unwrap().iter().find(has).unwrap()
}

#[test]
fn the_sample_is_told_key_by_key() {
    let document = keys(&[SAMPLE]).ended(0).json();
    assert_eq!(document["schema"], "keytrail.keys/1");
    let archive = named(&document, "alias/archive");
    assert_eq!(archive["state"], "PendingDeletion");
    assert_eq!(archive["state_since"], "2026-09-09T09:20:00Z");
    assert_eq!(archive["failures"], 39);
    assert_eq!(archive["cost"]["key_month"], "0.000000", "a key that waits for its deletion costs nothing");
    let payments = named(&document, "alias/payments");
    assert_eq!(payments["state"], "Enabled");
    assert!(payments["uses"].as_u64().unwrap() > 0 && payments["last_use"].is_string());
    assert!(!payments["principals"]["top"].as_array().unwrap().is_empty());
    assert!(!payments["resources"]["top"].as_array().unwrap().is_empty());
    for key in document["keys"].as_array().unwrap() {
        assert!(
            key["created"].is_string() || key["rotation"]["since"].is_string() || key["rotation"]["automatic"] != "off",
            "{key}"
        );
    }
}

#[test]
fn a_lake_and_any_memory_say_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let lake = folder.path().join("lake");
    ingest(&[SAMPLE], &lake, &[]).ended(0);
    let logs = keys(&[SAMPLE]).ended(0);
    let stored = keys(&[lake.to_str().unwrap()]).ended(0);
    let small = keys(&[SAMPLE, "--memory", "64KiB", "--threads", "1"]).ended(0);
    run::assert_same("lake", &logs, &stored);
    run::assert_same("memory", &logs, &small);
}

#[test]
fn rows_and_text_have_every_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.csv");
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_keytrail"));
    command.env_clear().args(["keys", SAMPLE, "--quiet", "--output"]).arg(&path);
    run(command).ended(0);
    let mut reader = csv::Reader::from_path(&path).unwrap();
    let arns: Vec<String> = reader.records().map(|row| row.unwrap()[3].to_string()).collect();
    let document = keys(&[SAMPLE]).json();
    let expected: Vec<&str> =
        document["keys"].as_array().unwrap().iter().map(|key| key["arn"].as_str().unwrap()).collect();
    assert_eq!(arns, expected);
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_keytrail"));
    command.env_clear().args(["keys", SAMPLE]);
    let text = String::from_utf8(run(command).ended(0).out).unwrap();
    for arn in expected.iter().take(25) {
        assert!(text.contains(arn), "{arn}");
    }
}

#[test]
fn hostile_logs_cannot_act_and_exit_codes_hold() {
    let hostile = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/hostile");
    for format in ["text", "json", "csv"] {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_keytrail"));
        command.env_clear().args(["keys", hostile, "--quiet", "--format", format]);
        let done = run(command).ended(4);
        let text = String::from_utf8(done.out).unwrap();
        assert!(!text.contains(|c: char| c.is_control() && c != '\n' && c != '\r'), "{format}");
    }
    keys(&["no-such-file.json"]).ended(3);
    keys(&[SAMPLE, "--account", "12"]).ended(2);
}
