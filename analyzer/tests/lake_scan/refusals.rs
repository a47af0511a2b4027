//! What makes no sense is refused before anything is read or written, with a word on what to do instead.

use std::fs;

use crate::logs::{fixture, settings, write};
use crate::run::{files, ingest, keytrail, run, scan};

#[test]
fn a_lake_inside_of_its_source() {
    let folder = tempfile::tempdir().unwrap();
    write(settings(21), &folder.path().join("logs"));
    for lake in ["logs/lake", "logs/AWSLogs/new/lake", "logs/../logs/lake"] {
        let refused = ingest(&[folder.path().join("logs")], &folder.path().join(lake), &[]).ended(2);
        assert!(refused.err.contains("stands inside of the source"), "{}", refused.err);
        assert!(refused.err.contains("beside the logs"), "{}", refused.err);
        assert!(!folder.path().join(lake).exists());
    }
    ingest(&[folder.path().join("logs")], &folder.path().join("logs-lake"), &[]).ended(0);
}

#[test]
fn a_lake_of_a_newer_version() {
    let folder = tempfile::tempdir().unwrap();
    let lake = folder.path().join("lake");
    ingest(&[fixture("sample")], &lake, &[]).ended(0);
    let marker = fs::read_to_string(lake.join("lake.json")).unwrap();
    let mut newer: serde_json::Value = serde_json::from_str(&marker).unwrap();
    newer["schema"] = "keytrail.lake/2".into();
    fs::write(lake.join("lake.json"), newer.to_string()).unwrap();
    let before = files(&lake);
    for refused in [scan(&[&lake], &[]), ingest(&[fixture("sample")], &lake, &[])] {
        assert_eq!(refused.code, 1, "{}", refused.err);
        assert!(refused.err.contains("newer") && refused.err.contains("update keytrail"), "{}", refused.err);
        assert!(refused.out.is_empty());
    }
    assert_eq!(files(&lake), before);
}

#[test]
fn standard_input_has_no_name() {
    let folder = tempfile::tempdir().unwrap();
    let lake = folder.path().join("lake");
    let mut with_lake = keytrail("scan");
    with_lake.args(["-", "--lake"]).arg(&lake).stdin(std::process::Stdio::null());
    for refused in [ingest(&["-"], &lake, &[]), run(with_lake)] {
        let refused = refused.ended(2);
        assert!(refused.err.contains("standard input") && refused.err.contains("file first"), "{}", refused.err);
    }
    assert!(!lake.exists());
}

#[test]
fn a_lake_where_something_else_is() {
    let folder = tempfile::tempdir().unwrap();
    let (lake, other) = (folder.path().join("lake"), folder.path().join("other"));
    fs::create_dir(&lake).unwrap();
    fs::write(lake.join("thesis.txt"), "mine").unwrap();
    let refused = ingest(&[fixture("sample")], &lake, &[]).ended(2);
    assert!(refused.err.contains("holds other files"), "{}", refused.err);
    assert_eq!(files(&lake).len(), 1);

    fs::remove_file(lake.join("thesis.txt")).unwrap();
    ingest(&[fixture("sample")], &lake, &[]).ended(0);
    let refused = ingest(&[&lake], &other, &[]).ended(2);
    assert!(refused.err.contains("ingest the logs themselves"), "{}", refused.err);
}
