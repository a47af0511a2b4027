//! Objects to rows: workers read one object at a time each, and hand on batches.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};

use polars::prelude::PolarsError;

use super::rows::Rows;
use super::seen::Seen;
use super::{Progress, ScanError, ScanOptions};
use crate::decode::gzip::Limits;
use crate::decode::{Decoder, ObjectReport, Record, RecordSink, RejectReason, SkipReason};
use crate::extract;
use crate::frame::{Dictionary, FrameBuilder, Row, Scope};
use crate::source::Object;
use crate::view::Across;

/// Rows after which a worker closes its batch: few, because a batch in the making counts towards no limit.
const BATCH_ROWS: usize = 1 << 12;

/// What came of reading the objects.
pub(super) struct Ingested {
    pub(super) rows: Rows,
    /// What came of the objects.
    pub(super) seen: Seen,
    /// What rows say about rows of other partitions.
    pub(super) across: Across,
    /// Records that the filters of the run left out.
    pub(super) filtered: u64,
}

/// Reads all objects. Workers take them one at a time, so that one large object never waits behind a fixed share.
pub(super) fn ingest(
    objects: &[Object],
    options: &ScanOptions,
    dictionary: &Dictionary,
    across: &Across,
    progress: &dyn Progress,
) -> Result<Ingested, ScanError> {
    let compressed = objects.iter().filter_map(|object| object.size).sum();
    let rows = Rows::new(options.memory, compressed);
    let next = AtomicUsize::new(0);
    let limits = Limits { max_inflated: options.max_inflated, ..Limits::default() };
    let scope = if options.events.is_some() { Scope::Full } else { Scope::Fold };
    type Done = (Seen, Across, u64);
    let done: Vec<Result<Done, PolarsError>> = rayon::broadcast(|_| {
        let mut decoder = Decoder::new(limits);
        let mut sink = Sink::new(dictionary, scope, across.clone(), options);
        let mut seen = Seen::default();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(object) = objects.get(index) else { break };
            let report = read(object, index as u32, &mut decoder, &mut sink, limits);
            progress.object(report.compressed, report.inflated, report.records);
            sink.close(index as u32, &report, &rows)?;
            seen.add(object, report);
        }
        sink.flush(&rows)?;
        Ok((seen, sink.across, sink.filtered))
    });
    let mut seen = Seen::default();
    let mut across = across.clone();
    let mut filtered = 0;
    for own in done {
        let (own, collected, left_out) = own?;
        filtered += left_out;
        seen.merge(own);
        across.merge(collected);
    }
    Ok(Ingested { rows, seen, across, filtered })
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
    /// Records that the filters of the run left out.
    filtered: u64,
}

impl<'s> Sink<'s> {
    fn new(dictionary: &'s Dictionary, scope: Scope, across: Across, options: &'s ScanOptions) -> Self {
        Self {
            builder: FrameBuilder::new(dictionary.clone(), scope),
            across,
            scope,
            dictionary,
            accounts: &options.accounts,
            regions: &options.regions,
            object: 0,
            void: false,
            filtered: 0,
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
            self.across.read(&events, self.dictionary)?;
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
        self.across.read(&events, self.dictionary)?;
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
