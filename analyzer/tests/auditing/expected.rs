//! What must be there, as files say it.

use serde_json::{Value, json};

use crate::{SAMPLE, control, json as document, report};

fn limits(document: &Value, id: &str) -> Vec<String> {
    let limits = control(document, "soc2", id)["limits"].as_array().unwrap();
    limits.iter().map(|limit| limit.as_str().unwrap().to_string()).collect()
}

#[test]
fn files_are_reconciled_both_ways() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_string()
    };
    let accounts = json!({ "Accounts": [
        { "Id": "111122223333", "Status": "ACTIVE" }, { "Id": "999999999999", "Status": "ACTIVE" },
        { "Id": "888888888888", "Status": "SUSPENDED" },
    ] });
    let regions = json!({ "Regions": [
        { "RegionName": "eu-west-1", "RegionOptStatus": "ENABLED_BY_DEFAULT" },
        { "RegionName": "eu-south-2", "RegionOptStatus": "ENABLED" },
        { "RegionName": "me-south-1", "RegionOptStatus": "DISABLED" },
    ] });
    let known = "arn:aws:kms:us-east-1:111122223333:key/2345bcde-23bc-45de-67fa-234567890abc";
    let unknown = "arn:aws:kms:us-east-1:111122223333:key/00000000-0000-4000-8000-000000000000";
    let keys = format!("# inventory of 2026-10-01\n{known}\n{unknown}\n");
    let [accounts, regions, keys] = [
        write("accounts.json", &accounts.to_string()),
        write("regions.json", &regions.to_string()),
        write("keys.txt", &keys),
    ];
    let args = [SAMPLE, "--framework", "soc2", "--expect-accounts", &accounts, "--expect-regions", &regions];
    let all = document(&[args.as_slice(), &["--expect-keys", &keys]].concat());
    let expected = &all["expected"];
    assert_eq!(
        expected["accounts"],
        json!({ "expected": 2, "missing": ["999999999999"], "surplus": ["444455556666"] })
    );
    assert_eq!(
        expected["regions"]["missing"],
        json!(["111122223333 eu-south-2", "999999999999 eu-south-2", "999999999999 eu-west-1"])
    );
    assert_eq!(expected["keys"]["missing"], json!([unknown]));
    let surplus: Vec<&str> =
        expected["keys"]["surplus"].as_array().unwrap().iter().map(|key| key.as_str().unwrap()).collect();
    assert!(
        !surplus.is_empty() && !surplus.contains(&known) && surplus.iter().all(|key| key.contains(":111122223333:"))
    );
    let has = |limits: &[String], text: &str| limits.iter().any(|limit| limit.contains(text));
    let told = limits(&all, "A1.2");
    for text in [
        "accounts expected, and without any log: 999999999999",
        "keys expected, and in no event",
        "not expected: 444455556666",
    ] {
        assert!(has(&told, text), "{text}: {told:?}");
    }
    // Without a list of keys, what is said of keys is never more than partial.
    assert!(has(&limits(&document(&args), "A1.2"), "keys are those that the log names"));
    let page = String::from_utf8(report(&args).ended(0).out).unwrap();
    assert!(page.contains("Expected and found") && page.contains("999999999999 eu-south-2"));
}

#[test]
fn a_file_that_lists_nothing_of_the_kind_is_told_with_its_name() {
    let folder = tempfile::tempdir().unwrap();
    for (text, why) in [
        ("{\"Regions\":[]}", "no list `Accounts`"),
        ("{\"Accounts\":[]}", "lists nothing"),
        ("\u{1b}[31mred", "12 digits"),
        ("{\"Accounts\":[{\"Id\":\"1\"}]}", "12 digits"),
        ("{", "damaged"),
    ] {
        let path = folder.path().join("list");
        std::fs::write(&path, text).unwrap();
        let done = report(&[SAMPLE, "--expect-accounts", path.to_str().unwrap()]).ended(2);
        assert!(done.err.contains(why) && done.err.contains("list-accounts"), "{}", done.err);
        assert!(!done.err.contains('\u{1b}'));
    }
    std::fs::write(folder.path().join("bytes"), [0xff, 0xfe, 0]).unwrap();
    report(&[SAMPLE, "--expect-keys", folder.path().join("bytes").to_str().unwrap()]).ended(2);
    report(&[SAMPLE, "--expect-regions", folder.path().join("none").to_str().unwrap()]).ended(2);
}
