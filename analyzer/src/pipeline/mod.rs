//! The only room that knows the order of the stages: sources to objects, objects to rows, rows to views, views to findings.

mod backfill;
#[cfg(feature = "aws")]
mod bring;
#[cfg(feature = "aws")]
mod deliver;
mod drive;
mod evidence;
mod fill;
mod hashing;
mod ingest;
#[cfg(feature = "aws")]
mod inventory;
mod judge;
mod memory;
mod notify;
mod originals;
mod rehearse;
#[cfg(feature = "aws")]
mod remote;
mod rows;
mod seen;
mod silence;
mod sources;
mod stored;
mod verify;

use std::path::PathBuf;
use std::sync::Arc;

use polars::prelude::PolarsError;
use rayon::ThreadPool;

pub use self::backfill::{Batch, Bounds, Found, batches};
#[cfg(feature = "aws")]
pub use self::deliver::{Arrival, Evaluated, Fate, Outcome, Received, Receiver};
use self::evidence::Evidence;
pub use self::fill::{Filled, Reach, fill};
use self::ingest::{Ingested, Shared, ingest};
#[cfg(feature = "aws")]
pub use self::inventory::{InventoryError, Taken, take as take_inventory};
pub(crate) use self::judge::subject;
use self::judge::{Read, judge};
use self::memory::Memory;
pub use self::memory::Remember;
pub use self::notify::{Notified, Notify, alert_evidence, drill, notify, try_sinks};
pub use self::originals::{Fetched, Originals, originals};
pub use self::rehearse::{Rehearsed, Span, rehearse};
use self::rows::{Held, Rows};
pub use self::silence::{Deliveries, SILENCE, deliveries, miss};
pub use self::sources::open_lake;
use self::sources::{Sources, filter};
use self::stored::read_lake;
pub use self::verify::{Resume, check_digests, verify, vouch};
use crate::config::Settings;
use crate::frame::{Dictionary, Scope};
use crate::report::Report;
use crate::rules::{self, Context, Rule};
#[cfg(feature = "aws")]
use crate::source::s3::S3Options;
use crate::source::{Filter, Layout, Names};
use crate::view::{Across, KeyView};

/// What to scan, and how.
#[derive(Clone, Debug)]
pub struct ScanOptions {
    /// Files, folders, globs, `-`.
    pub sources: Vec<String>,
    /// Validated settings.
    pub settings: Settings,
    /// Only these accounts; all when empty.
    pub accounts: Vec<String>,
    /// Only these Regions; all when empty.
    pub regions: Vec<String>,
    /// Start of the reported period, milliseconds.
    pub from: Option<i64>,
    /// End of the reported period, milliseconds.
    pub to: Option<i64>,
    /// Instant before `from` from which on the control plane is read, milliseconds. When `None`, local sources are read
    /// whole.
    pub lookback: Option<i64>,
    /// Instant that everything counts from; else `to`, else the latest event.
    pub as_of: Option<i64>,
    /// Only these rules; all when empty.
    pub rules: Vec<String>,
    /// Bytes of rows to hold before they spill to a temporary folder.
    pub memory: u64,
    /// Objects read at a time; one per core when `None`.
    pub threads: Option<usize>,
    /// Cap on one object's inflated size.
    pub max_inflated: u64,
    /// Files and folders with what KMS itself says of keys.
    pub inventory: Vec<String>,
    /// Where to write the deduplicated event rows as Parquet.
    pub events: Option<PathBuf>,
    /// Leave values of encryption contexts out of everything that is said.
    pub redact: bool,
    /// What to remember of the objects; it takes some 300 bytes each.
    pub remember: Remember,
    /// How S3 is used.
    #[cfg(feature = "aws")]
    pub s3: S3Options,
}

impl ScanOptions {
    /// Everything in these sources, by all rules, with the settings given.
    pub fn new(sources: Vec<String>, settings: Settings) -> Self {
        Self {
            sources,
            accounts: Vec::new(),
            regions: Vec::new(),
            from: None,
            to: None,
            lookback: None,
            as_of: None,
            rules: Vec::new(),
            memory: settings.scan.memory.0,
            threads: None,
            max_inflated: settings.scan.max_inflated.0,
            inventory: Vec::new(),
            events: None,
            redact: false,
            remember: Remember::default(),
            #[cfg(feature = "aws")]
            s3: S3Options::default(),
            settings,
        }
    }

