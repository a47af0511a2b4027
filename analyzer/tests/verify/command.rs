//! The command itself: what it prints, where, and how it ends.

use std::process::Command;

use keytrail_fixtures::signed::{Store, Trail};

use crate::place::{Disk, chain};
use crate::run::{keytrail, run};

fn text(disk: &Disk, args: &[&str]) -> crate::run::Done {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keytrail"));
    command.env_clear().args(["verify", &disk.path("logs"), "--public-keys", &disk.path("keys.json")]).args(args);
    run(command)
}

fn store() -> Store {
    let mut store = Store::default();
    let mut chain = chain(&mut store, Trail::default(), 6, 1);
    chain.log(&mut store, 5);
    store
}

#[test]
fn the_text_names_verdict_counts_and_problems() {
    let mut store = store();
    let (logs, digests) = (store.keys(false), store.keys(true));
    store.get(&logs[4]).bytes[40] ^= 1;
    store.delete(&digests[3]);
    let disk = Disk::of(&store, true);
    let done = text(&disk, &[]).ended(10);
    let report = String::from_utf8(done.out).unwrap().replace(&disk.path("logs"), "./logs");
    insta::assert_snapshot!(report);
    in_the_readme(&report);
}

/// The README shows what the code prints. `BLESS=1 cargo test -p keytrail --test verify` rewrites it.
fn in_the_readme(report: &str) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md");
    let readme = std::fs::read_to_string(path).unwrap();
    let (begin, end) = ("<!-- sample: verify -->\n", "<!-- end of verify -->");
    let (before, rest) = readme.split_once(begin).unwrap();
    let (_, after) = rest.split_once(end).unwrap();
    let fresh = format!("{before}{begin}```text\n{report}```\n\n{end}{after}");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(path, &fresh).unwrap();
    }
    assert!(readme == fresh || std::env::var_os("BLESS").is_some(), "the sample of verify in the README is stale");
    for kind in keytrail::integrity::Kind::ALL {
        let row = format!("| `{}` | {} | {} |", kind.id(), kind.verdict().id(), kind.meaning());
        assert!(fresh.contains(&row), "the README lacks {row}");
    }
}

/// Without a digest there is no Region to fetch keys of: that nothing is signed is what has to be said.
#[test]
fn logs_without_any_digest_are_told_as_that() {
    let mut store = store();
    for digest in store.keys(true) {
        store.delete(&digest);
    }
    let disk = Disk::of(&store, true);
    let mut command = Command::new(env!("CARGO_BIN_EXE_keytrail"));
    command.env_clear().args(["verify", &disk.path("logs")]);
    let done = run(command).ended(3);
    assert!(done.err.contains("no digest of them") && !done.err.contains("list-public-keys"), "{}", done.err);
}

#[test]
fn a_clean_text_is_short() {
    let disk = Disk::of(&store(), true);
    let report = String::from_utf8(text(&disk, &[]).ended(0).out).unwrap();
    assert!(report.starts_with("VALID"), "{report}");
    assert!(report.lines().count() < 12, "{report}");
}

#[test]
fn names_cannot_act_in_a_terminal() {
    let mut store = store();
    let object = store.get(&store.keys(false)[0].clone()).clone();
    store.put("AWSLogs/111122223333/CloudTrail/eu-west-1/2026/09/01/\u{1b}[2J\u{202e}x.json.gz", object);
    let disk = Disk::of(&store, true);
    for format in ["text", "json"] {
        let done = text(&disk, &["--format", format]);
        let report = String::from_utf8(done.out).unwrap();
        assert!(!report.contains(['\u{1b}', '\u{202e}']), "{report}");
        // A line may break anywhere.
        assert!(report.replace([' ', '\n'], "").contains("x.json.gz"), "{report}");
    }
}

#[test]
fn a_report_goes_to_a_file_and_the_verdict_to_standard_error() {
    let mut store = store();
    store.delete(&store.keys(false)[0].clone());
    let disk = Disk::of(&store, true);
    let done = text(&disk, &["--output", &disk.path("verdict.json")]).ended(10);
    assert!(done.out.is_empty());
    assert!(done.err.contains("the logs are invalid: 1 problem"), "{}", done.err);
    let written: serde_json::Value =
        serde_json::from_slice(&std::fs::read(disk.path("verdict.json")).unwrap()).unwrap();
    assert_eq!(written["verdict"], "invalid");
}

#[test]
fn what_cannot_be_verified_is_no_success() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().display().to_string();
    for (args, code) in [
        (vec!["-"], 2),
        (vec![path.as_str()], 3),
        (vec!["/no/such/folder"], 3),
        (vec![path.as_str(), "--from", "2026-09-02", "--to", "2026-09-01"], 2),
    ] {
        let mut command = keytrail("verify");
        command.args(&args);
        assert_eq!(run(command).code, code, "{args:?}");
    }
}

#[test]
fn the_same_bytes_whatever_the_threads() {
    let mut store = store();
    for key in store.keys(false).into_iter().step_by(2) {
        store.get(&key).bytes.truncate(12);
    }
    let disk = Disk::of(&store, true);
    let [one, four] = ["1", "4"].map(|threads| disk.verify(&["--threads", threads]).ended(10).out);
    assert_eq!(one, four);
}

/// A file that may not be read proves nothing, for or against.
#[cfg(unix)]
#[test]
fn a_log_that_may_not_be_read_is_not_proven() {
    use std::os::unix::fs::symlink;
    let store = store();
    let disk = Disk::of(&store, true);
    let log = format!("{}/{}", disk.path("logs"), store.keys(false)[2]);
    std::fs::remove_file(&log).unwrap();
    symlink("/no/such/file", &log).unwrap();
    let json = disk.verify(&[]).ended(4).json();
    assert_eq!((&json["logs"]["unproven"], &json["problems"][0]["kind"]), (&1.into(), &"not-covered".into()));
}
