//! Rows of a run: held or spilled while objects are read, then folded and evaluated partition by partition.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use polars::prelude::{DataFrame, PolarsError};

use super::evidence::Evidence;
use super::ingest::{Done, Keep};
use super::memory::Memory;
use super::{ScanError, ScanOptions, Visit};
use crate::frame::builder::stack;
use crate::frame::{Columns, Dictionary, Events};
use crate::lake::{ByPartition, EventsFile, ObjectRow, Spill};
use crate::rules::{Context, Evaluation, Rule};
use crate::source::Names;
use crate::view::settle::{Pending, Settled};
use crate::view::unit::{Part, Plan, Twins, deduplicated_rows, partitions, rows_by_partition};
use crate::view::{Across, FoldContext, Views};

/// Bytes of event rows per byte of a compressed log, when every other record is an event of KMS: what the number of
/// partitions is planned for. Measured on generated logs; a wrong guess costs memory or time, never a row.
const ROW_BYTES_PER_COMPRESSED: u64 = 1;

/// What one thread made of the groups of keys that it took.
type Own<T> = (Views, Pending, Evaluation, Vec<T>);

/// Rows of a run: in memory, or in part on disk.
pub(super) struct Rows {
    memory: u64,
    /// Compressed bytes of logs that are expected.
    expected: AtomicU64,
    /// Partitions of rows on disk: one in hand must take but a part of the memory given. Decided when the first rows go to
    /// disk: by then it is known best how many may follow.
    plan: OnceLock<Plan>,
    open: Mutex<Open>,
    spill: Spill,
}

#[derive(Default)]
struct Open {
    batches: Vec<Events>,
    bytes: u64,
}

impl Rows {
    pub(super) fn new(memory: u64) -> Self {
        Self {
            memory,
            expected: AtomicU64::new(0),
            plan: OnceLock::new(),
            open: Mutex::default(),
            spill: Spill::default(),
        }
    }

    /// About so many compressed bytes of logs are going to be read in all, as far as is known by now.
    pub(super) fn expect(&self, compressed: u64) {
        self.expected.store(compressed, Ordering::Relaxed);
    }

    fn plan(&self) -> Plan {
        *self.plan.get_or_init(|| {
            let expected = self.expected.load(Ordering::Relaxed).saturating_mul(ROW_BYTES_PER_COMPRESSED);
            Plan::new(expected.div_ceil(self.memory.max(1)).clamp(8, 256) as u32)
        })
    }

    /// Adds a batch; spills what is open once it outgrows the memory given.
    pub(super) fn push(&self, events: Events, dictionary: &Dictionary) -> Result<(), PolarsError> {
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
        self.spill.write(&split(batches, self.plan(), dictionary)?, self.plan().count())
    }