    /// True when an object was delivered before the reported period began: only its control plane is asked for.
    fn is_lookback(&self, layout: &Layout) -> bool {
        let (Some(from), Some(_)) = (self.from, self.lookback) else { return false };
        !Filter { from: Some(from), ..Filter::default() }.admits(layout)
    }

    /// The same for an object by its number.
    fn is_lookback_of(&self, names: &Names, object: u32) -> bool {
        self.lookback.is_some() && names.get(object).is_ok_and(|uri| self.is_lookback(&Layout::of(&uri)))
    }

    /// Columns that rows carry.
    fn scope(&self) -> Scope {
        if self.events.is_some() { Scope::Full } else { Scope::Fold }
    }
}

/// Hears how far a scan is.
pub trait Progress: Sync {
    /// More objects to read are known, of so many bytes as stored.
    fn found(&self, _objects: u64, _bytes: u64) {}
    /// All objects are known.
    fn listed(&self) {}
    /// One object is done.
    fn object(&self, _compressed: u64, _inflated: u64, _records: u64) {}
    /// All objects are done.
    fn finish(&self) {}
}

/// Why a scan could not run.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// The sources hold nothing.
    #[error("{0}")]
    NothingToRead(String),
    /// The user asked for something that does not exist.
    #[error("{0}")]
    Usage(String),
    /// A lake was changed while it was read.
    #[error("{0}")]
    Moved(String),
    /// The run itself failed.
    #[error("{0}")]
    Failed(String),
}

impl From<std::io::Error> for ScanError {
    fn from(error: std::io::Error) -> Self {
        Self::Failed(format!("could not write to the temporary folder: {error}"))
    }
}

impl From<PolarsError> for ScanError {
    fn from(error: PolarsError) -> Self {
        Self::Failed(format!("could not hold or write the event rows: {error}"))
    }
}

/// Reads all sources and evaluates the rules.
///
/// # Errors
/// When the run as a whole cannot go on. A single bad record or object is part of the report's coverage instead.
pub fn scan(options: &ScanOptions, progress: &dyn Progress) -> Result<Report, ScanError> {
    let (run, skipped) = choose_rules(options)?;
    steadily(|| scan_once(options, (&run, &skipped), progress, &|_, _| None::<()>)).map(|(report, _)| report)
}

/// Reads all sources, evaluates the rules, and looks at every key: what a report for auditors needs, in one reading.
///
/// # Errors
/// As of [`scan`].
pub fn audit<T: Send>(
    options: &ScanOptions,
    progress: &dyn Progress,
    visit: &Visit<'_, T>,
) -> Result<(Report, Vec<T>), ScanError> {
    let (run, skipped) = choose_rules(options)?;
    steadily(|| scan_once(options, (&run, &skipped), progress, visit))
}

/// What a survey makes of one key, complete with all that the log shows of it; called by several threads, in no order.
pub type Visit<'v, T> = dyn Fn(&KeyView, &Context<'_>) -> Option<T> + Sync + 'v;

/// Reads all sources and looks at every key, without judging any. Keys are looked at group by group and dropped: only
/// what `visit` gives back stays in memory, in no order. The report has no findings.
///
/// # Errors
/// As of [`scan`].
pub fn survey<T: Send>(
    options: &ScanOptions,
    progress: &dyn Progress,
    visit: &Visit<'_, T>,
) -> Result<(Report, Vec<T>), ScanError> {
    steadily(|| scan_once(options, (&[], &[]), progress, visit))
}

/// Runs again what a change of a lake broke off.
fn steadily<R>(run: impl Fn() -> Result<R, ScanError>) -> Result<R, ScanError> {
    let mut attempts = 3;
    loop {
        attempts -= 1;
        match run() {
            // Somebody compacted a lake while it was read: what is there now says the same.
            Err(ScanError::Moved(_)) if attempts > 0 => {}
            result => return result,
        }
    }
}

