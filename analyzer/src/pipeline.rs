//! The only file that knows the order of the stages: sources to objects, objects to rows, rows to views, views to findings.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use polars::prelude::{DataFrame, PolarsError};

use crate::config::{Settings, Subject, SuppressionTracker};
use crate::decode::gzip::Limits;
use crate::decode::{Decoder, ObjectReport, Record, RecordSink, RejectReason, SkipReason};
use crate::extract;
use crate::finding::{Finding, Status};
use crate::frame::builder::stack;
use crate::frame::{Columns, Dictionary, Events, FrameBuilder, Row, Scope};
use crate::lake::{ByPartition, EventsFile, Spill};
use crate::report::{Report, Run};
use crate::rules::{self, Context, Rule};
use crate::source::{self, Filter, Listing, Object, SourceError};
use crate::view::coverage::{Bytes, Coverage, Objects, Records, RejectedAt, Skipped};
use crate::view::fold::HOUR_MS;
use crate::view::settle::{Settled, gaps};
use crate::view::unit::{Part, Plan, Twins, deduplicated_rows, partitions, rows_by_partition};
use crate::view::{Across, FoldContext, Views};

/// Rows after which a worker closes its batch: few, because a batch in the making counts towards no limit.
const BATCH_ROWS: usize = 1 << 12;
/// Bytes of event rows per byte of a compressed log, when every other record is an event of KMS: what the number of
/// partitions is planned for. Measured on generated logs; a wrong guess costs memory or time, never a row.
const ROW_BYTES_PER_COMPRESSED: u64 = 1;

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
    /// Where to write the deduplicated event rows as Parquet.
    pub events: Option<PathBuf>,
}

/// Hears how far a scan is.
pub trait Progress: Sync {
    /// The sources are listed.
    fn start(&self, _objects: u64, _bytes: u64) {}
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
    /// The run itself failed.
    #[error("{0}")]
    Failed(String),
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
    let as_of_asked = options.as_of.or(options.to);
    let listing = list(options)?;
    let bytes = listing.objects.iter().filter_map(|object| object.size).sum();
    progress.start(listing.objects.len() as u64, bytes);

    let mut builder = rayon::ThreadPoolBuilder::new();
    if let Some(threads) = options.threads {
        builder = builder.num_threads(threads);
    }
    let pool = builder.build().map_err(|error| ScanError::Failed(format!("could not start threads: {error}")))?;
    let dictionary = Dictionary::default();
    let ingested = pool.install(|| ingest(&listing.objects, options, &dictionary, progress))?;
    progress.finish();

    let objects: Vec<String> = listing.objects.iter().map(|object| object.uri.clone()).collect();
    let delivered: Vec<Option<i64>> = listing.objects.iter().map(|object| object.layout().delivered).collect();
    let context =
        FoldContext { dictionary: &dictionary, as_of: as_of_asked, delivered: &delivered, across: &ingested.across };
    if let Some(path) = &options.events {
        ingested.rows.write_events(path, &objects, &ingested.across, &dictionary)?;
    }
    let views = pool.install(|| ingested.rows.fold(&context))?;
    let settled = views.settle(&dictionary);

    let coverage = coverage(&listing, &ingested.reports, &settled);
    let as_of = as_of_asked.or(settled.span.map(|span| span.1));
    let mut notices = Vec::new();
    let findings = match as_of {
        Some(as_of) => {
            let cx = Context {
                settings: &options.settings,
                dictionary: &dictionary,
                objects: &objects,
                views: &settled,
                as_of,
            };
            let findings = pool.install(|| rules::evaluate(&run, &cx));
            suppress(within(findings, options), &options.settings, as_of, &mut notices)
        }
        None => Vec::new(),
    };
    if settled.unresolved > 0 {
        notices.push(format!(
            "{} of other services speak of a KMS key, but neither the record nor the rest of the log tells which key",
            rules::kit::time::plural(settled.unresolved, "failure")
        ));
    }
    Ok(Report {
        run: Run {
            version: env!("CARGO_PKG_VERSION"),
            settings_digest: options.settings.digest(),
            as_of,
            from: options.from,
            to: options.to,
            sources: options.sources.clone(),
            rules_run: run.iter().map(|rule| rule.id).collect(),
            rules_skipped: skipped,
        },
        coverage,
        findings,
        notices,
    })
}

