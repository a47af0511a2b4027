//! Data plane: deduplicated counts per 5 minutes, per key and series.

use std::hash::{BuildHasher, Hash, Hasher};

use foldhash::HashMap;
use foldhash::fast::FixedState;

use super::breadth::Breadth;
use super::event::EventRef;
use crate::extract::FailureClass;
use crate::frame::{Dictionary, Sym};

/// Length of a bucket, milliseconds.
pub const BUCKET_MS: i64 = 300_000;

/// What is counted together on one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeriesKey {
    /// Service that logged the call.
    pub source: Sym,
    /// Operation.
    pub name: Sym,
    /// Group of a KMS operation; `None` for other services.
    pub operation: Option<Sym>,
    /// Stable identity of the caller.
    pub principal: Option<Sym>,
    /// `userIdentity.type` of the caller.
    pub kind: Option<Sym>,
    /// Service that called on the principal's behalf.
    pub via: Option<Sym>,
    /// Error code; `None` for successes.
    pub error: Option<Sym>,
    /// Cause class of the error.
    pub failure: Option<FailureClass>,
    /// The resource that failed; kept apart only for failures that the key's state caused.
    pub resource: Option<Sym>,
    /// The log bucket that was read; set only for those, so that reading of logs is kept apart and nothing else is.
    pub log_bucket: Option<Sym>,
    /// The alias that the caller named the key by; kept apart only where that may be why a ciphertext did not fit.
    pub alias: Option<Sym>,
}

impl Hash for SeriesKey {
    /// Five numbers instead of a dozen: every counted event is looked up by this.
    fn hash<H: Hasher>(&self, state: &mut H) {
        let pair =
            |a: Option<Sym>, b: Option<Sym>| u64::from(a.unwrap_or(Sym::MAX)) << 32 | u64::from(b.unwrap_or(Sym::MAX));
        state.write_u64(pair(Some(self.source), Some(self.name)));
        state.write_u64(pair(self.principal, self.via));
        state.write_u64(pair(self.operation, self.kind));
        // What was read has no error, and what has an alias no resource.
        state.write_u64(pair(self.error.or(self.log_bucket), self.resource.or(self.alias)));
        self.failure.hash(state);
    }
}

/// One bucket of a series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The event with the smallest (time, id).
    pub first: EventRef,
    /// Events.
    pub count: u32,
    /// Milliseconds from the first event to the last.
    reach: u32,
    /// Distinct encryption contexts.
    pub breadth: Breadth,
}

impl Cell {
    fn new(event: EventRef, context: Option<u64>) -> Self {
        let mut breadth = Breadth::default();
        context.into_iter().for_each(|hash| breadth.add(hash));
        Self { first: event, count: 1, reach: 0, breadth }
    }

    /// Event time divided by [`BUCKET_MS`].
    pub fn bucket(&self) -> i64 {
        self.first.time.div_euclid(BUCKET_MS)
    }

    /// Time of the last event, milliseconds since the epoch.
    pub fn last(&self) -> i64 {
        self.first.time + i64::from(self.reach)
    }

    fn merge(&mut self, other: Self) {
        let last = self.last().max(other.last());
        self.count = self.count.saturating_add(other.count);
        self.first = self.first.min(other.first);
        self.reach = (last - self.first.time) as u32;
        self.breadth.merge(&other.breadth);
    }
}

/// All series of one key.
#[derive(Clone, Debug, Default)]
pub struct Activity {
    series: Vec<Open>,
    /// Place of each series by the hash of its key: a fraction of what the keys themselves would take.
    index: HashMap<u64, u32>,
    /// Where the last event went: the next one mostly goes there too.
    last: usize,
}

/// A series that is being counted. Its cells are runs, one per round, each in order of time: what came in another round
/// is not searched, because it is mostly of another day.
#[derive(Clone, Debug)]
struct Open {
    series: Series,
    round: u32,
    /// Where the run of the round starts.
    run: usize,
}

