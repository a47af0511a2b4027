//! Logs arrive over time, out of order, twice and changed: the lake that saw them come is the lake that sees them whole.

use std::fs;
use std::path::{Path, PathBuf};

use keytrail_fixtures::bulk::Bulk;
use keytrail_fixtures::{LogWriter, Rng, Time, gzip, key_arn, kms, role};

use crate::logs::{settings, write};
use crate::run::{assert_same, counted, files, ingest, scan};

/// Generated logs that are yet to arrive: where each goes, and its content.
fn deliveries(seed: u64) -> Vec<(String, Vec<u8>)> {
    let bulk = Bulk::new(settings(seed));
    let mut json = String::new();
    let mut all: Vec<_> = (0..bulk.len())
        .map(|index| {
            bulk.json(index, &mut json);
            (bulk.path(index), gzip(json.as_bytes(), 1))
        })
        .collect();
    // Any order: what comes later is often older.
    let mut rng = Rng::new(seed);
    all.sort_by_cached_key(|_| rng.next_u64());
    all
}

fn put(root: &Path, path: &str, bytes: &[u8]) -> PathBuf {
    keytrail_fixtures::write_file(root, path, bytes).unwrap();
    root.join(path)
}

#[test]
fn arriving_in_steps() {
    let folder = tempfile::tempdir().unwrap();
    let (logs, lake) = (folder.path().join("logs"), folder.path().join("lake"));
    let all = deliveries(3);
    let mut there = 0;
    for step in all.chunks(4) {
        for (path, bytes) in step {
            put(&logs, path, bytes);
        }
        let filled = ingest(&[&logs], &lake, &[]).ended(0);
        assert_eq!(counted(&filled), [step.len() as u64, 0, there], "only what is new is read");
        there += step.len() as u64;
    }
    let whole = scan(&[&logs], &[]);
    assert_same("in steps", &whole, &scan(&[&lake], &[]));

    // Nothing is new: nothing is read, nothing is written.
    let before = files(&lake);
    let filled = ingest(&[&logs], &lake, &[]).ended(0).json();
    assert_eq!(filled["objects"]["unchanged"], there);
    for (part, name) in
        [("objects", "new"), ("objects", "replaced"), ("objects", "read"), ("records", "seen"), ("written", "parts")]
    {
        assert_eq!(filled[part][name], 0, "{part}.{name}: {filled}");
    }
    assert_eq!(files(&lake), before);

    // Many steps leave few files: every one of them costs every later question.
    let (parts, most) = (files(&lake.join("events")).len(), all.len() * 4);
    assert!(parts < most, "{parts} parts");
}

#[test]
fn late_events_and_copies() {
    let folder = tempfile::tempdir().unwrap();
    let (logs, lake) = (folder.path().join("logs"), folder.path().join("lake"));
    write(settings(4), &logs);
    ingest(&[&logs], &lake, &[]).ended(0);

    // A file of today with the events of three weeks ago, of a key that other files know.
    let (key, app) = (key_arn("1234abcd-12ab-34cd-56ef-1234567890ab"), || role("orders", "i-0123456789abcdef0"));
    let mut writer = LogWriter::new(5).window(60 * 24 * 40);
    writer.push(kms::disable_key(&key).by(app()).at("2026-07-20T10:00:00Z"));
    writer.extend(
        (0..5).map(|n| kms::decrypt(&key).fails_disabled(&key).by(app()).at(Time::from("2026-08-09T08:00:00Z") + n)),
    );
    writer.write(&logs).unwrap();
    // The same content under other names: beside the first, and where no trail would put it.
    let original = files(&logs)[3].clone();
    fs::copy(
        &original,
        original.with_file_name("111122223333_CloudTrail_eu-west-1_20260803T0000Z_copycopycopycopy.json.gz"),
    )
    .unwrap();
    fs::create_dir(logs.join("backup")).unwrap();
    fs::copy(&original, logs.join("backup/zzz.json.gz")).unwrap();

    let filled = ingest(&[&logs], &lake, &[]).ended(0);
    assert!(counted(&filled)[0] >= 3, "{:?}", counted(&filled));
    for question in [
        &[][..],
        &["--from", "2026-08-09", "--to", "2026-08-09", "--lookback", "30d"],
        &["--memory", "16KiB", "--threads", "2"],
    ] {
        let whole = scan(&[&logs], question);
        assert_same(&format!("{question:?}"), &whole, &scan(&[&lake], question));
    }
    let findings = scan(&[&lake], &["--rule", "disabled-key-failure"]).json();
    assert_eq!(findings["findings"].as_array().unwrap().len(), 1, "the late event is the cause of a finding");
}