type Skips = Vec<(&'static str, String)>;

fn choose_rules(options: &ScanOptions) -> Result<(Vec<&'static Rule>, Skips), ScanError> {
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

fn list(options: &ScanOptions) -> Result<Listing, ScanError> {
    let filter = Filter {
        // A key's events stand in the logs of its callers too: rows are filtered by account, objects are not.
        accounts: Vec::new(),
        regions: options.regions.clone(),
        // What happened to a key before the period explains what fails in it: only the end prunes.
        from: None,
        to: options.to,
    };
    let listing = source::list(&options.sources, &filter).map_err(|error| match error {
        SourceError::S3(_) | SourceError::BadPattern { .. } => ScanError::Usage(error.to_string()),
        _ => ScanError::NothingToRead(error.to_string()),
    })?;
    if listing.objects.is_empty() {
        return Err(ScanError::NothingToRead(format!(
            "nothing to read in {}{}",
            options.sources.join(", "),
            match listing.pruned {
                0 => String::new(),
                pruned => format!("; {pruned} objects lie outside the Regions or dates asked for"),
            }
        )));
    }
    Ok(listing)
}

/// Rows of a run: in memory, or in part on disk.
struct Rows {
    memory: u64,
    /// Partitions of rows on disk: one in hand must take but a part of the memory given.
    plan: Plan,
    open: Mutex<Open>,
    spill: Spill,
}

#[derive(Default)]
struct Open {
    batches: Vec<Events>,
    bytes: u64,
}

impl Rows {
    fn new(memory: u64, compressed: u64) -> Self {
        let partitions = (compressed * ROW_BYTES_PER_COMPRESSED).div_ceil((memory / 2).max(1)).clamp(8, 512) as u32;
        Self { memory, plan: Plan::new(partitions), open: Mutex::default(), spill: Spill::default() }
    }

    /// Adds a batch; spills what is open once it outgrows the memory given.
    fn push(&self, events: Events, dictionary: &Dictionary) -> Result<(), PolarsError> {
        let full = {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            open.bytes += events.bytes();
            open.batches.push(events);
            (open.bytes > self.memory).then(|| std::mem::take(&mut *open))
        };
        match full {
            Some(open) => self.spill(open.batches, dictionary),
            None => Ok(()),
        }
    }

    fn spill(&self, batches: Vec<Events>, dictionary: &Dictionary) -> Result<(), PolarsError> {
        self.spill.write(&split(batches, self.plan, dictionary)?, self.plan.count())
    }

    /// Folds all rows, partition by partition when they are many.
    fn fold(self, context: &FoldContext<'_>) -> Result<Views, PolarsError> {
        let open = self.open.into_inner().unwrap_or_else(PoisonError::into_inner);
        if self.spill.is_empty() && rayon::current_num_threads() == 1 {
            let parts: Vec<Part<'_>> = open.batches.iter().map(Part::whole).collect();
            return Views::fold_parts(&parts, context);
        }
        let open = split(open.batches, self.plan, context.dictionary)?;
        let fold = |views: Views, partition: u32| -> Result<Views, PolarsError> {
            let spilled = self.spill.read(partition)?;
            let at = partition as usize;
            let held = open.iter().map(|(events, (narrow, wide))| Part::rows(events, &narrow[at], &wide[at]));
            let parts: Vec<Part<'_>> = spilled.iter().map(Part::whole).chain(held).collect();
            views.and_fold(&parts, context)
        };
        let next = AtomicU32::new(0);
        // Each worker folds into its own views: partitions one by one would be joined at a cost.
        let views: Vec<Result<Views, PolarsError>> = rayon::broadcast(|_| {
            let mut views = Views::default();
            loop {
                let partition = next.fetch_add(1, Ordering::Relaxed);
                if partition >= self.plan.last() {
                    return Ok(views);
                }
                views = fold(views, partition)?;
            }
        });
        let views = views.into_iter().try_fold(Views::default(), |all, views| views.map(|views| all.merge(views)))?;
        fold(views, self.plan.last())
    }

    /// Writes the deduplicated rows of all partitions, in order of time within each.
    fn write_events(
        &self,
        path: &std::path::Path,
        objects: &[String],
        across: &Across,
        dictionary: &Dictionary,
    ) -> Result<(), ScanError> {
        let open = {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *open)
        };
        // Everything goes to disk first: the same rows are needed once more for the views.
        if !open.batches.is_empty() {
            self.spill(open.batches, dictionary)?;
        }
        let mut file = EventsFile::create(path)
            .map_err(|error| ScanError::Failed(format!("could not write {}: {error}", path.display())))?;
        let mut twins = Twins::default();
        for partition in 0..self.plan.count() {
            let events = stack(self.spill.read(partition)?)?;
            let rows = deduplicated_rows(&events, across, &mut twins, dictionary)?;
            file.write(&events, &rows, objects, dictionary)?;
        }
        file.finish().map_err(|error| ScanError::Failed(format!("could not write {}: {error}", path.display())))
    }
}

/// Which rows of each batch belong to which partition.
fn split(batches: Vec<Events>, plan: Plan, dictionary: &Dictionary) -> Result<Vec<(Events, ByPartition)>, PolarsError> {
    let rows = |frame: &DataFrame| -> Result<Vec<Vec<u32>>, PolarsError> {
        let of = partitions(&Columns::open(frame)?, frame.height(), plan, dictionary);
        Ok(rows_by_partition(&of, plan.count()))
    };
    batches
        .into_iter()
        .map(|events| {
            let rows = (rows(&events.narrow)?, rows(&events.wide)?);
            Ok((events, rows))
        })
        .collect()
}

/// What came of reading the objects.
struct Ingested {
    rows: Rows,
    /// One report per object, in the order of the listing.
    reports: Vec<ObjectReport>,
    /// What rows say about rows of other partitions.
    across: Across,
}

/// Reads all objects. Workers take them one at a time, so that one large object never waits behind a fixed share.
fn ingest(
    objects: &[Object],
    options: &ScanOptions,
    dictionary: &Dictionary,
    progress: &dyn Progress,
) -> Result<Ingested, ScanError> {
    let compressed = objects.iter().filter_map(|object| object.size).sum();
    let rows = Rows::new(options.memory, compressed);
    let next = AtomicUsize::new(0);
    let limits = Limits { max_inflated: options.max_inflated, ..Limits::default() };
    let scope = if options.events.is_some() { Scope::Full } else { Scope::Fold };
    type Done = (Vec<(usize, ObjectReport)>, Across);
    let done: Vec<Result<Done, PolarsError>> = rayon::broadcast(|_| {
        let mut decoder = Decoder::new(limits);
        let mut sink = Sink::new(dictionary, scope, options);
        let mut reports = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(object) = objects.get(index) else { break };
            let report = read(object, index as u32, &mut decoder, &mut sink, limits);
            progress.object(report.compressed, report.inflated, report.records);
            sink.close(index as u32, &report, &rows)?;
            reports.push((index, report));
        }
        sink.flush(&rows)?;
        Ok((reports, sink.across))
    });
    let mut reports: Vec<ObjectReport> = vec![ObjectReport::default(); objects.len()];
    let mut across = Across::default();
    for own in done {
        let (own, collected) = own?;
        for (index, report) in own {
            reports[index] = report;
        }
        across.merge(collected);
    }
    Ok(Ingested { rows, reports, across })
}

