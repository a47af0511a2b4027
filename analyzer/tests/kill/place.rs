//! Logs, and lakes that are made of them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use keytrail::lake::{Folder, Lake};
use keytrail_fixtures::Rng;
use keytrail_fixtures::bulk::{Bulk, Settings};

use crate::content::{content, names};
use crate::moments::{Moment, count, kill, measured, number, start};
use crate::run::{ingest, keytrail};

/// Kills that one test makes.
pub(crate) fn kills() -> u64 {
    number("KEYTRAIL_KILLS", 5)
}

/// A generator of moments, which says what to set to get the same again.
pub(crate) fn rng(test: u64) -> Rng {
    let seed = number("KEYTRAIL_SEED", 1);
    eprintln!("KEYTRAIL_SEED={seed}");
    Rng::part(seed, test)
}

pub(crate) struct Place {
    folder: tempfile::TempDir,
    pub(crate) logs: PathBuf,
}

impl Place {
    pub(crate) fn new(settings: Settings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let logs = folder.path().join("logs");
        Bulk::new(settings).write(&logs, 2).unwrap();
        Self { folder, logs }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A lake that an undisturbed run made, and what that took.
    pub(crate) fn undisturbed(&self) -> (Vec<String>, Duration, usize) {
        let lake = self.path("undisturbed");
        let (done, whole) = measured(|| ingest(&[&self.logs], &lake, &SMALL));
        done.ended(0);
        (content(&open(&lake)), whole, count(&lake))
    }
}

/// Little memory: a run writes many batches, each visible for itself.
pub(crate) const SMALL: [&str; 2] = ["--memory", "16KiB"];

/// The command that is killed.
pub(crate) fn filling(sources: &[PathBuf], lake: &Path) -> Command {
    let mut command = keytrail("ingest");
    command.args(SMALL).args(sources).arg("--lake").arg(lake);
    command
}

/// Runs a command again and again until it ends by itself. Gives the number of kills.
pub(crate) fn until_done(
    command: impl Fn() -> Command,
    signal: &str,
    lake: &Path,
    mut moment: impl FnMut() -> Option<Moment>,
) -> u64 {
    let mut kills = 0;
    loop {
        // Nothing left to kill: wait as long as it takes.
        let moment = moment().unwrap_or(Moment::Files(usize::MAX));
        let status = kill(start(command()), signal, moment, lake);
        match status.code() {
            None => kills += 1,
            Some(code) => {
                assert_eq!(code, 0, "after {kills} kills");
                return kills;
            }
        }
    }
}

pub(crate) fn open(lake: &Path) -> Lake {
    Lake::open(Arc::new(Folder::new(lake))).unwrap()
}

/// Fails when a lake says something else than it should, says it twice, or holds files that nobody knows of.
#[track_caller]
pub(crate) fn assert_lake(label: &str, lake: &Path, expected: &[String]) {
    let open = open(lake);
    let found = content(&open);
    let [all, wanted] = [&found[..], expected].map(|rows| rows.iter().collect::<BTreeSet<_>>());
    let missing: Vec<_> = wanted.difference(&all).take(3).collect();
    let surplus: Vec<_> = all.difference(&wanted).take(3).collect();
    assert!(missing.is_empty() && surplus.is_empty(), "{label}: missing {missing:#?}, surplus {surplus:#?}");
    assert_eq!(found.len(), expected.len(), "{label}: something is there twice");

    let listed: BTreeSet<String> = open
        .snapshot()
        .unwrap()
        .shards
        .into_iter()
        .flat_map(|state| state.manifest.parts)
        .map(|part| part.path)
        .collect();
    let parts = |name: &String| name.starts_with("events/") || name.starts_with("objects/");
    let there: BTreeSet<String> = names(&open).into_iter().filter(parts).collect();
    assert_eq!(there, listed, "{label}: parts that no manifest lists, or the other way round");
    let temporary: Vec<PathBuf> = crate::run::files(lake);
    let temporary: Vec<_> = temporary.iter().filter(|file| file.to_string_lossy().contains("/.keytrail-")).collect();
    assert!(temporary.is_empty(), "{label}: {temporary:?}");
}
