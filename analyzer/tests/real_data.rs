//! Real CloudTrail records, where they lie beside the repository. They are not ours to ship: elsewhere these tests say
//! that they were skipped.

#![expect(clippy::unwrap_used, reason = "a test says by failing that it cannot go on")]
#![expect(clippy::print_stderr, reason = "a test that is skipped says so")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// A folder of the real data, or `None` where it is absent.
fn data(name: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data").join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: no real data at {}", folder.display());
    None
}

fn scan(args: &[&str], sources: &[PathBuf]) -> (i32, Vec<u8>) {
    let output = Command::new(env!("CARGO_BIN_EXE_keytrail"))
        .args(["scan", "--format", "json", "--quiet"])
        .args(args)
        .args(sources)
        .output()
        .unwrap();
    (output.status.code().unwrap(), output.stdout)
}

fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// Findings without the places of their evidence.
fn told(bytes: &[u8]) -> Value {
    let mut findings = json(bytes)["findings"].clone();
    for finding in findings.as_array_mut().unwrap() {
        for evidence in finding["evidence"].as_array_mut().unwrap() {
            let evidence = evidence.as_object_mut().unwrap();
            evidence.remove("object");
            evidence.remove("record");
        }
    }
    findings
}

#[test]
fn attack_simulations_are_counted_right() {
    let Some(folder) = data("invictus") else { return };
    let (code, bytes) = scan(&[], &[folder]);
    let coverage = &json(&bytes)["coverage"];
    assert_eq!(code, 0);
    assert_eq!(coverage["records"]["seen"], 2900);
    assert_eq!(coverage["records"]["kms"], 240);
    assert_eq!(coverage["records"]["rejected"], 0);
    let operations: BTreeMap<String, u64> = serde_json::from_value(coverage["operations"].clone()).unwrap();
    let expected = [("Decrypt", 178), ("Encrypt", 42), ("GenerateDataKey", 20)];
    assert_eq!(operations, expected.into_iter().map(|(name, count)| (name.to_string(), count)).collect());
}

#[test]
fn threads_and_order_of_files_change_no_byte() {
    let Some(folder) = data("invictus") else { return };
    let (_, whole) = scan(&[], std::slice::from_ref(&folder));
    for threads in ["1", "2"] {
        assert!(scan(&["--threads", threads], std::slice::from_ref(&folder)).1 == whole, "{threads} threads");
    }
    let mut reversed = files(&folder);
    reversed.reverse();
    assert!(scan(&[], &reversed).1 == whole, "files in another order");
}

#[test]
fn packing_does_not_matter() {
    let Some(folder) = data("invictus") else { return };
    let whole = told(&scan(&[], std::slice::from_ref(&folder)).1);
    let records: Vec<Value> = files(&folder)
        .iter()
        .flat_map(|file| json(&std::fs::read(file).unwrap())["Records"].as_array().unwrap().clone())
        .collect();
    let temporary = tempfile::tempdir().unwrap();
    let pack = |name: &str, bytes: &[u8]| {
        let path = temporary.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
    };
    let all = serde_json::to_vec(&serde_json::json!({ "Records": records })).unwrap();
    pack("concatenated/all.json", &all);
    pack("gzipped/all.json.gz", &keytrail_fixtures::gzip(&all, 6));
    let lines: Vec<String> = records.iter().map(Value::to_string).collect();
    pack("lines/all.ndjson", lines.join("\n").as_bytes());
    for (number, line) in lines.iter().enumerate() {
        pack(&format!("split/{number:04}.json"), format!("{{\"Records\":[{line}]}}").as_bytes());
    }
    for packed in ["concatenated", "gzipped", "lines", "split"] {
        assert_eq!(told(&scan(&[], &[temporary.path().join(packed)]).1), whole, "{packed}");
    }
}

#[test]
fn every_documented_operation_becomes_a_row() {
    let Some(folder) = data("kms-guide-examples") else { return };
    let mut names = std::collections::BTreeSet::new();
    let mut lines = 0;
    for file in files(&folder) {
        for line in std::fs::read_to_string(file).unwrap().lines().filter(|line| !line.trim().is_empty()) {
            let record = json(line.as_bytes());
            if record["eventSource"] == "kms.amazonaws.com" {
                names.insert(record["eventName"].as_str().unwrap().to_string());
            }
            lines += 1;
        }
    }
    let (code, bytes) = scan(&[], &[folder]);
    let coverage = &json(&bytes)["coverage"];
    assert_eq!(code, 0);
    assert_eq!(coverage["records"]["seen"], lines);
    assert_eq!(coverage["records"]["rejected"], 0);
    let operations: BTreeMap<String, u64> = serde_json::from_value(coverage["operations"].clone()).unwrap();
    let missing: Vec<&String> = names.iter().filter(|name| !operations.contains_key(*name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert_eq!(names.len(), 46);
}

#[test]
fn other_formats_are_named_and_nothing_else_is_lost() {
    let (Some(formats), Some(invictus)) = (data("formats"), data("invictus")) else { return };
    let expected = files(&formats).len();
    let (code, bytes) = scan(&[], &[formats, invictus]);
    let report = json(&bytes);
    assert_eq!(code, 4, "some of the documented examples are not valid JSON");
    assert_eq!(report["skipped"].as_array().unwrap().len(), expected, "{}", report["skipped"]);
    assert_eq!(report["coverage"]["records"]["kms"], 240);
    for skip in report["skipped"].as_array().unwrap() {
        let object = skip["object"].as_str().unwrap();
        let name = object.rsplit('/').next().unwrap();
        let reason = skip["reason"].as_str().unwrap();
        let kind = name.split('.').next().unwrap();
        if !name.contains("invalid-json") {
            assert_eq!(reason, kind, "{object}");
        }
    }
}