#[test]
fn changed_and_removed_objects() {
    let folder = tempfile::tempdir().unwrap();
    let (logs, lake) = (folder.path().join("logs"), folder.path().join("lake"));
    write(settings(6), &logs);
    ingest(&[&logs], &lake, &[]).ended(0);

    // Another content under a name that the lake knows.
    let all = files(&logs);
    let [changed, other] = [&all[2], &all[9]];
    let before = scan(&[&logs], &[]);
    let content = fs::read(other).unwrap();
    assert_ne!(fs::read(changed).unwrap(), content);
    fs::write(changed, content).unwrap();
    assert_eq!(counted(&ingest(&[&logs], &lake, &[]).ended(0)), [0, 1, all.len() as u64 - 1]);
    let whole = scan(&[&logs], &[]);
    assert_ne!(before.out, whole.out, "the change can be seen");
    assert_same("changed", &whole, &scan(&[&lake], &[]));

    // What the source lost, the lake keeps.
    fs::remove_file(&all[5]).unwrap();
    assert_eq!(counted(&ingest(&[&logs], &lake, &[]).ended(0)), [0, 0, all.len() as u64 - 1]);
    assert_same("removed", &whole, &scan(&[&lake], &[]));
    assert_ne!(scan(&[&logs], &[]).out, whole.out, "the logs know less now");
}

#[test]
fn several_lakes_and_logs_beside_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    write(settings(7), &path("logs"));
    // Every other file: names of one lake stand between those of the other, and copies of a record are in both.
    let all = files(&path("logs"));
    let part = |odd: usize| all.iter().skip(odd).step_by(2).cloned().collect::<Vec<_>>();
    let (even, odd) = (part(0), part(1));
    ingest(&even, &path("even"), &[]).ended(0);
    ingest(&odd, &path("odd"), &[]).ended(0);
    let whole = scan(&[path("logs")], &[]);
    assert_same("two lakes", &whole, &scan(&[path("even"), path("odd")], &[]));
    assert_same("the other way round", &whole, &scan(&[path("odd"), path("even")], &["--threads", "1"]));
    assert_same("a lake and logs", &whole, &scan(&[&[path("odd")], &even[..]].concat(), &["--memory", "16KiB"]));
}

#[test]
fn what_is_in_two_lakes_is_judged_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    write(settings(8), &path("logs"));
    for lake in ["one", "two"] {
        ingest(&[path("logs")], &path(lake), &[]).ended(0);
    }
    let whole = scan(&[path("logs")], &[]);
    for sources in [["one", "two"], ["one", "logs"]] {
        let twice = scan(&sources.map(path), &[]).ended(0).json();
        assert_eq!(twice["findings"], whole.json()["findings"], "{sources:?}");
        assert_eq!(twice["coverage"]["operations"], whole.json()["coverage"]["operations"], "{sources:?}");
    }
    assert_same("one lake, named twice", &whole, &scan(&[path("one"), path("logs/../one/.")], &[]));
}

#[test]
fn scan_fills_a_lake_and_asks_it() {
    let folder = tempfile::tempdir().unwrap();
    let (logs, lake) = (folder.path().join("logs"), folder.path().join("lake"));
    let all = deliveries(9);
    let lake_args = ["--lake", lake.to_str().unwrap()];
    for step in all.chunks(12) {
        for (path, bytes) in step {
            put(&logs, path, bytes);
        }
        assert_same("while filling", &scan(&[&logs], &[]), &scan(&[&logs], &lake_args));
    }
    // What a scan reads of the time before a period, and of other accounts' logs, a new lake is filled with too.
    for (number, question) in
        [&["--from", "2026-08-03"] as &[&str], &["--account", "444455556666"]].into_iter().enumerate()
    {
        let fresh = folder.path().join(format!("fresh-{number}"));
        let args: Vec<&str> = question.iter().copied().chain(["--lake", fresh.to_str().unwrap()]).collect();
        assert_same("a new lake", &scan(&[&logs], question), &scan(&[&logs], &args));
    }
    let typo = folder.path().join("typo");
    fs::create_dir(&typo).unwrap();
    scan(&[&typo], &lake_args).ended(3);
    let nothing: [&str; 0] = [];
    assert_same("the lake alone", &scan(&[&logs], &[]), &scan(&nothing, &lake_args));
    assert_eq!(counted(&ingest(&[&logs], &lake, &[]).ended(0)), [0, 0, all.len() as u64]);
}
