//! Objects as they are delivered: each into the inbox of a lake, and what can be said at once of all of them. The rest is
//! said by an evaluation of the lake, some minutes later.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use rayon::ThreadPool;

use super::evidence::Evidence;
use super::ingest::{Done, Ingested, Keep, Shared, ingest};
use super::judge::{Read, judge};
use super::rows::Rows;
use super::sources::Sources;
use super::{Chosen, Progress, ScanError, ScanOptions, Skip, choose_rules, read_and_judge, steadily, threads};
use crate::config::Settings;
use crate::decode::SkipReason;
use crate::frame::{Dictionary, Events, FrameBuilder, Scope};
use crate::lake::{BucketFolder, Folder, Lake, ObjectRow, Unit};
use crate::report::Report;
use crate::rules::{Rule, Timing};
use crate::source::s3::{S3Url, Session};
use crate::source::{Body, Fetched, Metadata, Names, Object};
use crate::view::Across;

/// Parts of one unit and kind that may stand beside each other.
const PARTS: usize = 4;

/// An object that was delivered.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// What it is.
    pub object: Object,
    /// Its bytes, when they came along.
    pub bytes: Option<Vec<u8>>,
    /// Where it belongs in a lake, when its name does not tell.
    pub unit: Option<Unit>,
}

impl From<Object> for Arrival {
    fn from(object: Object) -> Self {
        Self { object, bytes: None, unit: None }
    }
}

/// What became of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It was read.
    Read,
    /// The lake has it as it is: it was not read again.
    Known,
    /// There was nothing in it that should have been read.
    Passed(SkipReason),
    /// It could not be read.
    Failed {
        /// Why.
        reason: SkipReason,
        /// What the other side said.
        detail: Option<String>,
    },
    /// It was read, and the lake did not take it.
    NotKept(String),
}

/// What came of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What became of it.
    pub fate: Fate,
    /// Bytes as stored.
    pub compressed: u64,
    /// Records in it, wanted or not.
    pub records: u64,
    /// Rows that came of them.
    pub events: u64,
    /// Records that could not be read.
    pub rejected: u64,
}

/// What came of a delivery.
#[derive(Debug, Default)]
pub struct Received {
    /// By URI. Each object counts once, however often it is named.
    pub objects: BTreeMap<String, Outcome>,
    /// What the rules say that need no more than these objects; none when they hold no events.
    pub report: Option<Report>,
}

/// What came of an evaluation.
#[derive(Debug)]
pub struct Evaluated {
    /// What the rules say of all that the lake holds.
    pub report: Report,
    /// Objects that waited in inboxes.
    pub absorbed: u64,
    /// Parts that were merged.
    pub merged: u64,
    /// Files that nothing needs any more and that were removed.
    pub removed: u64,
}

/// Reads what is delivered. It keeps its connections and threads: one is made for many deliveries.
#[derive(Debug)]
pub struct Receiver {
    pub(super) options: ScanOptions,
    pub(super) session: Session,
    pub(super) pool: ThreadPool,
    pub(super) lake: Option<Lake>,
}

impl Receiver {
    /// Opens the lake, or makes one. Without a lake nothing is kept, and only what single objects show is found. Of `options`
    /// the settings, the limits and the rules count.
    ///
    /// # Errors
    /// When the lake cannot be used or a rule does not exist.
    pub fn new(options: ScanOptions, session: Session, lake: Option<&str>) -> Result<Self, ScanError> {
        choose_rules(&options)?;
        let lake = match lake.map(|place| (place, place.starts_with("s3://"))) {
            None => None,
            Some((place, true)) => {
                let url = S3Url::parse(place)?;
                let store = BucketFolder::new(session.bucket(&url.bucket)?, &url);
                Some(Lake::open_or_create(Arc::new(store))?)
            }
            Some((place, false)) => Some(Lake::open_or_create(Arc::new(Folder::new(place)))?),
        };
        Ok(Self { pool: threads(&options)?, options, session, lake })
    }

    /// The lake that deliveries go to.
    pub fn lake(&self) -> Option<&Lake> {
        self.lake.as_ref()
    }

    /// The settings that rules run with.
    pub fn settings(&self) -> &Settings {
        &self.options.settings
    }

