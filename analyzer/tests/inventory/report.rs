//! `keytrail report --inventory`: what it takes from a control that grants and policies older than the log were not seen.

use std::collections::BTreeSet;

use keytrail_fixtures::{Record, Time, key_arn, kms, role};
use serde_json::{Value, json};

use super::{Answers, SAMPLE, keytrail};

/// After the last event of the sample: 2026-12-01.
const AFTER: u64 = 1_796_083_200;
const UNSEEN: [&str; 3] = ["older than the log were not looked at", "does not list all keys", "has no answer to"];

fn report(args: &[&str]) -> Value {
    keytrail("report", &[&[SAMPLE, "--framework", "soc2"], args].concat()).json()
}

/// What limits the controls that ask for grants and key policies, about those.
fn limits(document: &Value) -> Vec<String> {
    let controls = document["frameworks"][0]["controls"].as_array().unwrap();
    let limits = controls.iter().flat_map(|control| control["limits"].as_array().unwrap());
    let limits = limits.map(|limit| limit.as_str().unwrap().to_string()).filter(|limit| !limit.starts_with("IAM"));
    limits.filter(|limit| UNSEEN.iter().any(|text| limit.contains(text))).collect()
}

#[test]
fn grants_and_policies_of_every_key_lift_the_limit_and_one_that_is_missing_does_not() {
    let plain = report(&[]);
    assert!(limits(&plain).iter().all(|limit| limit.contains(UNSEEN[0])) && !limits(&plain).is_empty());
    assert_eq!(plain["expected"]["keys"], Value::Null);

    let answers = Answers::new();
    let mut last = None;
    for (number, hours) in plain["hours"].as_array().unwrap().iter().enumerate() {
        let (account, region) = (hours["account"].as_str().unwrap(), hours["region"].as_str().unwrap());
        let id = format!("7a6b5c4d-3e2f-4a1b-9c8d-{number:012}");
        let arn = format!("arn:aws:kms:{region}:{account}:key/{id}");
        answers.write(&format!("{id}/keys.json"), AFTER, &json!({"Keys": [{"KeyArn": arn}]}));
        answers.write(&format!("{id}/policy.json"), AFTER, &json!({"Policy": "{\"Statement\":[]}"}));
        last = Some((arn, answers.write(&format!("{id}/grants.json"), AFTER, &json!({"Grants": []}))));
    }
    let document = report(&["--inventory", answers.path()]);
    assert_eq!(limits(&document), [""; 0], "all of them answered");
    assert!(document["expected"]["keys"]["expected"].as_u64().unwrap() > 0, "{}", document["expected"]);

    let (arn, grants) = last.unwrap();
    std::fs::remove_file(grants).unwrap();
    let without = limits(&report(&["--inventory", answers.path()]));
    assert!(
        !without.is_empty() && without.iter().all(|limit| limit.contains(&format!("ListGrants of {arn} (not asked)")))
    );
}

/// A key that is older than its log: a grant of it ends and its policy is replaced, and KMS is asked at the end.
#[test]
fn what_was_gone_before_kms_was_asked_stays_unseen() {
    let answers = Answers::new();
    let arn = key_arn("7a6b5c4d-3e2f-4a1b-9c8d-0e1f2a3b4c5d");
    let time = |text| Time::parse(text).unwrap();
    let ops = || role("ops", "alice");
    let records: Vec<Value> = [
        kms::decrypt(&arn).by(role("app", "s")).at(time("2026-02-01T00:00:00Z")).nth(1),
        kms::revoke_grant(&arn, &"a".repeat(64)).by(ops()).at(time("2026-02-10T00:00:00Z")).nth(2),
        kms::put_key_policy(&arn, &kms::default_policy("111122223333"))
            .by(ops())
            .at(time("2026-02-20T00:00:00Z"))
            .nth(3),
        kms::decrypt(&arn).by(role("app", "s")).at(time("2026-03-30T00:00:00Z")).nth(4),
    ]
    .iter()
    .map(Record::value)
    .collect();
    let log = answers.folder.path().join(".log.json");
    std::fs::write(&log, json!({ "Records": records }).to_string()).unwrap();
    let asked = |at: &str| u64::try_from(Time::parse(at).unwrap().epoch()).unwrap();
    answers.write("keys.json", asked("2026-04-01T00:00:00Z"), &json!({"Keys": [{"KeyArn": arn}]}));
    let policy = json!({"Policy": "{\"Statement\":[]}"});
    let (policies, grants) =
        (format!("{}/policy.json", &arn[arn.len() - 36..]), format!("{}/grants.json", &arn[arn.len() - 36..]));
    answers.write(&policies, asked("2026-04-01T00:00:00Z"), &policy);
    answers.write(&grants, asked("2026-04-01T00:00:00Z"), &json!({"Grants": []}));
    let limits = |args: &[&str]| {
        let base = [log.to_str().unwrap(), "--framework", "soc2", "--inventory", answers.path()];
        let document = keytrail("report", &[&base[..], args].concat()).json();
        let controls = document["frameworks"][0]["controls"].as_array().unwrap().clone();
        let all = controls.iter().flat_map(|control| control["limits"].as_array().unwrap().clone());
        let all: BTreeSet<String> = all.map(|limit| limit.as_str().unwrap().to_string()).collect();
        all.into_iter()
            .filter(|limit| {
                !limit.starts_with("IAM") && (limit.contains("nobody saw") || limit.contains("older than the log"))
            })
            .collect::<Vec<_>>()
    };
    let told = limits(&[]);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        told[0].starts_with(&format!(
            "grants that nobody saw were made before the logs and gone before KMS was asked: 1 of {arn}"
        )),
        "{told:?}"
    );
    assert!(told[1].contains(&format!("{arn} (until 2026-02-20 00:00:00 UTC)")), "{told:?}");
    assert_eq!(limits(&["--from", "2026-03-01"]), [""; 0], "both were gone when the period began");
    // KMS told the policy that was replaced, and a grant that ended.
    answers.write(&policies, asked("2026-02-15T00:00:00Z"), &policy);
    let grant = json!({"GrantId": "a".repeat(64), "KeyId": arn, "Operations": ["Decrypt"]});
    answers.write(&grants, asked("2026-02-05T00:00:00Z"), &json!({"Grants": [grant]}));
    assert_eq!(limits(&[]), [""; 0]);
    // Each answer against the log, not the oldest of all: the list of keys may be older.
    answers.write("keys.json", asked("2026-01-01T00:00:00Z"), &json!({"Keys": [{"KeyArn": arn}]}));
    assert_eq!(limits(&[]), [""; 0]);
    answers.write(&grants, asked("2026-01-15T00:00:00Z"), &json!({"Grants": []}));
    let told = limits(&[]);
    assert!(
        told.iter().any(|limit| limit.contains(&format!("ListGrants of {arn} (2026-01-15 00:00:00 UTC)"))),
        "{told:?}"
    );
    assert!(!told.iter().any(|limit| limit.contains("GetKeyPolicy")), "{told:?}");
}
