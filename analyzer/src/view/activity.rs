//! Data plane: deduplicated counts per 5 minutes, per key and series.

use foldhash::HashMap;

use super::breadth::Breadth;
use super::event::EventRef;
use crate::extract::FailureClass;
use crate::frame::Sym;

/// Length of a bucket, milliseconds.
pub const BUCKET_MS: i64 = 300_000;

/// What is counted together on one key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
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
    series: HashMap<SeriesKey, Vec<Cell>>,
}

impl Activity {
    /// Counts one event. `context` is the hash of its encryption context, where it has one.
    pub fn add(&mut self, key: SeriesKey, event: EventRef, context: Option<u64>) {
        let cell = Cell::new(event, context);
        let cells = self.series.entry(key).or_default();
        // Rows come nearly in order of time, so the right cell is mostly the last one.
        match cells.last_mut() {
            Some(last) if last.bucket() == cell.bucket() => last.merge(cell),
            _ => cells.push(cell),
        }
    }

    /// Adds disjoint counts of the same key.
    pub fn merge(&mut self, other: Self) {
        if self.series.is_empty() {
            self.series = other.series;
            return;
        }
        for (key, cells) in drain(other.series) {
            self.series.entry(key).or_default().extend(cells);
        }
    }

    /// Closes the counts: cells in order of time, one per bucket; series in an order that does not depend on arrival.
    pub fn settle(self, text: &dyn Fn(Sym) -> String) -> Vec<Series> {
        let mut all: Vec<(Vec<String>, Series)> = drain(self.series)
            .map(|(key, mut cells)| {
                cells.sort_by_key(Cell::bucket);
                let mut merged: Vec<Cell> = Vec::with_capacity(cells.len());
                for cell in cells {
                    match merged.last_mut() {
                        Some(last) if last.bucket() == cell.bucket() => last.merge(cell),
                        _ => merged.push(cell),
                    }
                }
                let order =
                    [Some(key.source), Some(key.name), key.principal, key.via, key.error, key.resource, key.kind]
                        .into_iter()
                        .map(|sym| sym.map(text).unwrap_or_default())
                        .collect();
                (order, Series { key, cells: merged })
            })
            .collect();
        all.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.key.failure.cmp(&b.1.key.failure)));
        all.into_iter().map(|(_, series)| series).collect()
    }
}

/// Moves the entries out; every caller sorts or merges them, so that the order of the map does not matter.
fn drain<K, V>(map: HashMap<K, V>) -> impl Iterator<Item = (K, V)> {
    map.into_iter()
}

/// One settled series.
#[derive(Clone, Debug)]
pub struct Series {
    /// What was counted.
    pub key: SeriesKey,
    /// Buckets in order of time; empty buckets are absent.
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
