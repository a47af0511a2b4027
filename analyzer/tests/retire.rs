//! `keytrail retire` through the real binary, on logs made for it.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

#[allow(dead_code, reason = "shared with tests that need more of it")]
#[path = "support/run.rs"]
mod run;

use std::path::Path;

use keytrail_fixtures::{Record, Time, key_arn, kms, role};
use run::{keytrail, run};
use serde_json::{Value, json};

const KEY: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";
const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/sample");
const ALL: &str = "resources,snapshots,backups,client-ciphertext";

fn retire(source: &Path, args: &[&str]) -> run::Done {
    let mut command = keytrail("retire");
    command.arg(source).args(args);
    run(command)
}

/// Writes a log in which another key is used every hour, so that no hour is without a log; `about` is the key in question.
fn log(folder: &Path, days: i64, about: Vec<Record>) -> std::path::PathBuf {
    let start = at("2026-01-01T00:00:00Z");
    let busy = key_arn("9999abcd-12ab-34cd-56ef-1234567890ab");
    let mut records: Vec<Value> = about.iter().map(Record::value).collect();
    for hour in 0..days * 24 {
        let record =
            kms::generate_data_key(&busy).by(role("app", "session")).at(start + hour * 3600).nth(10_000 + hour as u64);
        records.push(record.value());
    }
    let path = folder.join("log.json");
    std::fs::write(&path, json!({ "Records": records }).to_string()).unwrap();
    path
}

fn at(text: &str) -> Time {
    Time::parse(text).unwrap()
}

fn reasons(document: &Value) -> Vec<String> {
    let reasons = document["keys"][0]["reasons"].as_array().unwrap();
    reasons.iter().map(|reason| reason["kind"].as_str().unwrap().to_string()).collect()
}

#[test]
fn a_key_is_safe_only_when_it_was_off_long_enough_and_somebody_vouches_for_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let arn = key_arn(KEY);
    let about = |extra: Vec<Record>| {
        let mut records = vec![
            Record::kms("Decrypt").key(&arn).by(role("app", "session")).at(at("2026-01-02T00:00:00Z")).nth(1),
            kms::on_key("DisableKey", &arn).by(role("ops", "alice")).at(at("2026-01-03T00:00:00Z")).nth(2),
        ];
        records.extend(extra);
        records
    };
    let source = log(folder.path(), 120, about(Vec::new()));
    let document = retire(&source, &["--key", KEY, "--attest", ALL]).ended(0).json();
    assert_eq!((document["schema"].as_str(), document["verdict"].as_str()), (Some("keytrail.retire/1"), Some("SAFE")));
    // Without anybody's word for what leaves no events, nobody can know.
    let document = retire(&source, &["--key", KEY]).ended(4).json();
    assert_eq!((document["verdict"].as_str(), reasons(&document).len()), (Some("UNKNOWN"), 3), "{document}");
    // Not long enough.
    let document = retire(&source, &["--key", KEY, "--attest", ALL, "--soak", "300"]).ended(10).json();
    assert_eq!(reasons(&document)[0], "soak");
    // Somebody still asks for it.
    let failed = Record::kms("Decrypt").key(&arn).by(role("report", "monthly")).at(at("2026-04-01T00:00:00Z")).nth(3);
    let failed = failed.fails_disabled(&arn);
    let source = log(folder.path(), 120, about(vec![failed]));
    let document = retire(&source, &["--key", KEY, "--attest", ALL]).ended(10).json();
    assert_eq!(reasons(&document), ["failures"], "{document}");
}

#[test]
fn the_sample_is_never_safe_and_wrong_questions_are_refused() {
    let sample = Path::new(SAMPLE);
    let document = retire(sample, &["--key", "alias/archive", "--attest", ALL]).ended(10).json();
    let kinds = reasons(&document);
    assert!(kinds.contains(&"soak".to_string()) && kinds.contains(&"failures".to_string()), "{kinds:?}");
    retire(sample, &["--key", "alias/payments", "--attest", ALL]).ended(10);
    retire(sample, &["--key", "no-such-key"]).ended(3);
    retire(sample, &["--key", "alias/archive", "--attest", "everything"]).ended(2);
    retire(sample, &[]).ended(2);
}