fn read(object: &Object, index: u32, decoder: &mut Decoder, sink: &mut Sink<'_>, limits: Limits) -> ObjectReport {
    if let Some(reason) = object.skip {
        return ObjectReport { compressed: object.size.unwrap_or(0), skip: Some(reason), ..ObjectReport::default() };
    }
    sink.open(index);
    let mut bytes = match object.open() {
        Ok(bytes) => bytes,
        Err(_) => return ObjectReport { skip: Some(SkipReason::Unreadable), ..ObjectReport::default() },
    };
    // A bug met in one object must not take the others down with it.
    let read = catch_unwind(AssertUnwindSafe(|| decoder.read(&mut *bytes, object.size, sink)));
    read.unwrap_or_else(|_| {
        *decoder = Decoder::new(limits);
        sink.void = true;
        ObjectReport {
            compressed: object.size.unwrap_or(0),
            skip: Some(SkipReason::Crashed),
            ..ObjectReport::default()
        }
    })
}

/// Turns records into rows of one worker's batch.
struct Sink<'s> {
    builder: FrameBuilder,
    across: Across,
    scope: Scope,
    dictionary: &'s Dictionary,
    accounts: &'s [String],
    regions: &'s [String],
    object: u32,
    /// Rows of the current object must not be kept.
    void: bool,
}

