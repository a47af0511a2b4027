//! `keytrail retire --inventory`: what KMS said joins the verdict, counts from when it was said, and never makes a key safe by
//! what it leaves out.

use std::fs;

use keytrail_fixtures::{Record, Time, key_arn, kms, role};
use serde_json::{Value, json};

use super::{Answers, keytrail};

const KEY: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";
const FOREIGN: &str = "arn:aws:iam::444455556666:role/partner";
/// All that leaves no events, but for grants from before the log.
const REST: &str = "resources,snapshots,backups,client-ciphertext";
/// The log is of 2026-01-01 to 2026-04-30.
const DAYS: i64 = 120;

/// Seconds since the epoch.
fn at(text: &str) -> u64 {
    u64::try_from(Time::parse(text).unwrap().epoch()).unwrap()
}

/// A log in which another key is used every hour, a key that is used until it is disabled on 3 January, if it is, and
/// answers of KMS beside it.
struct Case {
    answers: Answers,
    arn: String,
}

impl Case {
    fn new(disabled: bool) -> Self {
        let (answers, arn) = (Answers::new(), key_arn(KEY));
        let time = |text| Time::parse(text).unwrap();
        let mut about = vec![kms::decrypt(&arn).by(role("app", "s")).at(time("2026-01-02T00:00:00Z")).nth(1)];
        if disabled {
            about.push(kms::disable_key(&arn).by(role("ops", "alice")).at(time("2026-01-03T00:00:00Z")).nth(2));
        }
        let busy = key_arn("9999abcd-12ab-34cd-56ef-1234567890ab");
        let start = time("2026-01-01T00:00:00Z");
        about.extend((0..DAYS * 24).map(|hour| {
            kms::generate_data_key(&busy).by(role("app", "s")).at(start + hour * 3600).nth(10_000 + hour as u64)
        }));
        let records: Vec<Value> = about.iter().map(Record::value).collect();
        // Hidden from the walk through the answers.
        fs::write(answers.folder.path().join(".log.json"), json!({ "Records": records }).to_string()).unwrap();
        Self { answers, arn }
    }

    fn describe(&self, when: &str, state: &str, deletion: Option<&str>) -> &Self {
        let mut metadata = json!({
            "Arn": self.arn, "KeyState": state, "KeySpec": "SYMMETRIC_DEFAULT", "KeyUsage": "ENCRYPT_DECRYPT",
            "Origin": "AWS_KMS", "KeyManager": "CUSTOMER", "CreationDate": "2024-02-03T04:05:06Z", "MultiRegion": false,
        });
        if let Some(date) = deletion {
            metadata["DeletionDate"] = json!(date);
        }
        self.answers.write("describe.json", at(when), &json!({ "KeyMetadata": metadata }));
        self
    }

    fn grants(&self, when: &str, grantees: &[&str]) -> &Self {
        let grant = |(nth, grantee): (usize, &&str)| {
            json!({
                "KeyId": self.arn, "GrantId": format!("{nth:064x}"), "CreationDate": "2024-05-06T07:08:09Z",
                "GranteePrincipal": grantee, "IssuingAccount": "arn:aws:iam::111122223333:root", "Operations": ["Decrypt"],
            })
        };
        let grants: Vec<Value> = grantees.iter().enumerate().map(grant).collect();
        self.answers.write(&format!("{KEY}/grants.json"), at(when), &json!({ "Grants": grants }));
        self
    }

    /// The key, judged; `code` is how the run ends.
    fn judged(&self, attest: &str, code: i32) -> Value {
        let log = self.answers.folder.path().join(".log.json");
        let args = [log.to_str().unwrap(), "--key", KEY, "--attest", attest, "--inventory", self.answers.path()];
        keytrail("retire", &args).ended(code).json()["keys"][0].clone()
    }
}

fn kinds(key: &Value) -> Vec<&str> {
    key["reasons"].as_array().unwrap().iter().map(|reason| reason["kind"].as_str().unwrap()).collect()
}

