//! Objects to rows: every worker reads one object at a time, and hands on batches.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rayon::ThreadPool;

use super::drive::{HEAVY, drive};
use super::hashing::Hashing;
use super::seen::Seen;
use super::{Progress, ScanError, ScanOptions};
use crate::decode::gzip::Limits;
use crate::decode::{Content, Decoder, ObjectReport, Record, RecordSink, RejectReason, SkipReason};
use crate::extract;
use crate::frame::{Dictionary, Events, FrameBuilder, Row, Scope};
use crate::lake::ObjectRow;
use crate::source::{Body, Fetched, Names, Object};
use crate::view::Across;

/// Rows after which a worker closes its batch: few, because a batch in the making counts towards no limit.
const BATCH_ROWS: usize = 1 << 12;

/// What came of reading the objects.
pub(super) struct Ingested {
    /// What came of the objects.
    pub(super) seen: Seen,
    /// What rows say about rows of other partitions.
    pub(super) across: Across,
    /// Records that the filters of the run left out.
    pub(super) filtered: u64,
    /// What was read of the time before the reported period.
    pub(super) lookback: Lookback,
    /// Objects of a lake outside the asked Regions or dates.
    pub(super) pruned: u64,
}

impl Ingested {
    /// Nothing yet.
    pub(super) fn new(across: &Across) -> Self {
        Self { seen: Seen::default(), across: across.clone(), filtered: 0, lookback: Lookback::default(), pruned: 0 }
    }

    /// Adds what came of another source.
    pub(super) fn merge(&mut self, other: Self) {
        self.seen.merge(other.seen);
        self.across.merge(other.across);
        self.filtered += other.filtered;
        self.lookback.objects += other.lookback.objects;
        self.lookback.bytes += other.lookback.bytes;
        self.pruned += other.pruned;
    }
}

/// Objects from before the reported period, of which only the control plane was kept.
#[derive(Clone, Copy, Default)]
pub(super) struct Lookback {
    pub(super) objects: u64,
    /// As stored.
    pub(super) bytes: u64,
}

/// Where rows go, and who hears what came of the objects.
pub(super) trait Keep: Sync {
    /// Takes some rows, of one object or of many.
    fn rows(&self, events: Events) -> Result<(), ScanError>;

    /// One object was read.
    fn object(&self, _done: Done<'_>) -> Result<(), ScanError> {
        Ok(())
    }

    /// One object was read by somebody else, who wrote down what came of it.
    fn stored(&self, _row: &ObjectRow) {}

    /// True when the bytes of objects shall be hashed.
    fn hashes(&self) -> bool {
        false
    }

    /// True when their inflated bytes shall be hashed too.
    fn hashes_content(&self) -> bool {
        false
    }
}

/// An object that was read, and what it came to.
pub(super) struct Done<'d> {
    pub(super) index: u32,
    pub(super) object: &'d Object,
    pub(super) report: &'d ObjectReport,
    /// What was said about an object that could not be read.
    pub(super) detail: Option<&'d str>,
    /// SHA-256 of its bytes as stored, when all of them were read.
    pub(super) sha256: Option<String>,
    /// What it holds, where that was asked for and all of it was read.
    pub(super) content: Option<Content>,
}

impl Done<'_> {
    /// What a lake keeps of it; where it belongs there is for the caller to say.
    pub(super) fn into_row(self) -> ObjectRow {
        ObjectRow {
            uri: self.object.uri.clone(),
            etag: self.object.etag.as_deref().map(str::to_owned),
            size: self.object.size,
            sha256: self.sha256,
            content: self.content,
            detail: self.detail.map(str::to_owned),
            report: self.report.clone(),
            ..ObjectRow::default()
        }
    }
}

/// What all workers share.
#[derive(Clone, Copy)]
pub(super) struct Shared<'s> {
    pub(super) options: &'s ScanOptions,
    /// Columns that rows carry.
    pub(super) scope: Scope,
    pub(super) dictionary: &'s Dictionary,
    pub(super) names: &'s Names,
    pub(super) keep: &'s dyn Keep,
    pub(super) progress: &'s dyn Progress,
}

/// Reads objects as they come.
pub(super) fn ingest(
    pool: &ThreadPool,
    objects: impl Iterator<Item = Result<Fetched, ScanError>>,
    shared: Shared<'_>,
    across: &Across,
) -> Result<Ingested, ScanError> {
    let workers =
        drive(pool, objects, weigh, || Worker::new(shared, across.clone()), |worker, fetched| worker.read(fetched))?;
    let mut ingested = Ingested::new(across);
    for mut worker in workers {
        worker.sink.flush()?;
        ingested.seen.merge(worker.seen);
        ingested.across.merge(worker.sink.across);
        ingested.filtered += worker.sink.filtered;
        ingested.lookback.objects += worker.lookback.objects;
        ingested.lookback.bytes += worker.lookback.bytes;
    }
    Ok(ingested)
}

/// Objects on this machine are read when their turn comes; bytes in memory shall not wait for others.
fn weigh(fetched: &Fetched) -> u64 {
    match &fetched.body {
        Body::Local => fetched.object.size.unwrap_or(HEAVY),
        _ => HEAVY,
    }
}

/// Reads objects, one after the other.
struct Worker<'s> {
    limits: Limits,
    decoder: Decoder,
    sink: Sink<'s>,
    seen: Seen,
    lookback: Lookback,
    shared: Shared<'s>,
}

