//! What was looked at, and what was not. Never more certain than the logs allow: silence is "unproved", not "idle".

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::beside::Contradiction;
use crate::decode::{Note, RejectReason, SkipReason};
use crate::inventory::Inventory;

/// Objects of the run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Objects {
    /// Objects that the sources held (within the asked accounts, Regions and dates).
    pub seen: u64,
    /// Objects whose records were read.
    pub read: u64,
    /// Objects that gave no records, each with a reason.
    pub skipped: u64,
    /// Objects outside the asked accounts, Regions or dates, told by their path and not opened.
    pub pruned: u64,
}

/// Records of the run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Records {
    /// Records of all services, before deduplication.
    pub seen: u64,
    /// KMS events, after deduplication.
    pub kms: u64,
    /// Other services' records that a key is involved in, after deduplication.
    pub related: u64,
    /// Records that should have become rows and could not.
    pub rejected: u64,
    /// Copies of events that were delivered more than once, and the corrected versions of corrected events.
    pub duplicates: u64,
}

/// Bytes of the run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bytes {
    /// As stored.
    pub compressed: u64,
    /// After decompression.
    pub inflated: u64,
}

/// An object that gave nothing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Skipped {
    /// URI or path.
    pub object: String,
    /// Why.
    pub reason: SkipReason,
    /// What the system or the service said about it.
    pub detail: Option<String>,
}

/// A record that could not become a row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RejectedAt {
    /// URI or path.
    pub object: String,
    /// Index in the object, from 0.
    pub record: u32,
    /// Why.
    pub reason: RejectReason,
}

/// Hours of one account and Region without any log.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gap {
    /// Account.
    pub account: String,
    /// Region.
    pub region: String,
    /// Start, milliseconds since the epoch, on the hour.
    pub from: i64,
    /// End, exclusive.
    pub to: i64,
}

/// What a trail stopped seeing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Blindness {
    /// Logging was stopped or the trail was deleted.
    Stopped,
    /// Event selectors exclude KMS.
    KmsExcluded,
    /// Event selectors keep write events only: no Decrypt, no reads.
    WriteOnly,
    /// Event selectors keep no management events.
    NoManagementEvents,
}

impl Blindness {
    /// Name in outputs.
    pub fn id(self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::KmsExcluded => "kms-excluded",
            Self::WriteOnly => "write-only",
            Self::NoManagementEvents => "no-management-events",
        }
    }
}

/// A window in which a trail did not log KMS.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BlindWindow {
    /// Account that changed the trail.
    pub account: String,
    /// Region of the call.
    pub region: String,
    /// Trail name or ARN, as logged.
    pub trail: String,
    /// What it did not see.
    pub what: Blindness,
    /// Start, milliseconds since the epoch.
    pub from: i64,
    /// End; `None` when nothing in the log ended it.
    pub to: Option<i64>,
    /// Who did it.
    pub by: String,
}

/// What the run looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Objects.
    pub objects: Objects,
    /// Records.
    pub records: Records,
    /// Deduplicated KMS events per operation.
    pub operations: BTreeMap<String, u64>,
    /// Bytes.
    pub bytes: Bytes,
    /// First and last event time among the kept rows, milliseconds since the epoch.
    pub span: Option<(i64, i64)>,
    /// Accounts in whose logs rows were found.
    pub accounts: BTreeSet<String>,
    /// Regions in whose logs rows were found.
    pub regions: BTreeSet<String>,
    /// Every skipped object, sorted.
    pub skipped: Vec<Skipped>,
    /// Rejected records per reason.
    pub rejected: BTreeMap<RejectReason, u64>,
    /// The first few rejected records of each object, sorted.
    pub rejected_at: Vec<RejectedAt>,
    /// Objects with something to note that were read all the same.
    pub notes: BTreeMap<Note, u64>,
    /// Runs of hours without any log between the first and the last hour of an account and Region. CloudTrail writes no
    /// file for a quiet hour, so a gap is "unproved", neither idle nor lost.
    pub gaps: Vec<Gap>,
    /// Hours with at least one log, over all accounts and Regions.
    pub hours_logged: u64,
    /// Start of the last hour with a log, milliseconds since the epoch, per account and Region.
    pub last: BTreeMap<(String, String), i64>,
    /// Hours with a log on each day (days since the epoch), per account and Region.
    pub days: BTreeMap<(String, String), BTreeMap<i64, u32>>,
    /// Windows in which a trail was stopped or did not log KMS.
    pub blind: Vec<BlindWindow>,
    /// What KMS said of keys, when an inventory was given.
    pub inventory: Option<Arc<Inventory>>,
    /// Of what log and inventory say different things, by key ARN.
    pub contradictions: Vec<(String, Contradiction)>,
    /// Keys that only the inventory has.
    pub not_in_log: u64,
}

impl Coverage {
    /// False when something that should have been read could not be: exit code 4.
    pub fn is_complete(&self) -> bool {
        let misread = self.inventory.as_ref().is_some_and(|inventory| !inventory.misread.is_empty());
        !misread && self.records.rejected == 0 && self.skipped.iter().all(|skipped| skipped.reason.is_expected())
    }

    /// Days of a period (`[from, to)`, milliseconds) before the first or after the last one with a log, over all accounts and
    /// Regions: what is no gap, and was not seen either. A side that is open has none.
    pub fn days_outside(&self, from: Option<i64>, to: Option<i64>) -> u64 {
        const DAY_MS: i64 = 86_400_000;
        let start = from.map(|from| from.div_euclid(DAY_MS));
        let end = to.map(|to| to.saturating_sub(1).div_euclid(DAY_MS));
        let is_within = |day: &&i64| start.is_none_or(|start| **day >= start) && end.is_none_or(|end| **day <= end);
        let of_place = |days: &BTreeMap<i64, u32>| {
            let mut seen = days.keys().filter(is_within);
            let Some(first) = seen.next() else { return start.zip(end).map_or(0, |(start, end)| end - start + 1) };
            let last = seen.next_back().unwrap_or(first);
            start.map_or(0, |start| first - start) + end.map_or(0, |end| end - last)
        };
        self.days.values().map(|days| u64::try_from(of_place(days)).unwrap_or(0)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::Coverage;

    #[test]
    fn days_of_a_period_that_no_log_reaches() {
        const DAY: i64 = 86_400_000;
        let mut coverage = Coverage::default();
        let outside = |coverage: &Coverage, from: i64, to: i64| coverage.days_outside(Some(from * DAY), Some(to * DAY));
        assert_eq!(outside(&coverage, 0, 9), 0);
        coverage.days.insert(("a".into(), "r".into()), [(10, 1), (12, 24)].into());
        // A day counts whole, and one between two with a log is a gap.
        for (from, to, days) in
            [(10, 13, 0), (8, 13, 2), (10, 20, 7), (8, 20, 9), (11, 13, 1), (13, 20, 7), (0, 10, 10), (20, 10, 0)]
        {
            assert_eq!(outside(&coverage, from, to), days, "{from} to {to}");
        }
        assert_eq!((coverage.days_outside(None, None), coverage.days_outside(Some(8 * DAY), None)), (0, 2));
        assert_eq!((coverage.days_outside(None, Some(20 * DAY)), coverage.days_outside(Some(20 * DAY), None)), (7, 0));
        coverage.days.insert(("b".into(), "r".into()), [(11, 1)].into());
        assert_eq!(outside(&coverage, 8, 20), 9 + 3 + 8);
    }
}