fn text<'k>(key: &'k Value, kind: &str) -> &'k str {
    let reasons = key["reasons"].as_array().unwrap();
    reasons.iter().find(|reason| reason["kind"] == kind).unwrap()["text"].as_str().unwrap()
}

#[test]
fn grants_that_the_log_never_saw_hold_a_key() {
    let case = Case::new(true);
    case.describe("2026-04-29T00:00:00Z", "Disabled", None);
    // KMS was asked of everything but grants: those from before the log stay unknown.
    let key = case.judged(REST, 4);
    assert_eq!(kinds(&key), ["attest"]);
    assert!(text(&key, "attest").contains("(--attest grants)"), "{key}");
    assert_eq!(case.judged(&format!("grants,{REST}"), 0)["verdict"], "SAFE");
    // None was open, as KMS said before the log: what was made in between is unknown.
    case.grants("2025-12-01T00:00:00Z", &[]);
    assert!(text(&case.judged(REST, 4), "attest").contains("before the log starts"));
    case.grants("2026-04-29T00:00:00Z", &[]);
    assert_eq!(case.judged(REST, 0)["verdict"], "SAFE");
    case.grants("2026-04-29T00:00:00Z", &[FOREIGN, FOREIGN]);
    // Whoever vouches for the contrary is wrong.
    let key = case.judged(&format!("grants,{REST}"), 10);
    assert_eq!(kinds(&key), ["grants"]);
    let said = text(&key, "grants");
    assert!(said.contains(&format!("2 grants still open: {FOREIGN} (2 grants)")), "{said}");
    assert!(said.contains("only KMS told, at 2026-04-29 00:00 UTC"), "{said}");
    assert_eq!(key["open_grants"], json!([{"grantee": FOREIGN, "grants": 2, "not_in_log": 2}]));
    let grants = &key["inventory"]["grants"];
    assert_eq!(grants["captured_at"], "2026-04-29T00:00:00Z");
    assert!(grants["source"].as_str().unwrap().contains("grants.json"), "{grants}");
}

#[test]
fn a_refused_answer_is_no_answer() {
    let case = Case::new(true);
    case.describe("2026-04-29T00:00:00Z", "Disabled", None);
    let document = json!({
        "schema": "keytrail.inventory/1", "version": "0", "run": "2026-04-29T00:00:00.000Z", "account": "111122223333",
        "region": "eu-west-1", "answers": [], "refused": [{
            "call": "ListGrants", "key": case.arn, "captured_at": "2026-04-29T00:00:00.000Z", "reason": "access-denied",
            "detail": "not authorized",
        }],
    });
    case.answers.write("111122223333-eu-west-1.json", at("2026-04-29T00:00:00Z"), &document);
    let key = case.judged(REST, 4);
    assert!(text(&key, "attest").contains("did not list its grants at 2026-04-29 00:00 UTC: access-denied"), "{key}");
}

#[test]
fn a_state_of_another_time_is_the_later_word_or_a_hole_in_the_log() {
    // After the log: somebody enabled it since.
    let case = Case::new(true);
    case.describe("2026-05-20T00:00:00Z", "Enabled", None).grants("2026-05-20T00:00:00Z", &[]);
    let key = case.judged(REST, 10);
    assert_eq!((kinds(&key), &key["state_since"]), (vec!["not-disabled"], &Value::Null));
    assert!(text(&key, "not-disabled").contains("it is Enabled, as KMS said at 2026-05-20 00:00 UTC"), "{key}");
    assert_eq!(key["state_captured_at"], "2026-05-20T00:00:00Z");
    // Within the log, which should then show it.
    case.describe("2026-03-01T00:00:00Z", "Enabled", None);
    let key = case.judged(REST, 10);
    assert_eq!(kinds(&key), ["not-disabled", "contradiction"], "{key}");
    assert!(text(&key, "contradiction").contains("Disabled in the log, Enabled as KMS said"), "{key}");
    // Before it was disabled: both are right.
    case.describe("2026-01-02T12:00:00Z", "Enabled", None).grants("2026-04-29T00:00:00Z", &[]);
    assert_eq!(case.judged(REST, 0)["verdict"], "SAFE");
}

