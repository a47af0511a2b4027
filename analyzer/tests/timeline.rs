//! `keytrail timeline` through the real binary.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

#[allow(dead_code, reason = "shared with tests that need more of it")]
#[path = "support/run.rs"]
mod run;

use run::{ingest, keytrail, run};
use serde_json::Value;

const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/sample");
const PAYMENTS: &str = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

fn timeline(args: &[&str]) -> run::Done {
    let mut command = keytrail("timeline");
    command.args(args);
    run(command)
}

fn text(args: &[&str]) -> String {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_keytrail"));
    command.env_clear().arg("timeline").args(args).arg("--quiet");
    String::from_utf8(run(command).ended(0).out).unwrap()
}

fn entries(document: &Value) -> Vec<&Value> {
    document["keys"].as_array().unwrap().iter().flat_map(|key| key["entries"].as_array().unwrap()).collect()
}

/// The night in which the key was off, as a person would tell it.
#[test]
fn the_night_of_the_sample_is_told_in_order() {
    let night =
        text(&[SAMPLE, "--key", "alias/payments", "--from", "2026-09-08T02:00:00Z", "--to", "2026-09-08T05:00:00Z"]);
    let story = night.split("Looked at").next().unwrap();
    insta::assert_snapshot!(story);
}

#[test]
fn a_key_is_found_by_every_name_it_has() {
    let by_arn = timeline(&[SAMPLE, "--key", PAYMENTS]).ended(0).json();
    assert_eq!(by_arn["schema"], "keytrail.timeline/1");
    assert_eq!(by_arn["keys"][0]["arn"], PAYMENTS);
    for name in [
        "alias/payments",
        "payments",
        "1234abcd-12ab-34cd-56ef-1234567890ab",
        "arn:aws:kms:eu-west-1:111122223333:alias/payments",
    ] {
        let document = timeline(&[SAMPLE, "--key", name]).ended(0).json();
        assert_eq!(document["keys"], by_arn["keys"], "{name}");
    }
    // The same alias in another Region is another key.
    timeline(&[SAMPLE, "--key", "arn:aws:kms:us-east-2:111122223333:alias/payments"]).ended(3);
}

#[test]
fn every_use_and_failure_of_the_key_is_in_its_story() {
    let mut scan = keytrail("keys");
    scan.arg(SAMPLE);
    let keys = run(scan).ended(0).json();
    let row = keys["keys"].as_array().unwrap().iter().find(|key| key["arn"] == PAYMENTS).unwrap();
    let document = timeline(&[SAMPLE, "--key", PAYMENTS]).ended(0).json();
    let of = |kinds: &[&str]| -> u64 {
        let told = entries(&document).into_iter().filter(|entry| kinds.contains(&entry["kind"].as_str().unwrap()));
        told.filter(|entry| entry["operations"][0]["name"] != "DescribeKey")
            .map(|entry| entry["count"].as_u64().unwrap())
            .sum()
    };
    assert_eq!(row["uses"].as_u64().unwrap(), of(&["use"]));
    assert_eq!(row["failures"].as_u64().unwrap(), of(&["failure"]));
}

#[test]
fn a_resource_leads_to_its_key_its_users_and_its_failures() {
    let document = timeline(&[SAMPLE, "--resource", "vol-0a1b2c3d4e5f60718"]).ended(0).json();
    assert_eq!(document["keys"][0]["arn"], PAYMENTS);
    let resource = &document["keys"][0]["resources"][0];
    assert!(
        resource["name"].as_str().unwrap().ends_with("vol-0a1b2c3d4e5f60718") && resource["uses"].as_u64().unwrap() > 0
    );
    let told: Vec<&str> = entries(&document).into_iter().map(|entry| entry["what"].as_str().unwrap()).collect();
    assert!(told.iter().any(|what| what.contains("AttachVolume")), "{told:?}");
    assert!(told.contains(&"disabled") && told.contains(&"enabled"), "{told:?}");
    assert!(!told.iter().any(|what| what.contains("secret")), "the failures of others are not its story: {told:?}");
    timeline(&[SAMPLE, "--resource", "vol-0000"]).ended(3);
}

#[test]
fn a_lake_tells_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let lake = folder.path().join("lake");
    ingest(&[SAMPLE], &lake, &[]).ended(0);
    let from_logs = timeline(&[SAMPLE, "--key", "payments"]).ended(0).json();
    let from_lake = timeline(&[lake.to_str().unwrap(), "--key", "payments"]).ended(0).json();
    assert_eq!(from_logs["keys"], from_lake["keys"]);
}

#[test]
fn hostile_logs_cannot_act_and_wrong_questions_are_refused() {
    let hostile = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/hostile");
    let mut keys = keytrail("keys");
    keys.arg(hostile);
    let keys = run(keys).ended(4).json();
    let arns: Vec<&str> = keys["keys"].as_array().unwrap().iter().map(|key| key["arn"].as_str().unwrap()).collect();
    assert!(!arns.is_empty());
    for (arn, format) in arns.iter().flat_map(|arn| [(arn, "text"), (arn, "json")]) {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_keytrail"));
        command.env_clear().args(["timeline", hostile, "--key", arn, "--quiet", "--format", format]);
        let text = String::from_utf8(run(command).ended(4).out).unwrap();
        assert!(
            !text.is_empty() && !text.contains(|c: char| c.is_control() && c != '\n' && c != '\r'),
            "{arn} {format}"
        );
    }
    timeline(&[SAMPLE]).ended(2);
    timeline(&[SAMPLE, "--key", "a", "--resource", "b"]).ended(2);
    timeline(&[SAMPLE, "--key", " "]).ended(2);
}
