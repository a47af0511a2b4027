//! Inventories as evidence: which files they are, and which keys they are held against.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::UNIX_EPOCH;

use sha2::{Digest as _, Sha256};
use walkdir::WalkDir;

use super::hashing::Hashing;
use super::{ScanError, ScanOptions};
use crate::config::Settings;
use crate::decode::gzip::{Inflater, Taker};
use crate::decode::{Limits, SkipReason};
use crate::finding::{Finding, Proof};
use crate::frame::Dictionary;
use crate::inventory::{Gathered, Inventory, Misread, gather};
use crate::report::human::hex;
use crate::view::beside::{Contradiction, Reach};
use crate::view::{Coverage, KeyView};

/// Answers about some hundred thousand keys, packed or not.
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
        let (gathered, sums) = gather_files(&options.inventory)?;
        let mut inventory = Inventory::of(gathered, options.as_of.or(options.to));
        inventory.digest = sums.digest();
        inventory.sums = sums.files.into_iter().map(|(name, (sum, _))| (name, sum)).collect();
        if inventory.is_empty() && inventory.misread.is_empty() {
            let text = "says nothing of any key before the instant that was asked for";
            return Err(ScanError::NothingToRead(format!("the inventory in {} {text}", options.inventory.join(", "))));
        }
        Ok(Self { inventory: Some(Arc::new(inventory)), seen: Mutex::default() })
    }

    /// Id of everything beside the logs that decides what is found: the settings, and what an inventory says.
    pub(super) fn digest(&self, settings: &Settings) -> String {
        let own = settings.digest();
        self.inventory.as_ref().map_or(own.clone(), |inventory| {
            blake3::hash(format!("keytrail.settings+inventory/1\n{own}\n{}\n", inventory.digest).as_bytes()).to_string()
        })
    }

    /// Puts the hash of its file to every answer that a finding rests on.
    pub(super) fn prove(&self, findings: &mut [Finding]) {
        let Some(inventory) = &self.inventory else { return };
        let answers = findings.iter_mut().flat_map(|finding| &mut finding.evidence);
        for answer in answers.filter(|evidence| evidence.is_answer()) {
            let sha256 = inventory.sums.get(&answer.object).cloned();
            answer.proof = Some(Proof { sha256, ..Proof::default() });
        }
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

/// What was read, by name: SHA-256, and the time of the file where that tells when something was said.
#[derive(Debug, Default)]
pub(super) struct Sums {
    files: BTreeMap<String, (String, Option<i64>)>,
}

impl Sums {
    /// SHA-256 over the sorted lines `SHA256` or `SHA256 TIME` of all files, hex: where they lie does not matter.
    fn digest(&self) -> String {
        let time = |time: &Option<i64>| time.map_or(String::new(), |time| format!(" {time}"));
        let mut lines: Vec<String> = self.files.values().map(|(sum, at)| format!("{sum}{}\n", time(at))).collect();
        lines.sort();
        hex(&Sha256::digest(lines.concat()))
    }
}

/// Reads files, and all files of folders, in the order of their names.
pub(super) fn gather_files(places: &[String]) -> Result<(Gathered, Sums), ScanError> {
    let (mut gathered, mut sums) = (Gathered::default(), Sums::default());
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
                // What was named itself may be a pipe.
                Ok(entry) if entry.path().is_file() || (entry.depth() == 0 && !entry.path().is_dir()) => {
                    files.push(entry.into_path());
                }
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
    let mut inflater = Inflater::new(Limits { max_inflated: MOST_BYTES, ..Limits::default() });
    for file in files {
        let name = file.display().to_string();
        match read(&mut inflater, &file) {
            Ok(Stored { written, bytes, sum }) => {
                let before = gathered.answers.len();
                gather(&mut gathered, &name, written, &bytes);
                let own_time =
                    gathered.answers[before..].iter().any(|answer| Some(answer.stamp.captured_at) == written);
                sums.files.insert(name, (sum, written.filter(|_| own_time)));
            }
            Err(error) => gathered.misread.push(Misread { source: name, reason: error.to_string() }),
        }
    }
    Ok((gathered, sums))
}

/// A file that was read once.
struct Stored {
    /// When it was written; a pipe does not tell.
    written: Option<i64>,
    /// What is in it, unpacked.
    bytes: Vec<u8>,
    /// SHA-256 of it as it is stored, hex.
    sum: String,
}

fn read(inflater: &mut Inflater, path: &Path) -> io::Result<Stored> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    let written = metadata.is_file().then(|| metadata.modified()).transpose()?;
    let written = written.map(|at| at.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis());
    let mut file = file.take(MOST_BYTES + 1);
    let mut source = Hashing::new(&mut file);
    let mut whole = Whole::default();
    let outcome = inflater.read(&mut source, metadata.is_file().then_some(metadata.len()), &mut whole);
    if outcome.compressed > MOST_BYTES {
        return Err(io::Error::other("larger than 256 MiB"));
    }
    match outcome.skip {
        Some(SkipReason::TooLarge) => Err(io::Error::other("larger than 256 MiB")),
        Some(SkipReason::Empty) | None if !outcome.trailing => Ok(Stored {
            written: written.map(|at| i64::try_from(at).unwrap_or(i64::MAX)),
            bytes: whole.0,
            sum: source.finish().ok_or_else(|| io::Error::other("it was not read to its end"))?,
        }),
        Some(reason) => Err(io::Error::other(reason.meaning())),
        None => Err(io::Error::other("bytes follow the gzip stream")),
    }
}

/// Keeps all that comes.
#[derive(Default)]
struct Whole(Vec<u8>);

impl Taker for Whole {
    fn stage(&mut self) {}

    fn take(&mut self, bytes: &[u8], _last: bool) -> usize {
        self.0.extend_from_slice(bytes);
        bytes.len()
    }
}