fn scan_once<T: Send>(
    options: &ScanOptions,
    chosen: Chosen<'_>,
    progress: &dyn Progress,
    visit: &Visit<'_, T>,
) -> Result<(Report, Vec<T>), ScanError> {
    let pool = threads(options)?;
    let sources = Sources::open(options, &filter(options))?;
    read_and_judge(options, &pool, sources, chosen, progress, visit)
}

fn read_and_judge<T: Send>(
    options: &ScanOptions,
    pool: &ThreadPool,
    mut sources: Sources,
    chosen: Chosen<'_>,
    progress: &dyn Progress,
    visit: &Visit<'_, T>,
) -> Result<(Report, Vec<T>), ScanError> {
    let evidence = Evidence::read(options)?;
    let mut settings = options.settings.clone();
    sources.complete(&mut settings);
    let dictionary = Dictionary::default();
    let (names, rows) = (Arc::new(Names::default()), Rows::new(options.memory));
    let memory = Memory::of(options.remember);
    let keep = Held { rows: &rows, dictionary: &dictionary, memory: memory.as_ref() };
    let shared =
        Shared { options, scope: options.scope(), dictionary: &dictionary, names: &names, keep: &keep, progress };
    let across = Across::new(options.as_of.or(options.to));
    let mut ingested = Ingested::new(&across);
    for lake in &sources.lakes {
        ingested.merge(read_lake(pool, lake, shared, &across)?);
    }
    let mut feed = sources.feed(&names, progress, |_| true);
    let objects = std::iter::from_fn(|| {
        let next = feed.next();
        rows.expect(feed.expected());
        next
    });
    ingested.merge(ingest(pool, objects, shared, &across)?);
    let pruned = ingested.pruned + sources.pruned();
    if ingested.seen.is_empty() {
        return Err(nothing_to_read(options, pruned));
    }
    progress.finish();

    let notices = sources.notices(options);
    let inputs = memory.map(Memory::finish);
    let read =
        Read { ingested, rows, evidence: &evidence, names: &names, dictionary: &dictionary, pruned, inputs, notices };
    judge(options, &settings, pool, chosen, read, visit)
}

/// The threads that compute.
fn threads(options: &ScanOptions) -> Result<ThreadPool, ScanError> {
    let mut builder = rayon::ThreadPoolBuilder::new();
    if let Some(threads) = options.threads {
        builder = builder.num_threads(threads);
    }
    builder.build().map_err(|error| ScanError::Failed(format!("could not start threads: {error}")))
}

/// A rule that does not run, and why.
type Skip = (&'static str, String);

/// The rules that run, and those that do not.
type Chosen<'c> = (&'c [&'static Rule], &'c [Skip]);

fn choose_rules(options: &ScanOptions) -> Result<(Vec<&'static Rule>, Vec<Skip>), ScanError> {
    for id in &options.rules {
        if rules::find(id).is_none() {
            let known: Vec<&str> = rules::RULES.iter().map(|rule| rule.id).collect();
            return Err(ScanError::Usage(format!("no rule is called `{id}`; try one of: {}", known.join(", "))));
        }
    }
    let (mut run, mut skipped) = (Vec::new(), Vec::new());
    for rule in rules::RULES {
        if !options.rules.is_empty() && !options.rules.iter().any(|id| id == rule.id) {
            skipped.push((rule.id, "not asked for".to_string()));
        } else if !options.settings.rule(rule.id).enabled {
            skipped.push((rule.id, "switched off in the configuration".to_string()));
        } else {
            run.push(*rule);
        }
    }
    Ok((run, skipped))
}

fn nothing_to_read(options: &ScanOptions, pruned: u64) -> ScanError {
    ScanError::NothingToRead(format!(
        "nothing to read in {}{}",
        options.sources.join(", "),
        match pruned {
            0 => String::new(),
            pruned => format!("; {pruned} objects lie outside the Regions or dates asked for"),
        }
    ))
}
