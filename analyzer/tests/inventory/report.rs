//! `keytrail report --inventory`: what it takes from a control that grants and policies older than the log were not seen.

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