#[test]
fn what_kms_said_counts_from_when_it_was_said() {
    let case = Case::new(false);
    case.grants("2026-04-29T00:00:00Z", &[]).describe("2026-04-20T00:00:00Z", "Disabled", None);
    let key = case.judged(REST, 10);
    assert_eq!(kinds(&key), ["soak"], "{key}");
    let soak = text(&key, "soak");
    assert!(soak.contains("KMS said at 2026-04-20 00:00 UTC that it is off"), "{soak}");
    assert!(soak.ends_with("wait until 2026-07-19 00:00 UTC"), "{soak}");
    case.describe("2026-01-15T00:00:00Z", "Disabled", None);
    assert_eq!(case.judged(REST, 0)["off_since"], "2026-01-15T00:00:00Z");
}

#[test]
fn the_date_of_deletion_is_that_of_kms() {
    let case = Case::new(true);
    case.grants("2026-05-05T00:00:00Z", &[]);
    case.describe("2026-05-05T00:00:00Z", "PendingDeletion", Some("2026-05-12T00:00:00Z"));
    // Off for long enough: it may go, and does.
    let key = case.judged(REST, 0);
    assert_eq!(
        (&key["off_since"], &key["deletion"]["date"]),
        (&json!("2026-01-03T00:00:00Z"), &json!("2026-05-12T00:00:00Z"))
    );
    assert_eq!(key["deletion"]["captured_at"], "2026-05-05T00:00:00Z");
    case.grants("2026-05-05T00:00:00Z", &[FOREIGN]);
    let log = case.answers.folder.path().join(".log.json");
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_keytrail"));
    command.env_clear().args(["retire", "--quiet", "--key", KEY, "--inventory", case.answers.path()]).arg(log);
    let page = String::from_utf8(super::run::run(command).ended(10).out).unwrap();
    assert!(
        page.contains("PendingDeletion, as KMS said at 2026-05-05") && page.contains("cancel-key-deletion"),
        "{page}"
    );
}

#[test]
fn a_key_that_kms_does_not_list_is_gone() {
    let case = Case::new(true);
    let other = key_arn("9999abcd-12ab-34cd-56ef-1234567890ab");
    let entry = json!({"KeyId": other.rsplit('/').next(), "KeyArn": other});
    case.answers.write("list.json", at("2026-05-05T00:00:00Z"), &json!({ "Keys": [entry] }));
    let key = case.judged(&format!("grants,{REST}"), 10);
    assert_eq!(kinds(&key), ["unlisted"], "{key}");
}

#[test]
fn a_key_that_only_kms_knows_is_judged_too() {
    let case = Case::new(true);
    let other = key_arn("7777abcd-12ab-34cd-56ef-1234567890ab");
    let metadata = json!({"Arn": other, "KeyState": "Enabled", "KeyManager": "CUSTOMER"});
    case.answers.write("other.json", at("2026-04-29T00:00:00Z"), &json!({ "KeyMetadata": metadata }));
    let alias = json!({"AliasName": "alias/forgotten", "AliasArn": other.replace("key/7777abcd-12ab-34cd-56ef-1234567890ab", "alias/forgotten"),
        "TargetKeyId": "7777abcd-12ab-34cd-56ef-1234567890ab"});
    case.answers.write("aliases.json", at("2026-04-29T00:00:00Z"), &json!({ "Aliases": [alias] }));
    let log = case.answers.folder.path().join(".log.json");
    let ask = |name: &str, code| {
        keytrail("retire", &[log.to_str().unwrap(), "--key", name, "--inventory", case.answers.path()]).ended(code)
    };
    let document = ask("alias/forgotten", 10).json();
    assert_eq!(
        (&document["keys"][0]["arn"], &document["keys"][0]["aliases"]),
        (&json!(other), &json!(["alias/forgotten"]))
    );
    assert!(ask("alias/nobody", 3).err.contains("log and inventory"));
}
