//! Inventories as evidence: which files they are, and which keys they are held against.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::UNIX_EPOCH;

use walkdir::WalkDir;

use super::{ScanError, ScanOptions};
use crate::frame::Dictionary;
use crate::inventory::{Gathered, Inventory, Misread, gather};
use crate::view::beside::{Contradiction, Reach};
use crate::view::{Coverage, KeyView};

/// Answers about some hundred thousand keys.
const MOST_BYTES: u64 = 256 << 20;

/// An inventory, and which of its keys the log has.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    pub(super) inventory: Option<Arc<Inventory>>,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    /// Keys of the inventory that the log has.
    in_log: BTreeSet<String>,
    contradictions: Vec<(String, Contradiction)>,
    not_in_log: u64,
}

impl Evidence {
    /// Reads what was given as inventory, up to the instant that was asked for.
    pub(super) fn read(options: &ScanOptions) -> Result<Self, ScanError> {
        if options.inventory.is_empty() {
            return Ok(Self::default());
        }
        let inventory = Inventory::of(gather_files(&options.inventory)?, options.as_of.or(options.to));
        if inventory.is_empty() && inventory.misread.is_empty() {
            let text = "says nothing of any key before the instant that was asked for";
            return Err(ScanError::NothingToRead(format!("the inventory in {} {text}", options.inventory.join(", "))));
        }
        Ok(Self { inventory: Some(Arc::new(inventory)), seen: Mutex::default() })
    }

    /// Puts what the inventory says beside what the log shows.
    pub(super) fn compare(&self, keys: &mut [KeyView], dictionary: &Dictionary, reach: Reach) {
        let Some(inventory) = &self.inventory else { return };
        keys.iter_mut().for_each(|key| key.compare(inventory, dictionary, reach));
        let mut seen = self.seen();
        for key in keys {
            seen.contradictions.extend(key.beside.contradictions.iter().map(|one| (key.arn.clone(), one.clone())));
            if key.beside.facts.is_some() {
                seen.in_log.insert(key.arn.clone());
            }
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells what it came to.
    pub(super) fn finish(&self, coverage: &mut Coverage) {
        let mut seen = self.seen();
        seen.contradictions.sort();
        coverage.inventory.clone_from(&self.inventory);
        coverage.contradictions = std::mem::take(&mut seen.contradictions);
        coverage.not_in_log = seen.not_in_log;
    }

    /// Keys that only the inventory has.
    pub(super) fn not_in_log(&self, options: &ScanOptions, dictionary: &Dictionary) -> Vec<KeyView> {
        let Some(inventory) = &self.inventory else { return Vec::new() };
        let asked = |wanted: &[String], own: &String| wanted.is_empty() || wanted.contains(own);
        let mut seen = self.seen();
        let keys = inventory.keys.values().filter(|facts| {
            !seen.in_log.contains(&facts.arn)
                && asked(&options.accounts, &facts.account)
                && asked(&options.regions, &facts.region)
        });
        let keys: Vec<KeyView> = keys.map(|facts| KeyView::not_in_log(facts, dictionary.intern(&facts.arn))).collect();
        seen.not_in_log = keys.len() as u64;
        keys
    }
}

/// Reads files, and all files of folders, in the order of their names.
pub(super) fn gather_files(places: &[String]) -> Result<Gathered, ScanError> {
    let mut gathered = Gathered::default();
    let mut files: Vec<PathBuf> = Vec::new();
    for place in places {
        if place.starts_with("s3://") {
            let text = format!("an inventory is read from files: aws s3 sync {place} FOLDER, then --inventory FOLDER");
            return Err(ScanError::Usage(text));
        }
        if !Path::new(place).exists() {
            return Err(ScanError::NothingToRead(format!("there is no file or folder {place}")));
        }
        let hidden = |name: &std::ffi::OsStr| name.to_string_lossy().starts_with('.');
        let walk = WalkDir::new(place).sort_by_file_name().into_iter();
        for entry in walk.filter_entry(|entry| entry.depth() == 0 || !hidden(entry.file_name())) {
            match entry {
                Ok(entry) if entry.path().is_file() => files.push(entry.into_path()),
                Ok(_) => {}
                Err(error) => {
                    let source = error.path().map_or_else(|| place.clone(), |path| path.display().to_string());
                    gathered.misread.push(Misread { source, reason: error.to_string() });
                }
            }
        }
    }
    files.sort();
    files.dedup();
    if files.is_empty() && gathered.misread.is_empty() {
        return Err(ScanError::NothingToRead(format!("there are no files in {}", places.join(", "))));
    }
    for file in files {
        let name = file.display().to_string();
        match read(&file) {
            Ok((written, bytes)) => gather(&mut gathered, &name, written, &bytes),
            Err(error) => gathered.misread.push(Misread { source: name, reason: error.to_string() }),
        }
    }
    Ok(gathered)
}

/// When a file was written, and what is in it.
fn read(path: &Path) -> io::Result<(i64, Vec<u8>)> {
    let written = fs::metadata(path)?.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut bytes = Vec::new();
    File::open(path)?.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(io::Error::other("larger than 256 MiB"));
    }
    Ok((i64::try_from(written.as_millis()).unwrap_or(i64::MAX), bytes))
}
