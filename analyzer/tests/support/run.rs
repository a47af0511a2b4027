//! The real binary, run as users run it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// How a run ended.
pub(crate) struct Done {
    pub(crate) code: i32,
    pub(crate) out: Vec<u8>,
    pub(crate) err: String,
}

impl Done {
    pub(crate) fn of(output: Output) -> Self {
        let err = String::from_utf8_lossy(&output.stderr).into_owned();
        Self { code: output.status.code().unwrap_or(-1), out: output.stdout, err }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.out).unwrap_or_else(|error| panic!("{error}; exit {}: {}", self.code, self.err))
    }

    /// The run, if it ended with this code.
    #[track_caller]
    pub(crate) fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}", self.err);
        self
    }
}

/// The binary, without anything of the environment that could change what it does.
pub(crate) fn keytrail(subcommand: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keytrail"));
    command.env_clear().args([subcommand, "--format", "json", "--quiet"]);
    command
}

pub(crate) fn run(mut command: Command) -> Done {
    Done::of(command.output().unwrap())
}

pub(crate) fn scan(sources: &[impl AsRef<OsStr>], args: &[&str]) -> Done {
    let mut command = keytrail("scan");
    command.args(args).args(sources);
    run(command)
}

pub(crate) fn ingest(sources: &[impl AsRef<OsStr>], lake: &Path, args: &[&str]) -> Done {
    let mut command = keytrail("ingest");
    command.args(args).args(sources).arg("--lake").arg(lake);
    run(command)
}

/// Objects that an ingest read: new, replaced, unchanged.
pub(crate) fn counted(done: &Done) -> [u64; 3] {
    let objects = &done.json()["objects"];
    ["new", "replaced", "unchanged"].map(|name| objects[name].as_u64().unwrap())
}

/// All files below a folder, sorted.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = walkdir::WalkDir::new(folder).sort_by_file_name();
    entries.into_iter().map(Result::unwrap).filter(|entry| !entry.file_type().is_dir()).map(|e| e.into_path()).collect()
}

/// Where two documents differ first, for a message that can be read.
#[track_caller]
pub(crate) fn assert_same(label: &str, logs: &Done, lake: &Done) {
    assert_eq!(logs.code, lake.code, "{label}: {} / {}", logs.err, lake.err);
    if logs.out == lake.out {
        return;
    }
    let [logs, lake] = [logs, lake].map(|done| String::from_utf8_lossy(&done.out).into_owned());
    let at = logs.lines().zip(lake.lines()).position(|(a, b)| a != b).unwrap_or(0);
    let near = |text: &str| text.lines().skip(at.saturating_sub(6)).take(14).collect::<Vec<_>>().join("\n");
    panic!("{label}: line {}\n--- expected\n{}\n--- found\n{}", at + 1, near(&logs), near(&lake));
}
