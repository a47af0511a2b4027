//! What changed since an earlier report.

use std::path::Path;

use serde_json::{Value, json};

use crate::{SAMPLE, json as document, report};

fn ids(document: &Value, keep: impl Fn(&Value) -> bool) -> Vec<&str> {
    let findings = document["findings"].as_array().unwrap().iter();
    findings.filter(|finding| keep(finding)).map(|finding| finding["id"].as_str().unwrap()).collect()
}

fn write(path: &Path, document: &Value) -> String {
    std::fs::write(path, document.to_string()).unwrap();
    path.to_str().unwrap().to_string()
}

#[test]
fn findings_are_new_persisting_or_fixed_and_controls_move() {
    let folder = tempfile::tempdir().unwrap();
    let args = [SAMPLE, "--framework", "soc2,cis-aws-5.0"];
    let middle = ["--from", "2026-09-01", "--to", "2026-09-07"];
    let first = document(&[args.as_slice(), &middle].concat());
    assert_eq!(first["comparison"], Value::Null);
    let first_at = write(&folder.path().join("first.json"), &first);
    let second = document(&[args.as_slice(), &["--compare", &first_at]].concat());
    let compared = &second["comparison"];

    let open = |finding: &Value| finding["status"] == "open";
    let (then, now) = (ids(&first, open), ids(&second, open));
    let list = |name: &str| -> Vec<&str> {
        compared[name].as_array().unwrap().iter().map(|item| item.as_str().or(item["id"].as_str()).unwrap()).collect()
    };
    let (new, persisting, fixed) = (list("new"), list("persisting"), list("fixed"));
    assert!(!new.is_empty() && !persisting.is_empty(), "{compared}");
    assert_eq!(new, now.iter().filter(|id| !then.contains(id)).copied().collect::<Vec<_>>());
    assert_eq!(persisting, now.iter().filter(|id| then.contains(id)).copied().collect::<Vec<_>>());
    assert_eq!(fixed.len(), then.iter().filter(|id| !now.contains(id)).count());

    let moved = compared["controls"].as_array().unwrap();
    for control in moved {
        assert_ne!(control["before"], control["now"], "{control}");
    }
    let trend = compared["trend"].as_array().unwrap();
    assert_eq!(trend.len(), 2);
    let sum: u64 = trend[1]["open"].as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum();
    assert_eq!(sum as usize, now.len());
    assert_eq!(trend[0]["to"], "2026-09-08T00:00:00Z");

    // The third report knows the first from the second, and nothing is new against itself.
    let second_at = write(&folder.path().join("second.json"), &second);
    let third = document(&[args.as_slice(), &["--compare", &second_at]].concat());
    let compared = &third["comparison"];
    assert_eq!(compared["trend"].as_array().unwrap().len(), 3);
    assert_eq!(compared["trend"][0], trend[0]);
    assert_eq!((&compared["new"], &compared["fixed"], &compared["controls"]), (&json!([]), &json!([]), &json!([])));
    assert!(compared["mismatches"][0].as_str().unwrap().contains("not the earlier one"), "{}", compared["mismatches"]);
}

#[test]
fn what_was_fixed_keeps_its_old_words_and_what_does_not_fit_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut old = document(&[SAMPLE, "--framework", "soc2"]);
    let hostile = "<script>alert(1)</script>\u{1b}[31m\u{202e}";
    {
        let findings = old["findings"].as_array_mut().unwrap();
        let mut gone = findings[0].clone();
        (gone["id"], gone["title"]) = ("0123456789abcdef0123456789abcdef".into(), hostile.into());
        findings.push(gone);
        // What is closed today was open then.
        let closed = findings.iter_mut().find(|finding| finding["status"] == "closed").unwrap();
        closed["status"] = "open".into();
    }
    (old["run"]["version"], old["run"]["settings"]) = ("0.0.1".into(), "other".into());
    old["run"]["as_of"] = "2026-06-30T00:00:00Z".into();
    old["coverage"]["accounts"] = json!(["111122223333", hostile]);
    old["frameworks"][0]["mapping"] = "older".into();
    old["frameworks"][0]["controls"][0]["status"] = "satisfied".into();
    let at = write(&folder.path().join("old.json"), &old);
    let args = [SAMPLE, "--framework", "soc2,cis-aws-5.0", "--compare", &at];
    let now = document(&args);
    let compared = &now["comparison"];
    let fixed = compared["fixed"].as_array().unwrap();
    let states: Vec<&str> = fixed.iter().map(|fixed| fixed["now"].as_str().unwrap()).collect();
    assert!(states.contains(&"absent") && states.contains(&"closed") && states.len() == 2, "{states:?}");
    assert_eq!(compared["controls"][0]["before"], "satisfied");
    let told = compared["mismatches"].to_string();
    for text in [
        "version of keytrail: 0.0.1",
        "settings: other",
        "mapping of soc2: older",
        "accounts only now: 444455556666",
        "frameworks only now: cis-aws-5.0",
    ] {
        assert!(told.contains(text), "{text}: {told}");
    }
    let done = report(&args).ended(0);
    let page = String::from_utf8(done.out).unwrap();
    assert!(page.contains("Since the earlier report") && page.contains("&lt;script&gt;alert(1)"));
    assert!(!page.contains("<script") && !page.contains(['\u{1b}', '\u{202e}']));
    assert!(!done.err.contains(['\u{1b}', '\u{202e}']), "{}", done.err);
}

#[test]
fn what_is_no_report_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let scanned = json!({ "schema": "keytrail.scan/1", "findings": [] });
    let cut = json!({ "schema": "keytrail.report/1", "findings": [] });
    for (text, why) in [
        ("[1, 2".to_string(), "no JSON document"),
        ("{}".to_string(), "no report of keytrail"),
        (scanned.to_string(), "`keytrail.scan/1`, not a"),
        (cut.to_string(), "missing field"),
    ] {
        let at = folder.path().join("previous.json");
        std::fs::write(&at, text).unwrap();
        let done = report(&[SAMPLE, "--compare", at.to_str().unwrap()]).ended(2);
        assert!(done.err.contains(why) && done.err.contains("previous.json"), "{}", done.err);
    }
}
