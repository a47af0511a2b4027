//! `keytrail scan --inventory`: what is older than the log is judged by what KMS said, with the file as evidence.

use serde_json::{Value, json};

use super::run::run;
use super::{Answers, SAMPLE, keytrail};

/// After the last event of the sample: 2026-12-01.
const AFTER: u64 = 1_796_083_200;
const ID: &str = "7a6b5c4d-3e2f-4a1b-9c8d-0e1f2a3b4c5d";
const OTHER: &str = "arn:aws:kms:eu-west-1:111122223333:key/7a6b5c4d-3e2f-4a1b-9c8d-0e1f2a3b4c5d";

/// A key that no event names, open to a stranger in every way, and without rotation.
fn careless() -> Answers {
    let answers = Answers::new();
    answers.write(
        "describe.json",
        AFTER,
        &json!({"KeyMetadata": {
            "Arn": OTHER, "KeyState": "Enabled", "KeySpec": "SYMMETRIC_DEFAULT", "KeyUsage": "ENCRYPT_DECRYPT",
            "Origin": "AWS_KMS", "KeyManager": "CUSTOMER", "CreationDate": "2024-02-03T04:05:06Z",
        }}),
    );
    answers.write("rotation.json", AFTER, &json!({"KeyId": OTHER, "KeyRotationEnabled": false}));
    answers.write(
        "grants.json",
        AFTER,
        &json!({"Grants": [{
            "KeyId": OTHER, "GrantId": "g-old", "GranteePrincipal": "arn:aws:iam::999988887777:role/x\u{1b}[31m\n\u{202e}",
            "Operations": ["Decrypt"],
        }]}),
    );
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::999988887777:root"}, "Action": "kms:*", "Resource": "*"},
    ]});
    answers.write(&format!("policy-{ID}.json"), AFTER, &json!({"Policy": policy.to_string(), "PolicyName": "default"}));
    answers
}

fn scan(args: &[&str]) -> Value {
    keytrail("scan", &[&[SAMPLE], args].concat()).ended(0).json()
}

/// What a person sees.
fn text(args: &[&str]) -> String {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_keytrail"));
    command.env_clear().args(args).arg("--quiet");
    String::from_utf8(run(command).ended(0).out).unwrap()
}

fn of_key(document: &Value) -> Vec<&Value> {
    document["findings"].as_array().unwrap().iter().filter(|finding| finding["key"]["arn"] == OTHER).collect()
}

#[test]
fn a_key_that_no_event_names_is_judged() {
    let answers = careless();
    let plain = scan(&[]);
    let document = scan(&["--inventory", answers.path()]);
    let mut rules: Vec<&str> = of_key(&document).iter().map(|finding| finding["rule"].as_str().unwrap()).collect();
    rules.sort_unstable();
    assert_eq!(rules, ["missing-rotation", "over-broad-grant", "over-broad-key-policy"]);
    for finding in of_key(&document) {
        assert!(finding["title"].as_str().unwrap().contains("in the inventory of 2026-12-01 00:00 UTC"), "{finding}");
        let evidence = &finding["evidence"][0];
        assert!(evidence["event_id"].as_str().unwrap().starts_with("inventory:"), "{evidence}");
        assert!(evidence["object"].as_str().unwrap().starts_with(answers.path()), "{evidence}");
        assert_eq!(evidence["time"], "2026-12-01T00:00:00Z");
    }
    // What the log alone shows, it shows as before; only what nobody could tell may be known now.
    let ids = |document: &Value| -> Vec<String> {
        let findings = document["findings"].as_array().unwrap().iter().filter(|finding| finding["severity"] != "info");
        findings.filter(|finding| finding["key"]["arn"] != OTHER).map(|finding| finding["id"].to_string()).collect()
    };
    assert_eq!(ids(&plain), ids(&document));
    assert_ne!(plain["run"]["settings"], document["run"]["settings"], "the inventory decides what is found");
    let sha256 = document["coverage"]["inventory"]["sha256"].as_str().unwrap();
    assert!(sha256.len() == 64 && sha256.bytes().all(|byte| byte.is_ascii_hexdigit()));
}

#[test]
fn the_same_answers_give_the_same_bytes() {
    let answers = careless();
    let bytes = || keytrail("scan", &[SAMPLE, "--inventory", answers.path()]).ended(0).out;
    assert_eq!(bytes(), bytes());
}

#[test]
fn an_answer_of_later_is_not_dated_back() {
    let answers = careless();
    let document = scan(&["--inventory", answers.path(), "--as-of", "2026-09-30"]);
    assert!(of_key(&document).iter().all(|finding| finding["severity"] == "info"), "{document}");
}

#[test]
fn texts_of_an_inventory_cannot_act_in_a_terminal() {
    let answers = careless();
    let text = text(&["scan", SAMPLE, "--inventory", answers.path()]);
    assert!(text.contains("has a grant of Decrypt without constraints"), "{text}");
    assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
}

#[test]
fn wrong_types_cost_only_themselves() {
    let answers = careless();
    answers.write("odd.json", AFTER, &json!({"Grants": {"not": "a list"}}));
    answers.write("odder.json", AFTER, &json!({"KeyRotationEnabled": "yes", "KeyId": 7}));
    answers.write("deep.json", AFTER, &json!("text"));
    let document = keytrail("scan", &[SAMPLE, "--inventory", answers.path()]).ended(4).json();
    assert_eq!(document["coverage"]["inventory"]["misread"].as_array().unwrap().len(), 3);
    assert_eq!(of_key(&document).len(), 3);
}

#[test]
fn explain_names_the_file_of_the_answer() {
    let answers = careless();
    let document = scan(&["--inventory", answers.path()]);
    let finding = *of_key(&document).iter().find(|finding| finding["rule"] == "missing-rotation").unwrap();
    let id = finding["id"].as_str().unwrap();
    let text = text(&["explain", id, SAMPLE, "--inventory", answers.path()]);
    assert!(text.contains("stands in the inventory") && text.contains("rotation.json"), "{text}");
    keytrail("explain", &[id, SAMPLE]).ended(3);
}
