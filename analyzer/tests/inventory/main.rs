//! Inventories beside the log, through the real binary.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod config;
mod evidence;
mod report;
mod retire;
mod rules;
#[allow(dead_code, reason = "shared with tests that need more of it")]
#[path = "../support/run.rs"]
mod run;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use serde_json::Value;
use tempfile::TempDir;

const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/sample");

/// A folder of answers as the AWS CLI prints them, written at chosen times.
struct Answers {
    folder: TempDir,
}

impl Answers {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> &str {
        self.folder.path().to_str().unwrap()
    }

    /// Writes a file; `at` is seconds since the epoch.
    fn write(&self, name: &str, at: u64, answer: &Value) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, answer.to_string()).unwrap();
        written(&path, at);
        path
    }
}

fn written(path: &Path, at: u64) {
    File::options().write(true).open(path).unwrap().set_modified(UNIX_EPOCH + Duration::from_secs(at)).unwrap();
}

fn keytrail(command: &str, args: &[&str]) -> run::Done {
    let mut command = run::keytrail(command);
    command.args(args);
    run::run(command)
}

/// The row of a key.
fn row<'d>(document: &'d Value, arn: &str) -> &'d Value {
    document["keys"].as_array().unwrap().iter().find(|key| key["arn"] == arn).unwrap()
}

/// ARN of the key of this alias.
fn arn_of(document: &Value, alias: &str) -> String {
    let has = |key: &&Value| key["aliases"].as_array().unwrap().iter().any(|name| name == alias);
    document["keys"].as_array().unwrap().iter().find(has).unwrap()["arn"].as_str().unwrap().to_string()
}