impl<'s> Sink<'s> {
    fn new(dictionary: &'s Dictionary, scope: Scope, options: &'s ScanOptions) -> Self {
        Self {
            builder: FrameBuilder::new(dictionary.clone(), scope),
            across: Across::default(),
            scope,
            dictionary,
            accounts: &options.accounts,
            regions: &options.regions,
            object: 0,
            void: false,
        }
    }

    fn open(&mut self, object: u32) {
        self.object = object;
        self.void = false;
    }

    /// Ends an object: drops its rows if it proved damaged, hands the batch on when it is large enough.
    fn close(&mut self, object: u32, report: &ObjectReport, rows: &Rows) -> Result<(), PolarsError> {
        if self.void || report.skip.is_some() && self.builder.holds(object) {
            let events = self.builder.finish_bare()?.without_object(object)?;
            self.void = false;
            self.across.read(&events)?;
            return rows.push(events, self.dictionary);
        }
        if self.builder.len() >= BATCH_ROWS {
            return self.flush(rows);
        }
        Ok(())
    }

    fn flush(&mut self, rows: &Rows) -> Result<(), PolarsError> {
        if self.builder.is_empty() {
            return Ok(());
        }
        let events = self.builder.finish_bare()?;
        self.across.read(&events)?;
        rows.push(events, self.dictionary)
    }
}

impl RecordSink for Sink<'_> {
    fn record(&mut self, record: &Record<'_>) -> Result<(), RejectReason> {
        let mut row = Row::default();
        extract::fill(&mut row, record, self.scope)?;
        let asked = |list: &[String], value: Option<&str>| {
            list.is_empty() || value.is_some_and(|value| list.iter().any(|own| own == value))
        };
        // A key of an asked account counts too, whichever account's log it stands in.
        let account = asked(self.accounts, row.account.as_deref()) || asked(self.accounts, row.key_account.as_deref());
        let region = asked(self.regions, row.region.as_deref()) || asked(self.regions, row.key_region.as_deref());
        if account && region {
            row.object = self.object;
            self.builder.push(&row);
        }
        Ok(())
    }

    fn stage(&mut self) {}

    fn settle(&mut self, keep: bool) {
        self.void = !keep;
    }
}

