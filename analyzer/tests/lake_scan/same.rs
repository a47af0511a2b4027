//! One ingest, then the same questions to the logs and to the lake.

use std::path::{Path, PathBuf};

use crate::logs::{fixture, settings, write};
use crate::run::{assert_same, ingest, scan};

/// Brings logs into a lake and asks both all questions.
fn same(logs: &Path, questions: &[&[&str]]) {
    let folder = tempfile::tempdir().unwrap();
    let lake = folder.path().join("lake");
    let filled = ingest(&[logs], &lake, &["--max-inflated", "16MiB"]);
    assert!([0, 4].contains(&filled.code), "{}", filled.err);
    for question in questions {
        let args = [*question, &["--max-inflated", "16MiB"]].concat();
        let (expected, found) = (scan(&[logs], &args), scan(&[&lake], &args));
        assert!([0, 4].contains(&expected.code), "{}", expected.err);
        assert_same(&format!("{} {question:?}", logs.display()), &expected, &found);
    }
}

/// Questions about the ten days of generated logs.
const QUESTIONS: &[&[&str]] = &[
    &["--threads", "1"],
    &["--threads", "2", "--memory", "64KiB"],
    &["--from", "2026-08-04", "--to", "2026-08-06"],
    &["--from", "2026-08-05T12:30:00Z", "--lookback", "2d", "--memory", "64KiB"],
    &["--region", "eu-west-1", "--account", "111122223333"],
    &["--to", "2026-08-05", "--as-of", "2026-08-08"],
    &["--as-of", "2027-09-01"],
];

#[test]
fn the_sample() {
    same(
        &fixture("sample"),
        &[&[], &["--from", "2026-09-03", "--lookback", "1d"], &["--account", "111122223333", "--threads", "1"]],
    );
}

#[test]
fn hostile_files() {
    same(&fixture("hostile"), &[&[], &["--threads", "1", "--memory", "1KiB"]]);
}

#[test]
fn generated_logs() {
    let folder = tempfile::tempdir().unwrap();
    write(settings(1), folder.path());
    same(folder.path(), QUESTIONS);
}

#[test]
fn generated_logs_of_an_organization() {
    let folder = tempfile::tempdir().unwrap();
    write(
        keytrail_fixtures::bulk::Settings { organization: Some("o-exampleorgid".into()), ..settings(2) },
        folder.path(),
    );
    same(folder.path(), QUESTIONS);
}

/// Where real logs lie beside the repository; elsewhere there is nothing to do.
#[test]
fn real_logs() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let Ok(entries) = std::fs::read_dir(&data) else {
        eprintln!("skipped: no real data at {}", data.display());
        return;
    };
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    for folder in folders {
        same(&folder, &[&["--threads", "1"], &["--memory", "4KiB"]]);
    }
}
