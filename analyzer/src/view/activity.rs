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
    /// Event time divided by [`BUCKET_MS`].
    pub bucket: i64,
    /// Events.
    pub count: u64,
    /// The event with the smallest (time, id).
    pub first: EventRef,
    /// The event with the largest (time, id).
    pub last: EventRef,
    /// Distinct encryption contexts.
    pub breadth: Breadth,
}

impl Cell {
    fn merge(&mut self, other: Self) {
        self.count += other.count;
        if other.first < self.first {
            self.first = other.first;
        }
        if other.last > self.last {
            self.last = other.last;
        }
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
        let bucket = event.time.div_euclid(BUCKET_MS);
        let cells = self.series.entry(key).or_default();
        // Rows come nearly in order of time, so the right cell is mostly the last one.
        match cells.last_mut() {
            Some(cell) if cell.bucket == bucket => {
                cell.count += 1;
                if event < cell.first {
                    cell.first = event;
                } else if event > cell.last {
                    cell.last = event;
                }
                if let Some(hash) = context {
                    cell.breadth.add(hash);
                }
            }
            _ => {
                let mut breadth = Breadth::default();
                if let Some(hash) = context {
                    breadth.add(hash);
                }
                cells.push(Cell { bucket, count: 1, first: event.clone(), last: event, breadth });
            }
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
                cells.sort_by_key(|cell| cell.bucket);
                let mut merged: Vec<Cell> = Vec::with_capacity(cells.len());
                for cell in cells {
                    match merged.last_mut() {
                        Some(last) if last.bucket == cell.bucket => last.merge(cell),
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
        self.cells.iter().map(|cell| cell.count).sum()
    }

    /// True for calls that succeeded.
    pub fn succeeded(&self) -> bool {
        self.key.error.is_none()
    }
}