impl Activity {
    /// Counts one event. `context` is the hash of its encryption context, where it has one. Events of one unit have one
    /// `round`, and rounds follow each other.
    pub fn add(&mut self, key: SeriesKey, event: EventRef, context: Option<u64>, round: u32) {
        let cell = Cell::new(event, context);
        if self.series.get(self.last).is_none_or(|last| last.series.key != key) {
            self.last = self.find(key, round);
        }
        let open = &mut self.series[self.last];
        let cells = &mut open.series.cells;
        if open.round != round {
            open.round = round;
            open.run = cells.len();
        }
        // Rows come nearly in order of time, so the right cell is mostly the last one.
        match cells[open.run..].last_mut() {
            Some(last) if last.bucket() == cell.bucket() => last.merge(cell),
            Some(last) if last.bucket() > cell.bucket() => {
                match cells[open.run..].binary_search_by_key(&cell.bucket(), Cell::bucket) {
                    Ok(at) => cells[open.run + at].merge(cell),
                    Err(at) => cells.insert(open.run + at, cell),
                }
            }
            _ => {
                // Most series are short: they grow by half, not from four cells to eight.
                if cells.len() == cells.capacity() {
                    cells.reserve_exact(1 + cells.len() / 2);
                }
                cells.push(cell);
            }
        }
    }

    fn find(&mut self, key: SeriesKey, round: u32) -> usize {
        let mut hash = FixedState::default().hash_one(key);
        loop {
            let at = *self.index.entry(hash).or_insert(self.series.len() as u32) as usize;
            match self.series.get(at) {
                Some(open) if open.series.key == key => return at,
                // Another key of the same hash: the next number may be free.
                Some(_) => hash = hash.wrapping_add(1),
                None => {
                    self.series.push(Open { series: Series { key, cells: Vec::new() }, round, run: 0 });
                    return at;
                }
            }
        }
    }

    /// Adds disjoint counts of the same key. Nothing of a round that either has seen may be added any more.
    pub fn merge(&mut self, other: Self) {
        if self.series.is_empty() {
            *self = other;
            return;
        }
        for theirs in other.series {
            let at = self.find(theirs.series.key, theirs.round);
            let ours = &mut self.series[at].series.cells;
            if ours.is_empty() { *ours = theirs.series.cells } else { ours.extend(theirs.series.cells) }
        }
    }

    /// Closes the counts: cells in order of time, one per bucket; series in an order that does not depend on arrival.
    pub fn settle(self, dictionary: &Dictionary) -> Vec<Series> {
        let text = |sym: Option<Sym>| sym.map(|sym| dictionary.text(sym)).unwrap_or_default();
        let mut all: Vec<([&str; 9], Series)> = self
            .series
            .into_iter()
            .map(|Open { mut series, .. }| {
                join(&mut series.cells);
                let key = &series.key;
                let (source, name) = (Some(key.source), Some(key.name));
                let (read, named) = (key.log_bucket, key.alias);
                let order = [source, name, key.principal, key.via, key.error, key.resource, key.kind, read, named];
                (order.map(text), series)
            })
            .collect();
        all.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.key.failure.cmp(&b.1.key.failure)));
        all.into_iter().map(|(_, series)| series).collect()
    }
}

/// Cells of several runs in order of time, one per bucket.
fn join(cells: &mut Vec<Cell>) {
    if cells.is_sorted_by(|a, b| a.bucket() < b.bucket()) {
        return;
    }
    cells.sort_by_key(Cell::bucket);
    cells.dedup_by(|next, kept| {
        let same = next.bucket() == kept.bucket();
        if same {
            kept.merge(next.clone());
        }
        same
    });
}

/// One series.
#[derive(Clone, Debug)]
pub struct Series {
    /// What was counted.
    pub key: SeriesKey,
    /// Buckets in order of time, each once; empty buckets are absent.
    pub cells: Vec<Cell>,
}

impl Series {
    /// Events in all buckets.
    pub fn count(&self) -> u64 {
        self.cells.iter().map(|cell| u64::from(cell.count)).sum()
    }

    /// True for calls that succeeded.
    pub fn succeeded(&self) -> bool {
        self.key.error.is_none()
    }
}
