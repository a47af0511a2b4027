//! `keytrail suppress` through the real binary.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

#[allow(dead_code, reason = "shared with tests that need more of it")]
#[path = "support/run.rs"]
mod run;

use std::path::Path;
use std::process::Command;

use run::{run, scan};
use serde_json::Value;

const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/sample");
const WHY: [&str; 6] = ["--reason", "SEC-123: \"known\"", "--until", "2026-12-31", "--approved-by", "carol"];

fn suppress(id: &str, args: &[&str]) -> run::Done {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keytrail"));
    command.env_clear().args(["suppress", id, SAMPLE]).args(args);
    run(command)
}

fn findings(config: Option<&Path>) -> Vec<Value> {
    let mut args = Vec::new();
    if let Some(config) = config {
        args.extend(["--config", config.to_str().unwrap()]);
    }
    scan(&[SAMPLE], &args).ended(0).json()["findings"].as_array().unwrap().clone()
}

fn suppressed(config: &Path) -> Vec<Value> {
    findings(Some(config)).into_iter().filter(|finding| finding["status"] == "suppressed").collect()
}

#[test]
fn what_is_written_hides_what_it_said() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("keytrail.toml");
    let rotation: Vec<Value> =
        findings(None).into_iter().filter(|finding| finding["rule"] == "missing-rotation").collect();
    let first = rotation.iter().find(|finding| finding["severity"] == "medium").unwrap();
    let id = first["id"].as_str().unwrap();

    // Printed only: nothing is written.
    let done = suppress(id, &[&WHY[..], &["--quiet"]].concat()).ended(0);
    let printed = String::from_utf8(done.out).unwrap();
    assert!(printed.contains("[[suppress]]") && printed.contains(r#"reason = "SEC-123: \"known\"""#), "{printed}");
    std::fs::write(&config, &printed).unwrap();
    let hidden = suppressed(&config);
    assert_eq!(hidden.iter().map(|finding| &finding["id"]).collect::<Vec<_>>(), [&first["id"]]);

    // Added to what is there.
    let config_args = ["--config", config.to_str().unwrap(), "--write", "--whole-key"];
    let other = findings(None).into_iter().find(|finding| finding["rule"] == "key-deletion-scheduled").unwrap();
    suppress(other["id"].as_str().unwrap(), &[&WHY[..], &config_args].concat()).ended(0);
    assert_eq!(std::fs::read_to_string(&config).unwrap().matches("[[suppress]]").count(), 2);
    let rules: Vec<Value> = suppressed(&config).into_iter().map(|finding| finding["rule"].clone()).collect();
    assert!(rules.contains(&other["rule"]) && rules.contains(&first["rule"]), "{rules:?}");
}

#[test]
fn wrong_entries_are_refused_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("keytrail.toml");
    std::fs::write(&config, "# ours\n").unwrap();
    let id = findings(None)[0]["id"].as_str().unwrap().to_string();
    let place = ["--config", config.to_str().unwrap(), "--write"];
    let with = |why: &[&str]| suppress(&id, &[why, &place].concat());
    with(&["--reason", "x", "--until", "tomorrow", "--approved-by", "carol"]).ended(2);
    with(&["--reason", " ", "--until", "2026-12-31", "--approved-by", "carol"]).ended(2);
    with(&["--reason", "x\ny", "--until", "2026-12-31", "--approved-by", "carol"]).ended(2);
    with(&["--until", "2026-12-31", "--approved-by", "carol"]).ended(2);
    suppress("00000000000000000000000000000000", &[&WHY[..], &place].concat()).ended(3);
    assert_eq!(std::fs::read_to_string(&config).unwrap(), "# ours\n");
}

#[test]
fn an_entry_that_would_hide_nothing_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("keytrail.toml");
    let place = ["--config", config.to_str().unwrap(), "--write"];
    std::fs::write(&config, "# ours\n").unwrap();
    let id = findings(None)[0]["id"].as_str().unwrap().to_string();
    let until =
        |day: &str| suppress(&id, &[&["--reason", "x", "--until", day, "--approved-by", "carol"], &place[..]].concat());

    // The log ends on 2026-09-10.
    let done = until("2026-09-09").ended(2);
    assert!(done.err.contains("would hide nothing") && done.err.contains("2026-09-10"), "{}", done.err);
    assert_eq!(std::fs::read_to_string(&config).unwrap(), "# ours\n");
    until("2026-09-10").ended(0);
    assert_eq!(suppressed(&config).len(), 1);

    // The same once more would be said to match, and would do nothing; a later end does.
    let once = std::fs::read_to_string(&config).unwrap();
    let done = until("2026-09-10").ended(2);
    assert!(done.err.contains("in line 4"), "{}", done.err);
    assert_eq!(std::fs::read_to_string(&config).unwrap(), once);
    until("2026-12-31").ended(0);
}