    /// The session with S3.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Reads objects, writes what came of each into the inbox of the lake, and runs the rules that alert at once.
    ///
    /// # Errors
    /// When the run as a whole cannot go on. An object that could not be read, or could not be kept, is an outcome; the lake
    /// remembers that it could not be read.
    pub fn read(&self, arrivals: Vec<Arrival>, progress: &dyn Progress) -> Result<Received, ScanError> {
        let mut arrivals: BTreeMap<String, Arrival> =
            arrivals.into_iter().map(|arrival| (arrival.object.uri.clone(), arrival)).collect();
        // Whole objects, whatever is asked for: the lake has no other place for the rest.
        let options = self.whole();
        let dictionary = Dictionary::default();
        let (names, rows) = (Arc::new(Names::default()), Rows::new(options.memory));
        let across = Across::default();
        let mut received = Received::default();
        let mut ingested = Ingested::new(&across);
        let (mut brought, mut units, mut wanted) = (Vec::new(), BTreeMap::new(), Vec::new());
        for (uri, Arrival { object, bytes, unit }) in std::mem::take(&mut arrivals) {
            let index = names.push(&uri)?;
            units.insert(index, unit.unwrap_or_else(|| super::fill::unit_of(&object)));
            match bytes {
                Some(bytes) => {
                    brought.push(Fetched { index, object, body: Body::Brought(bytes), metadata: Metadata::new() })
                }
                None => wanted.push((index, object)),
            }
        }
        let fetched = (!wanted.is_empty()).then(|| self.session.fetch(wanted.into_iter()).map(Fetched::from));
        for fetched in brought.into_iter().chain(fetched.into_iter().flatten()) {
            let one = One::default();
            let shared = Shared {
                options: &options,
                scope: Scope::Full,
                dictionary: &dictionary,
                names: &names,
                keep: &one,
                progress,
            };
            let unit = units.remove(&fetched.index).unwrap_or_default();
            let read = ingest(&self.pool, std::iter::once(Ok(fetched)), shared, &across)?;
            let Some((row, events)) = one.into_parts() else { continue };
            let row = ObjectRow { unit, ..row };
            let (uri, mut outcome) = (row.uri.clone(), outcome(&row));
            let kept = self.keep(row, &events, &dictionary);
            match kept {
                Err(error) => outcome.fate = Fate::NotKept(error.to_string()),
                Ok(()) => {
                    ingested.merge(read);
                    events.into_iter().try_for_each(|events| rows.push(events, &dictionary))?;
                }
            }
            received.objects.insert(uri, outcome);
        }
        let events: u64 = received.objects.values().map(|outcome| outcome.events).sum();
        if events > 0 {
            let (run, skipped) = at_once(&options)?;
            let evidence = Evidence::default();
            let read = Read {
                ingested,
                rows,
                evidence: &evidence,
                names: &names,
                dictionary: &dictionary,
                pruned: 0,
                inputs: None,
                notices: Vec::new(),
            };
            let judged = judge(&options, &options.settings, &self.pool, (&run, &skipped), read, &|_, _| None::<()>)?;
            received.report = Some(judged.0);
        }
        Ok(received)
    }

    /// Options that leave nothing of an object out.
    pub(super) fn whole(&self) -> ScanOptions {
        ScanOptions { accounts: Vec::new(), regions: Vec::new(), lookback: None, events: None, ..self.options.clone() }
    }

    fn keep(&self, row: ObjectRow, events: &[Events], dictionary: &Dictionary) -> Result<(), ScanError> {
        let Some(lake) = &self.lake else { return Ok(()) };
        if events.is_empty() {
            let none = FrameBuilder::new(dictionary.clone(), Scope::Full).finish()?;
            return Ok(lake.write_inbox(row, &[none], dictionary)?);
        }
        Ok(lake.write_inbox(row, events, dictionary)?)
    }

    /// Moves the inboxes of the lake into parts and runs all rules over what it holds. `from` bounds what is reported.
    /// `None` when there is no lake, or nothing in it yet.
    ///
    /// # Errors
    /// When the lake cannot be read or written.
    pub fn evaluate(&self, from: Option<i64>, progress: &dyn Progress) -> Result<Option<Evaluated>, ScanError> {
        let Some(lake) = &self.lake else { return Ok(None) };
        let snapshot = lake.snapshot()?;
        if snapshot.shards.is_empty() {
            return Ok(None);
        }
        let (mut absorbed, mut merged, mut removed) = (0, 0, 0);
        for state in snapshot.shards {
            if !state.inbox.is_empty() {
                let done = self.pool.install(|| lake.absorb(state.shard()))?;
                absorbed += done.added + done.replaced + done.unchanged;
            }
            merged += self.pool.install(|| lake.compact(state.shard(), PARTS))?;
        }
        if merged > 0 {
            removed = lake.sweep()?.removed;
        }
        let options = ScanOptions { from, sources: vec![lake.store().describe()], ..self.options.clone() };
        let (run, skipped) = choose_rules(&options)?;
        let chosen: Chosen<'_> = (&run, &skipped);
        let (report, _) = steadily(|| {
            let sources = Sources::of_lake(lake.clone());
            read_and_judge(&options, &self.pool, sources, chosen, progress, &|_, _| None::<()>)
        })?;
        Ok(Some(Evaluated { report, absorbed, merged, removed }))
    }
}

/// Rules that alert at once, and the others.
fn at_once(options: &ScanOptions) -> Result<(Vec<&'static Rule>, Vec<Skip>), ScanError> {
    let (run, mut skipped) = choose_rules(options)?;
    let (run, later): (Vec<_>, Vec<_>) = run.into_iter().partition(|rule| rule.timing == Timing::Monotone);
    skipped.extend(later.iter().map(|rule| (rule.id, "runs when the lake is evaluated".to_string())));
    Ok((run, skipped))
}

pub(super) fn outcome(row: &ObjectRow) -> Outcome {
    let report = &row.report;
    let fate = match report.skip {
        None => Fate::Read,
        Some(reason) if reason.is_expected() => Fate::Passed(reason),
        Some(reason) => Fate::Failed { reason, detail: row.detail.clone() },
    };
    Outcome {
        fate,
        compressed: report.compressed,
        records: report.records,
        events: if report.skip.is_some() { 0 } else { report.kept },
        rejected: report.rejected.total(),
    }
}

/// Gathers one object.
#[derive(Default)]
struct One {
    events: Mutex<Vec<Events>>,
    row: Mutex<Option<ObjectRow>>,
}

impl One {
    fn into_parts(self) -> Option<(ObjectRow, Vec<Events>)> {
        let row = self.row.into_inner().unwrap_or_else(PoisonError::into_inner)?;
        Some((row, self.events.into_inner().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl Keep for One {
    fn rows(&self, events: Events) -> Result<(), ScanError> {
        if events.height() > 0 {
            self.events.lock().unwrap_or_else(PoisonError::into_inner).push(events);
        }
        Ok(())
    }

    fn object(&self, done: Done<'_>) -> Result<(), ScanError> {
        *self.row.lock().unwrap_or_else(PoisonError::into_inner) = Some(done.into_row());
        Ok(())
    }

    fn hashes(&self) -> bool {
        true
    }

    fn hashes_content(&self) -> bool {
        true
    }
}