    /// Folds and evaluates all rows, partition by partition: of each only findings, counts and what may still change stay.
    /// Of each key that `visit` makes something of, that stays too, in no order.
    pub(super) fn evaluate<T: Send>(
        self,
        options: &ScanOptions,
        context: &FoldContext<'_>,
        rules: &[&'static Rule],
        (cx, evidence): (&Context<'_>, &Evidence),
        visit: &Visit<'_, T>,
    ) -> Result<(Settled, Evaluation, Vec<T>), PolarsError> {
        let dictionary = context.dictionary;
        // What is all in memory needs no more partitions than threads can share.
        let plan = if self.spill.is_empty() { *self.plan.get_or_init(|| Plan::new(8)) } else { self.plan() };
        let open = self.open.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut open = split(open.batches, plan, dictionary)?;
        if !self.spill.is_empty() {
            self.spill.write(&open, plan.count())?;
            open.clear();
        }
        let fold = |views: Views, partition: u32| -> Result<Views, PolarsError> {
            let spilled = self.spill.read(partition)?;
            let at = partition as usize;
            let held = open
                .iter()
                .map(|(events, (narrow, wide))| (events, narrow[at].as_slice(), wide[at].as_slice()))
                .filter(|(_, narrow, wide)| !(narrow.is_empty() && wide.is_empty()))
                .map(|(events, narrow, wide)| Part::rows(events, narrow, wide));
            let parts: Vec<Part<'_>> = spilled.iter().map(Part::whole).chain(held).collect();
            views.and_fold(&parts, context)
        };
        let aliases = context.across.aliases(dictionary);
        // What fails without naming a key tells which keys are not complete with their own rows.
        let mut views = Views::default();
        for partition in 0..plan.keyless() {
            views = fold(views, partition)?;
        }
        let stores = views.stores(dictionary);
        let mut leads = views.leads(&aliases, dictionary);
        leads.merge(fold(Views::default(), plan.last())?.leads(&aliases, dictionary));

        let next = AtomicU32::new(0);
        let done: Vec<Result<Own<T>, PolarsError>> = rayon::broadcast(|_| {
            let (mut rest, mut pending, mut evaluation) = (Views::default(), Pending::default(), Evaluation::default());
            let mut visited = Vec::new();
            loop {
                let group = next.fetch_add(1, Ordering::Relaxed);
                if group >= plan.groups() {
                    return Ok((rest, pending, evaluation, visited));
                }
                let mut views = Views::default();
                for partition in plan.group(group) {
                    views = fold(views, partition)?;
                }
                let (mut keys, incomplete) = views.take_keys(&leads, &aliases, dictionary);
                evidence.compare(&mut keys, dictionary, cx.reach());
                let cx = Context { ids: views.ids(), stores: &stores, ..*cx };
                evaluation.keys(rules, &keys, &cx);
                visited.extend(keys.iter().filter_map(|key| visit(key, &cx)));
                pending.merge(incomplete);
                rest = rest.merge(views);
            }
        });
        let (mut pending, mut evaluation, mut visited) = (Pending::default(), Evaluation::default(), Vec::new());
        for own in done {
            let (rest, incomplete, evaluated, seen) = own?;
            views = views.merge(rest);
            pending.merge(incomplete);
            evaluation.merge(evaluated);
            visited.extend(seen);
        }
        views = fold(views, plan.last())?;
        let (mut keys, unresolved) = pending.resolve(views.take_loose(), &aliases, dictionary);
        evidence.compare(&mut keys, dictionary, cx.reach());
        keys.extend(evidence.not_in_log(options, dictionary));
        let cx = Context { ids: views.ids(), stores: &stores, ..*cx };
        evaluation.keys(rules, &keys, &cx);
        visited.extend(keys.iter().filter_map(|key| visit(key, &cx)));
        Ok((Settled { unresolved, ..views.rest(dictionary) }, evaluation, visited))
    }

    /// Writes the deduplicated rows of all partitions, in order of time within each.
    pub(super) fn write_events(
        &self,
        path: &std::path::Path,
        names: &Names,
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
        for partition in 0..self.plan().count() {
            let events = stack(self.spill.read(partition)?)?;
            let rows = deduplicated_rows(&events, across, &mut twins, dictionary)?;
            file.write(&events, &rows, names, dictionary)?;
        }
        file.finish().map_err(|error| ScanError::Failed(format!("could not write {}: {error}", path.display())))
    }
}

/// Keeps the rows of a scan.
pub(super) struct Held<'r> {
    pub(super) rows: &'r Rows,
    pub(super) dictionary: &'r Dictionary,
    /// Remembers the objects, where that was asked for.
    pub(super) memory: Option<&'r Memory>,
}

impl Keep for Held<'_> {
    fn rows(&self, events: Events) -> Result<(), ScanError> {
        Ok(self.rows.push(events, self.dictionary)?)
    }

    fn object(&self, done: Done<'_>) -> Result<(), ScanError> {
        if let Some(memory) = self.memory {
            memory.read(done);
        }
        Ok(())
    }

    fn stored(&self, row: &ObjectRow) {
        if let Some(memory) = self.memory {
            memory.stored(row);
        }
    }

    fn hashes(&self) -> bool {
        self.memory.is_some()
    }

    fn hashes_content(&self) -> bool {
        self.memory.is_some_and(Memory::hashes_content)
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
