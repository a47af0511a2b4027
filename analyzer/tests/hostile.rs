//! Hostile and odd objects: each ends as its manifest says, and none takes anything else with it.

#![expect(clippy::unwrap_used, reason = "a test says by failing that it cannot go on")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use keytrail::config::Settings;
use keytrail::pipeline::{Progress, ScanOptions, scan};
use keytrail::report::Report;
use keytrail_fixtures::hostile::{BOMB_CAP, Case, Outcome, cases};

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
