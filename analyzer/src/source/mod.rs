//! Where bytes come from: lists the objects that a SOURCE names, and opens them one by one.
//!
//! Listing never reads an object. What the path alone tells is used here (a digest, another service's log, a day nobody
//! asked for); everything else is decided later, by content. An entry that cannot be listed becomes an object with a
//! reason, so that it is counted like one that cannot be read.

pub mod fetch;
pub mod layout;
mod local;
pub mod names;
#[cfg(feature = "aws")]
pub mod s3;
mod stdin;

use std::io::{self, Read};
use std::path::{Path, PathBuf};
#[cfg(feature = "aws")]
use std::sync::Arc;

use chrono::{DateTime, SecondsFormat, Utc};

pub use fetch::{Body, Fetched, Metadata, fetch, fetch_numbered};
pub use layout::{Layout, ObjectKind, tail};
pub use names::Names;

use crate::decode::SkipReason;

/// One object: something that has bytes and a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Name in outputs: the path as the user gave it, `-` for standard input. Unique in a listing.
    pub uri: String,
    /// Bytes as stored, when that is known before reading.
    pub size: Option<u64>,
    /// Set when the name alone proves that there is nothing to read in it, or when it could not be listed.
    pub skip: Option<SkipReason>,
    /// What the system said about an object that could not be listed.
    pub detail: Option<String>,
    /// What tells one content from another: the ETag in S3; of a file the time of its last change, once it was asked for.
    pub etag: Option<Box<str>>,
    place: Place,
}

/// How to get at the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    /// The URI is the path. Nearly every object is of this kind, and there may be millions.
    Uri,
    /// The path, where the URI is not quite it: names that are not UTF-8.
    Path(PathBuf),
    Stdin,
    /// With whoever brings it.
    Memory,
    /// In this bucket; the URI is `s3://bucket/key`.
    #[cfg(feature = "aws")]
    S3(Arc<str>),
}

impl Object {
    /// A file, whatever it holds.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let (uri, place) = match path.into_os_string().into_string() {
            Ok(uri) => (uri, Place::Uri),
            Err(path) => (path.to_string_lossy().into_owned(), Place::Path(path.into())),
        };
        Self { uri, size: None, skip: None, detail: None, etag: None, place }
    }

    /// An object in S3. Where size or ETag are not known, S3 is asked for them before it is read; an ETag may stand with or
    /// without its quotes.
    #[cfg(feature = "aws")]
    pub fn in_bucket(bucket: &str, key: &str, size: Option<u64>, etag: Option<&str>) -> Self {
        let uri = format!("s3://{bucket}/{key}");
        // As listings write it: both must tell the same object.
        let etag = etag.map(|etag| format!("\"{}\"", etag.trim_matches('"')).into());
        let skip = skip_by_name(&Layout::of(&uri));
        Self { uri, size, skip, detail: None, etag, place: Place::S3(bucket.into()) }
    }

    /// An object whose bytes come along with it.
    pub fn in_memory(uri: String, bytes: &[u8]) -> Self {
        let etag = Some(blake3::hash(bytes).to_hex().as_str().into());
        Self { uri, size: Some(bytes.len() as u64), skip: None, detail: None, etag, place: Place::Memory }
    }

    /// An object of which only the name is at hand: it cannot be opened.
    pub fn named(uri: String) -> Self {
        Self { uri, size: None, skip: None, detail: None, etag: None, place: Place::Memory }
    }

    /// What its name tells. Computed anew at every call: a listing of millions shall not carry it along.
    pub fn layout(&self) -> Layout {
        Layout::of(&self.uri)
    }

    /// Asks when a file was last changed, and takes that for its `etag`.
    pub fn stamp(&mut self) {
        let Some(changed) = self.path().and_then(|path| path.metadata().ok()?.modified().ok()) else { return };
        let changed: DateTime<Utc> = changed.into();
        self.etag = Some(changed.to_rfc3339_opts(SecondsFormat::Nanos, true).into());
    }

    /// The path, when it is a file.
    pub fn path(&self) -> Option<&Path> {
        match &self.place {
            Place::Uri => Some(Path::new(&self.uri)),
            Place::Path(path) => Some(path),
            Place::Stdin | Place::Memory => None,
            #[cfg(feature = "aws")]
            Place::S3(_) => None,
        }
    }

    /// Bucket and key, when it is in S3.
    #[cfg(feature = "aws")]
    pub fn bucket_and_key(&self) -> Option<(&Arc<str>, &str)> {
        let Place::S3(bucket) = &self.place else { return None };
        let key = self.uri.strip_prefix("s3://")?.strip_prefix(&**bucket)?.strip_prefix('/')?;
        Some((bucket, key))
    }

    /// Its bytes as stored, unbuffered. Standard input gives them once. Objects in S3 are fetched, many at a time.
    pub fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        match (&self.place, self.path()) {
            (Place::Stdin, _) => Ok(stdin::open()),
            (_, Some(path)) => Ok(Box::new(std::fs::File::open(path)?)),
            (_, None) => Err(io::ErrorKind::Unsupported.into()),
        }
    }
}

