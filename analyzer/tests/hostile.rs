//! Hostile and odd objects: each ends as its manifest says, and none takes anything else with it.

#![expect(clippy::unwrap_used, reason = "a test says by failing that it cannot go on")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use keytrail::config::Settings;
use keytrail::pipeline::{Progress, ScanOptions, scan};
use keytrail::report::Report;
use keytrail_fixtures::hostile::{BOMB_CAP, Case, Outcome, cases};
use keytrail_fixtures::{Time, key_arn, kms, role};
use serde_json::json;

struct Silent;
impl Progress for Silent {}

fn read(path: &Path) -> Report {
    let options = ScanOptions {
        threads: Some(1),
        max_inflated: BOMB_CAP,
        ..ScanOptions::new(vec![path.to_string_lossy().into_owned()], Settings::default())
    };
    scan(&options, &Silent).unwrap()
}

fn check(case: &Case, report: &Report) -> Result<(), String> {
    let coverage = &report.coverage;
    let skip = coverage.skipped.first().map(|skipped| skipped.reason.id());
    let rejected: BTreeMap<&str, u64> = coverage.rejected.iter().map(|(reason, count)| (reason.id(), *count)).collect();
    let kept = coverage.records.kms + coverage.records.duplicates;
    match &case.outcome {
        Outcome::Skip(reason) if skip == Some(*reason) => Ok(()),
        Outcome::Skip(reason) => Err(format!("expected skip {reason}, got {skip:?}, {kept} kept, {rejected:?}")),
        Outcome::Read { kept: wanted, rejected: reasons } => {
            let reasons: BTreeMap<&str, u64> = reasons.iter().map(|(reason, count)| (*reason, *count as u64)).collect();
            if skip.is_none() && kept == *wanted as u64 && rejected == reasons {
                Ok(())
            } else {
                Err(format!("expected {wanted} kept and {reasons:?}, got {kept} and {rejected:?}, skip {skip:?}"))
            }
        }
        Outcome::Survives { at_least } if kept >= *at_least as u64 => Ok(()),
        Outcome::Survives { at_least } => {
            Err(format!("expected at least {at_least} kept, got {kept}, {rejected:?}, {skip:?}"))
        }
    }
}

#[test]
fn each_case_ends_as_its_manifest_says() {
    let folder = tempfile::tempdir().unwrap();
    let mut problems = Vec::new();
    for case in cases() {
        let path = folder.path().join(case.file);
        std::fs::write(&path, case.bytes()).unwrap();
        if let Err(problem) = check(case, &read(&path)) {
            problems.push(format!("{}: {problem} ({})", case.file, case.note));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn all_cases_together_lose_nothing_and_end_with_4() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/hostile");
    let output = Command::new(env!("CARGO_BIN_EXE_keytrail"))
        .args(["scan", "--format", "json", "--max-inflated", "16MiB"])
        .arg(&folder)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(4), "{}", String::from_utf8_lossy(&output.stderr));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let skipped: BTreeMap<String, String> = json["skipped"]
        .as_array()
        .unwrap()
        .iter()
        .map(|skip| {
            let object = skip["object"].as_str().unwrap().rsplit('/').next().unwrap().to_string();
            (object, skip["reason"].as_str().unwrap().to_string())
        })
        .collect();
    let (mut kept, mut expected) = (0, BTreeMap::new());
    for case in cases() {
        match &case.outcome {
            Outcome::Skip(reason) => {
                expected.insert(case.file.to_string(), (*reason).to_string());
            }
            Outcome::Read { kept: own, .. } => kept += *own as u64,
            Outcome::Survives { at_least } => kept += *at_least as u64,
        }
    }
    for (object, reason) in &expected {
        assert_eq!(skipped.get(object), Some(reason), "{object}");
    }
    let records = &json["coverage"]["records"];
    let read = records["kms"].as_u64().unwrap() + records["duplicates"].as_u64().unwrap();
    assert!(read >= kept, "{read} of {kept}");
}

/// Whoever may call KMS decides how many refusals and how many policies a key has.
#[test]
fn refusals_and_policies_do_not_multiply() {
    let key = key_arn("1234abcd-12ab-34cd-56ef-1234567890ab");
    let start = Time::parse("2026-08-01T00:00:00Z").unwrap();
    let policy = |who: usize| {
        let named = json!({"AWS": format!("arn:aws:iam::111122223333:role/other-{who}")});
        let own = json!({"Effect": "Allow", "Principal": named, "Action": "kms:Decrypt", "Resource": "*"});
        let mut policy = kms::default_policy("111122223333");
        policy["Statement"].as_array_mut().unwrap().push(own);
        policy
    };
    let mut records = Vec::new();
    let policies = (0..200).map(|at| kms::put_key_policy(&key, &policy(at % 2)).at(start + 3_600 + at as i64 * 60));
    records.extend(policies);
    for caller in 0..400 {
        let calls = |at: Time| kms::decrypt(&key).by(role(&format!("worker-{caller}"), "batch")).at(at);
        records.push(calls(start));
        let refused = (0..20).map(|at| calls(start + 86_400 + at * 600).denied("kms:Decrypt", &key));
        records.extend(refused);
    }
    let records: Vec<_> = records.into_iter().enumerate().map(|(at, record)| record.nth(at as u64).value()).collect();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("log.json"), json!({"Records": records}).to_string()).unwrap();
    // Seconds of the processor, whatever else the machine does. Each refusal asked of each policy took minutes.
    let output = Command::new("sh")
        .args(["-c", "ulimit -t 60 && exec \"$@\"", "sh", env!("CARGO_BIN_EXE_keytrail")])
        .args(["scan", "--format", "json"])
        .arg(folder.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}: {}", output.status, String::from_utf8_lossy(&output.stderr));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["coverage"]["records"]["kms"], 200 + 400 * 21);
    let rules: Vec<&str> =
        json["findings"].as_array().unwrap().iter().map(|finding| finding["rule"].as_str().unwrap()).collect();
    assert!(!rules.contains(&"disabled-key-failure"), "no policy took anything: {rules:?}");
}