impl<'s> Worker<'s> {
    fn new(shared: Shared<'s>, across: Across) -> Self {
        let limits = Limits { max_inflated: shared.options.max_inflated, ..Limits::default() };
        Self {
            limits,
            decoder: Decoder::new(limits),
            sink: Sink::new(shared, across),
            seen: Seen::default(),
            lookback: Lookback::default(),
            shared,
        }
    }

    fn read(&mut self, mut fetched: Fetched) -> Result<(), ScanError> {
        let index = fetched.index;
        let lookback = self.shared.options.is_lookback(&fetched.object.layout());
        self.sink.open(index, lookback);
        let size = fetched.object.size;
        let (mut sha256, mut content) = (None, None);
        let (report, detail) = match fetched.open() {
            Ok(mut bytes) if self.shared.keep.hashes() => {
                let mut hashing = Hashing::new(&mut *bytes);
                let (report, inflated) = self.decode(&mut hashing, size);
                (sha256, content) = (hashing.finish(), inflated);
                (report, None)
            }
            Ok(mut bytes) => (self.decode(&mut *bytes, size).0, None),
            Err((reason, detail)) => {
                let compressed = if reason.is_expected() { size.unwrap_or(0) } else { 0 };
                let report = ObjectReport { compressed, skip: Some(reason), ..ObjectReport::default() };
                (report, Some(detail).filter(|detail| !detail.is_empty()))
            }
        };
        if lookback {
            self.lookback.objects += 1;
            self.lookback.bytes += report.compressed;
        }
        self.shared.progress.object(size.unwrap_or(report.compressed), report.inflated, report.records);
        self.sink.close(index, &report)?;
        let object = &fetched.object;
        self.shared.keep.object(Done { index, object, report: &report, detail: detail.as_deref(), sha256, content })?;
        self.seen.add(&fetched.object.uri, report, detail);
        Ok(())
    }

    fn decode(&mut self, bytes: &mut dyn std::io::Read, size: Option<u64>) -> (ObjectReport, Option<Content>) {
        let hash = self.shared.keep.hashes_content();
        // A bug met in one object must not take the others down with it.
        let read = catch_unwind(AssertUnwindSafe(|| {
            if hash {
                self.decoder.read_hashed(bytes, size, &mut self.sink)
            } else {
                (self.decoder.read(bytes, size, &mut self.sink), None)
            }
        }));
        read.unwrap_or_else(|_| {
            self.decoder = Decoder::new(self.limits);
            self.sink.void = true;
            let compressed = size.unwrap_or(0);
            (ObjectReport { compressed, skip: Some(SkipReason::Crashed), ..ObjectReport::default() }, None)
        })
    }
}

/// Turns records into rows of one worker's batch.
struct Sink<'s> {
    builder: FrameBuilder,
    across: Across,
    shared: Shared<'s>,
    object: u32,
    /// Only the control plane is kept of the current object.
    lookback: bool,
    /// Rows of the current object must not be kept.
    void: bool,
    /// Records that the filters of the run left out.
    filtered: u64,
}

impl<'s> Sink<'s> {
    fn new(shared: Shared<'s>, across: Across) -> Self {
        Self {
            builder: FrameBuilder::new(shared.dictionary.clone(), shared.scope),
            across,
            shared,
            object: 0,
            lookback: false,
            void: false,
            filtered: 0,
        }
    }

    fn open(&mut self, object: u32, lookback: bool) {
        self.object = object;
        self.lookback = lookback;
        self.void = false;
    }

    /// Ends an object: drops its rows if it proved damaged, hands the batch on when it is large enough.
    fn close(&mut self, object: u32, report: &ObjectReport) -> Result<(), ScanError> {
        if self.void || report.skip.is_some() && self.builder.holds(object) {
            let events = self.builder.finish_bare()?.without_object(object)?;
            self.void = false;
            self.across.read(&events, self.shared.names, self.shared.dictionary)?;
            return self.shared.keep.rows(events);
        }
        if self.builder.len() >= BATCH_ROWS {
            return self.flush();
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), ScanError> {
        if self.builder.is_empty() {
            return Ok(());
        }
        let events = self.builder.finish_bare()?;
        self.across.read(&events, self.shared.names, self.shared.dictionary)?;
        self.shared.keep.rows(events)
    }
}

impl RecordSink for Sink<'_> {
    fn record(&mut self, record: &Record<'_>) -> Result<(), RejectReason> {
        let mut row = Row::default();
        extract::fill(&mut row, record, self.shared.scope)?;
        if self.lookback && matches!(row.operation.as_deref(), Some("crypto" | "read")) {
            return Ok(());
        }
        let asked = |list: &[String], value: Option<&str>| {
            list.is_empty() || value.is_some_and(|value| list.iter().any(|own| own == value))
        };
        let ScanOptions { accounts, regions, .. } = self.shared.options;
        // A key of an asked account counts too, whichever account's log it stands in.
        let account = asked(accounts, row.account.as_deref()) || asked(accounts, row.key_account.as_deref());
        let region = asked(regions, row.region.as_deref()) || asked(regions, row.key_region.as_deref());
        if account && region {
            row.object = self.object;
            self.builder.push(&row);
        } else {
            self.filtered += 1;
        }
        Ok(())
    }

    fn stage(&mut self) {}

    fn settle(&mut self, keep: bool) {
        self.void = !keep;
    }
}