/// What was asked for. Objects are left out only when their path proves that they hold none of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Accounts whose logs are wanted; empty for all.
    pub accounts: Vec<String>,
    /// Regions whose logs are wanted; empty for all.
    pub regions: Vec<String>,
    /// Events from this moment on, milliseconds since the epoch.
    pub from: Option<i64>,
    /// Events before this moment, milliseconds since the epoch.
    pub to: Option<i64>,
    /// Digest files are wanted too.
    pub digests: bool,
}

impl Filter {
    /// A file holds events from before its delivery. Its name gives the delivery rounded to minutes, by a clock that is not
    /// the clock of the events: an hour is far more than both can be off, and costs a few files.
    const SLACK_MS: i64 = 3_600_000;

    /// CloudTrail retries for 30 days when it cannot reach the bucket.
    const LATEST_MS: i64 = 31 * 86_400_000;

    /// The reason not to read an object that its name alone proves.
    pub fn skip(&self, layout: &Layout) -> Option<SkipReason> {
        skip_by_name(layout).filter(|reason| !(self.digests && *reason == SkipReason::Digest))
    }

    /// True when an object of this name may hold what was asked for.
    pub fn admits(&self, layout: &Layout) -> bool {
        let wanted = |list: &[String], value: &Option<String>| {
            list.is_empty() || value.as_ref().is_none_or(|value| list.contains(value))
        };
        if !wanted(&self.accounts, &layout.account) || !wanted(&self.regions, &layout.region) {
            return false;
        }
        let Some((earliest, latest)) = layout.delivery_window() else { return true };
        let too_early = self.from.is_some_and(|from| latest.saturating_add(Self::SLACK_MS) < from);
        let too_late = self.to.is_some_and(|to| earliest > to.saturating_add(Self::LATEST_MS));
        !too_early && !too_late
    }
}

/// The objects that sources name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// Sorted by the bytes of the URI; each object once.
    pub objects: Vec<Object>,
    /// Objects left out because nobody asked for their account, Region or time.
    pub pruned: u64,
}

/// Why a source cannot be listed.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// It is neither a file nor a folder, nor a pattern.
    #[error("there is no file or folder `{0}`; check the path, and put patterns in quotes")]
    NotFound(String),
    /// It is a symbolic link to something that is gone.
    #[error("`{0}` is a link to something that does not exist; check where it points to")]
    DanglingLink(String),
    /// It is a pattern that matches nothing.
    #[error("nothing matches `{0}`; `*` stays within a folder, `**` crosses folders, and hidden files need their dot")]
    NothingMatches(String),
    /// It is not a valid pattern.
    #[error("`{pattern}` is not a valid pattern: {reason}; put [ and * in brackets to mean themselves, as [*]")]
    BadPattern {
        /// As given.
        pattern: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The system refuses it.
    #[error("`{source_name}` cannot be looked at: {error}; check the permissions of the folders above it")]
    Refused {
        /// As given.
        source_name: String,
        /// What the system says.
        error: io::Error,
    },
    /// It is in S3.
    #[error(
        "s3 sources are not built into this version yet; sync the prefix first with `aws s3 sync {0} FOLDER`, then scan FOLDER"
    )]
    S3(String),
    /// It is in S3 and cannot be used.
    #[cfg(feature = "aws")]
    #[error(transparent)]
    InS3(#[from] s3::S3Error),
}