fn coverage(listing: &Listing, reports: &[ObjectReport], settled: &Settled) -> Coverage {
    let mut coverage = Coverage {
        objects: Objects { seen: listing.objects.len() as u64, pruned: listing.pruned, ..Objects::default() },
        records: Records {
            kms: settled.kms,
            related: settled.related,
            duplicates: settled.duplicates,
            ..Records::default()
        },
        bytes: Bytes::default(),
        operations: settled.operations.clone(),
        span: settled.span,
        blind: settled.blind.clone(),
        ..Coverage::default()
    };
    let mut hours: BTreeMap<(String, String), BTreeSet<i64>> = settled.hours.clone();
    for (object, report) in listing.objects.iter().zip(reports) {
        coverage.bytes.compressed += report.compressed;
        coverage.bytes.inflated += report.inflated;
        coverage.records.seen += report.records;
        coverage.records.rejected += report.rejected.total();
        for (&reason, &count) in &report.rejected.counts {
            *coverage.rejected.entry(reason).or_default() += count;
        }
        for &(record, reason) in &report.rejected.first {
            coverage.rejected_at.push(RejectedAt { object: object.uri.clone(), record, reason });
        }
        for (&note, &count) in &report.notes {
            *coverage.notes.entry(note).or_default() += count;
        }
        match report.skip {
            Some(reason) => {
                coverage.objects.skipped += 1;
                coverage.skipped.push(Skipped { object: object.uri.clone(), reason });
            }
            None => {
                coverage.objects.read += 1;
                if let Some((place, hour)) = place_of(object, report) {
                    hours.entry(place).or_default().insert(hour);
                }
            }
        }
    }
    hours.retain(|(account, region), _| !account.is_empty() && !region.is_empty());
    coverage.accounts = hours.keys().map(|(account, _)| account.clone()).collect();
    coverage.regions = hours.keys().map(|(_, region)| region.clone()).collect();
    coverage.hours_logged = hours.values().map(|hours| hours.len() as u64).sum();
    coverage.gaps = gaps(&hours);
    coverage.skipped.sort();
    coverage.rejected_at.sort();
    coverage
}

/// Account, Region and hour that an object shows to be logged: its first record, else its name.
fn place_of(object: &Object, report: &ObjectReport) -> Option<((String, String), i64)> {
    let first = report.first.clone().unwrap_or_default();
    let layout = object.layout();
    let time = first.time.as_deref().and_then(extract::dates::event_time).or(layout.delivered)?;
    let account = first.account.or(layout.account)?;
    let region = first.region.or(layout.region)?;
    Some(((account, region), time.div_euclid(HOUR_MS)))
}

/// Findings of the reported period: those that it overlaps.
fn within(findings: Vec<Finding>, options: &ScanOptions) -> Vec<Finding> {
    let inside = |finding: &Finding| {
        options.from.is_none_or(|from| finding.last_seen >= from || finding.status == Status::Open)
            && options.to.is_none_or(|to| finding.first_seen <= to)
    };
    findings.into_iter().filter(inside).collect()
}

/// Applies the suppressions of the configuration, and says which of them did nothing.
fn suppress(mut findings: Vec<Finding>, settings: &Settings, as_of: i64, notices: &mut Vec<String>) -> Vec<Finding> {
    let mut tracker = SuppressionTracker::new(&settings.suppressions, as_of);
    for finding in &mut findings {
        let subject = Subject {
            rule: finding.rule,
            id: finding.id.as_str(),
            account: &finding.account,
            region: &finding.region,
            key_arn: finding.key.as_ref().map(|key| key.arn.as_str()),
            key_id: finding.key.as_ref().map(|key| key.id.as_str()),
            alias: finding.key.as_ref().and_then(|key| key.alias.as_deref()),
            principal: finding.principal.as_ref().map(|principal| principal.arn.as_str()),
        };
        if let Some(at) = tracker.suppress(&subject) {
            let entry = &settings.suppressions[at];
            let until = entry.until.map(|date| date.to_string());
            finding.status = Status::Suppressed { reason: entry.reason.clone(), until };
        }
    }
    notices.extend(tracker.notices());
    findings.sort_by_cached_key(Finding::sort_key);
    findings
}
