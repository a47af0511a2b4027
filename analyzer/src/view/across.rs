//! What rows say about rows of other partitions. It is rare, collected from every batch while objects are read, and known
//! in full before the first partition is folded: no result depends on which rows share a partition.

use foldhash::{HashSet, HashSetExt};
use polars::prelude::PolarsResult;

use super::breadth::stable_hash;
use super::event::EventId;
use crate::frame::{Columns, Events, Sym};

/// Corrections, and calls of which one account's record names no key.
#[derive(Clone, Debug)]
pub struct Across {
    /// Account and Region of the log, and the id of the event that another record replaces.
    corrected: HashSet<(u64, EventId)>,
    /// Hashes of the shared ids of rows that name no key.
    keyless: HashSet<u64>,
}

impl Default for Across {
    fn default() -> Self {
        Self { corrected: HashSet::new(), keyless: HashSet::new() }
    }
}

impl Across {
    /// Collects from one batch.
    ///
    /// # Errors
    /// When a frame does not have the types of the column table.
    pub fn read(&mut self, events: &Events) -> PolarsResult<()> {
        for frame in [&events.narrow, &events.wide] {
            let columns = Columns::open(frame)?;
            let carried = (columns.corrects.is_carried(), columns.shared_event_id.is_carried());
            if carried == (false, false) {
                continue;
            }
            for row in 0..frame.height() {
                if let Some(original) = columns.corrects.get(row) {
                    let log = log(columns.account.get(row), columns.region.get(row));
                    self.corrected.insert((log, EventId::new(original).0));
                }
                if let (Some(shared), None) = (columns.shared_event_id.get(row), columns.key_arn.get(row)) {
                    self.keyless.insert(stable_hash(shared));
                }
            }
        }
        Ok(())
    }

    /// Adds what another worker collected.
    pub fn merge(&mut self, other: Self) {
        self.corrected.extend(other.corrected);
        self.keyless.extend(other.keyless);
    }

    /// True when another record replaces this row. A correction that names its own id is no such row.
    pub(super) fn is_replaced(&self, columns: &Columns<'_>, row: usize, id: EventId) -> bool {
        !self.corrected.is_empty()
            && self.corrected.contains(&(log(columns.account.get(row), columns.region.get(row)), id))
            && columns.corrects.get(row).is_none_or(|original| EventId::new(original).0 != id)
    }

    /// The hash of a row's shared id, when some record of that call names no key.
    pub(super) fn half_keyed(&self, shared: &str) -> Option<u64> {
        if self.keyless.is_empty() {
            return None;
        }
        Some(stable_hash(shared)).filter(|hash| self.keyless.contains(hash))
    }
}

/// Account and Region of a log as one number.
pub(super) fn log(account: Option<Sym>, region: Option<Sym>) -> u64 {
    // Codes are given out in order: the largest one stands for no code.
    u64::from(account.unwrap_or(Sym::MAX)) << 32 | u64::from(region.unwrap_or(Sym::MAX))
}
