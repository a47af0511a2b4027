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
const ALL: &str = "grants,resources,snapshots,backups,client-ciphertext";

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
    assert_eq!((document["verdict"].as_str(), reasons(&document).len()), (Some("UNKNOWN"), 4), "{document}");
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

#[test]
fn a_key_that_kms_is_about_to_delete_is_told_with_the_date_and_what_cancels_it() {
    let folder = tempfile::tempdir().unwrap();
    let arn = key_arn(KEY);
    let ops = || role("ops", "alice");
    let scheduled = at("2026-04-20T00:00:00Z");
    let disabled = kms::on_key("DisableKey", &arn).by(ops()).at(at("2026-01-03T00:00:00Z")).nth(2);
    let deletion = || kms::schedule_deletion(&arn, scheduled, 30).by(ops()).at(scheduled).nth(3);
    let source = log(folder.path(), 120, vec![deletion()]);
    let document = retire(&source, &["--key", KEY, "--attest", ALL]).ended(10).json();
    let key = &document["keys"][0];
    assert_eq!(reasons(&document), ["soak"]);
    let text = key["reasons"][0]["text"].as_str().unwrap();
    assert!(text.contains("KMS deletes it at 2026-05-20 00:00 UTC, before they are over"), "{text}");
    assert_eq!(key["deletion"]["date"], "2026-05-20T00:00:00Z");
    let cancel = format!("aws kms cancel-key-deletion --region eu-west-1 --key-id {arn}");
    assert_eq!(key["deletion"]["cancel"], cancel);
    let page = |source: &Path, code| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_keytrail"));
        command.env_clear().args(["retire", "--quiet", "--key", KEY, "--attest", ALL]).arg(source);
        String::from_utf8(run(command).ended(code).out).unwrap()
    };
    let text = page(&source, 10);
    assert!(
        text.contains("KMS deletes it at 2026-05-20 00:00:00 UTC") && text.contains("cancel-key-deletion"),
        "{text}"
    );
    assert!(text.contains(&format!("keytrail retire --key {KEY} ")), "{text}");
    // It was off long before it was scheduled: nothing is to be cancelled.
    let source = log(folder.path(), 120, vec![disabled, deletion()]);
    let document = retire(&source, &["--key", KEY, "--attest", ALL]).ended(0).json();
    assert_eq!(document["keys"][0]["off_since"], "2026-01-03T00:00:00Z");
    assert!(!page(&source, 0).contains("cancel-key-deletion"));
}

#[test]
fn grants_of_one_grantee_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let arn = key_arn(KEY);
    let grants = ["arn:aws:iam::111122223333:role/backup", "arn:aws:iam::111122223333:role/asg"];
    let mut records = vec![kms::on_key("DisableKey", &arn).by(role("ops", "a")).at(at("2026-01-03T00:00:00Z")).nth(2)];
    for nth in 0..9 {
        let grant = kms::Grant::new(grants[usize::from(nth == 0)], &["Decrypt"]);
        let record = kms::create_grant(&arn, &format!("{nth:064x}"), &grant).by(role("ops", "a"));
        records.push(record.at(at("2026-01-02T00:00:00Z")).nth(100 + nth));
    }
    let source = log(folder.path(), 120, records);
    let document = retire(&source, &["--key", KEY, "--attest", ALL]).ended(10).json();
    let text = document["keys"][0]["reasons"][0]["text"].as_str().unwrap();
    assert_eq!(text, format!("9 grants still open: {} (8 grants), {}", grants[0], grants[1]));
    assert_eq!(document["keys"][0]["open_grants"].as_array().unwrap().len(), 2);
}