/// Lists the objects of all sources: files, folders, patterns, or `-`.
pub fn list(sources: &[String], filter: &Filter) -> Result<Listing, SourceError> {
    let mut found = local::Finder::default();
    let mut from_stdin = false;
    for source in sources {
        if source == "-" {
            from_stdin = true;
        } else if source.starts_with("s3://") {
            return Err(SourceError::S3(source.clone()));
        } else {
            found.add(source)?;
        }
    }

    let mut listing = Listing::default();
    for mut object in found.into_objects() {
        let layout = object.layout();
        // What could not be listed is told in any case: nobody knows what it holds.
        if object.skip != Some(SkipReason::Unreadable) && !filter.admits(&layout) {
            listing.pruned += 1;
            continue;
        }
        object.skip = object.skip.or_else(|| filter.skip(&layout));
        listing.objects.push(object);
    }
    if from_stdin {
        let at = listing.objects.partition_point(|object| object.uri.as_str() < "-");
        listing.objects.insert(at, stdin::object());
    }
    Ok(listing)
}

/// The reason not to read an object that its name alone proves.
fn skip_by_name(layout: &Layout) -> Option<SkipReason> {
    match layout.kind {
        ObjectKind::CloudTrail | ObjectKind::Unknown => None,
        ObjectKind::Digest => Some(SkipReason::Digest),
        ObjectKind::Insight => Some(SkipReason::Insight),
        ObjectKind::NetworkActivity => Some(SkipReason::NetworkActivity),
        ObjectKind::Aggregated => Some(SkipReason::Aggregated),
        ObjectKind::OtherService => Some(SkipReason::OtherService),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000;

    fn layout(day: &str, time: &str) -> Layout {
        let (y, m, d) = (&day[..4], &day[5..7], &day[8..]);
        let name = format!("111122223333_CloudTrail_eu-west-1_{y}{m}{d}T{time}Z_abcdefgh12345678.json.gz");
        Layout::of(&format!("AWSLogs/111122223333/CloudTrail/eu-west-1/{y}/{m}/{d}/{name}"))
    }

    fn noon() -> i64 {
        layout("2026-09-01", "1200").delivered.unwrap()
    }

    #[test]
    fn only_what_the_path_proves_is_left_out() {
        let accounts = Filter { accounts: vec!["111122223333".into()], ..Filter::default() };
        let regions = Filter { regions: vec!["us-east-1".into()], ..Filter::default() };
        let known = layout("2026-09-01", "1200");
        assert!(accounts.admits(&known));
        assert!(!regions.admits(&known));
        for filter in [accounts, regions] {
            assert!(filter.admits(&Layout::of("export.ndjson")));
        }
    }

    #[test]
    fn a_file_delivered_before_the_window_cannot_hold_its_events() {
        let from = |from| Filter { from: Some(from), ..Filter::default() };
        let known = layout("2026-09-01", "1200");
        assert!(from(noon()).admits(&known));
        // Rounded names and clocks that differ.
        assert!(from(noon() + 3_600_000).admits(&known));
        assert!(!from(noon() + 2 * 3_600_000).admits(&known));
    }

    #[test]
    fn a_file_may_be_delivered_thirty_days_after_its_events() {
        let to = |to| Filter { to: Some(to), ..Filter::default() };
        let known = layout("2026-09-01", "1200");
        assert!(to(noon() - 30 * DAY).admits(&known));
        assert!(!to(noon() - 32 * DAY).admits(&known));
    }

    #[test]
    fn without_a_time_in_the_name_the_day_of_the_folder_counts() {
        let known = Layout::of("AWSLogs/111122223333/CloudTrail/eu-west-1/2026/09/01/renamed.json.gz");
        let filter = |from| Filter { from: Some(from), ..Filter::default() };
        assert!(filter(noon() + DAY / 2).admits(&known));
        assert!(!filter(noon() + DAY).admits(&known));
    }
}
