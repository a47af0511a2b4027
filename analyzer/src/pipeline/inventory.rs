//! `keytrail inventory`: asks AWS and keeps the answers, a file for each account and Region, each whole or not at all.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use chrono::{DateTime, SecondsFormat};
use tempfile::NamedTempFile;

use super::Progress;
use crate::inventory::live::{Captured, Live, LiveError, LiveOptions, kept};

/// Stands in the folder while a run is not through, with the time at which it began.
const UNFINISHED: &str = ".unfinished";
/// Longest content of that file, and of a file that is looked at whether it is to be asked for again.
const MOST_BYTES: u64 = 256 << 20;

/// What an inventory came to.
#[derive(Clone, Debug, Default)]
pub struct Taken {
    /// Files that this run wrote.
    pub written: u64,
    /// Files that an earlier part of this run wrote.
    pub kept: u64,
    /// Keys in the files that this run wrote.
    pub keys: u64,
    /// Accounts that were asked.
    pub accounts: u64,
    /// Calls that were not answered: how many by reason and call, and what was said to one of them.
    pub refused: BTreeMap<(String, &'static str), (u64, String)>,
    /// When the run began that this one goes on with, milliseconds.
    pub continued: Option<i64>,
}

/// Why there is no inventory.
#[derive(Debug, thiserror::Error)]
pub enum InventoryError {
    /// Nothing can be asked.
    #[error(transparent)]
    Live(#[from] LiveError),
    /// Nothing can be kept.
    #[error("cannot write to {folder}: {error}")]
    Folder {
        /// Where.
        folder: String,
        /// Why.
        error: io::Error,
    },
}

/// Asks AWS and writes the answers to a folder. A run that was broken off is gone on with: what it has written whole, and
/// without a refusal, is not asked again.
///
/// # Errors
/// When the credentials are none, or the folder cannot be written to. What is refused is told in what it came to.
pub fn take(mut options: LiveOptions, folder: &Path, progress: &dyn Progress) -> Result<Taken, InventoryError> {
    let failed = |error: io::Error| InventoryError::Folder { folder: folder.display().to_string(), error };
    let mark = folder.join(UNFINISHED);
    let mut taken = Taken { continued: began(&mark), ..Taken::default() };
    let run = taken.continued.unwrap_or(options.run);
    options.run = run;
    let live = Live::new(options)?;
    let (accounts, organization) = live.accounts()?;
    fs::create_dir_all(folder).map_err(failed)?;
    write(&mark, instant(run).as_bytes()).map_err(failed)?;
    let mut keep = |captured: Captured| -> io::Result<()> {
        for (reason, call, detail) in &captured.refused {
            taken.refused.entry((reason.clone(), *call)).or_insert_with(|| (0, detail.clone())).0 += 1;
        }
        taken.keys += captured.keys;
        let path = folder.join(&captured.name).with_extension("json");
        if captured.says_nothing {
            return match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            };
        }
        taken.written += 1;
        progress.object(captured.document.len() as u64, captured.document.len() as u64, captured.keys);
        write(&path, captured.document.as_bytes())
    };
    keep(organization).map_err(failed)?;
    let kept_before = std::cell::Cell::new(0);
    for account in &accounts {
        let wanted = |region: &str| {
            let path = folder.join(format!("{}-{region}.json", account.id));
            let known = read(&path).is_ok_and(|bytes| kept(&bytes) == Some((run, true)));
            kept_before.set(kept_before.get() + u64::from(known));
            !known
        };
        live.ask(account, &wanted, &mut keep).map_err(failed)?;
    }
    taken.accounts = accounts.len() as u64;
    taken.kept = kept_before.get();
    fs::remove_file(&mark).map_err(failed)?;
    progress.finish();
    Ok(taken)
}

/// When the run began that was broken off.
fn began(mark: &Path) -> Option<i64> {
    let text = String::from_utf8(read(mark).ok()?).ok()?;
    DateTime::parse_from_rfc3339(text.trim()).ok().map(|at| at.timestamp_millis())
}

fn instant(ms: i64) -> String {
    DateTime::from_timestamp_millis(ms).unwrap_or_default().to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MOST_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Writes beside the place and renames into it.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder: PathBuf = path.parent().map(Path::to_path_buf).unwrap_or_default();
    let mut file = NamedTempFile::with_prefix_in(".", folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map(drop).map_err(|error| error.error)
}
