//! What rows say about rows of other partitions. It is rare, collected from every batch while objects are read, and known
//! in full before the first partition is folded: no result depends on which rows share a partition.

use foldhash::HashSet;
use polars::prelude::PolarsResult;

use super::aliases::{AliasRows, Aliases};
use super::breadth::stable_hash;
use super::event::EventId;
use super::fold::{HOUR_MS, Span, widen};
use crate::frame::{Columns, Dictionary, Events, Sym};
use crate::source::Names;

/// Corrections, calls of which one account's record names no key, aliases, and the span of the log.
#[derive(Clone, Debug, Default)]
pub struct Across {
    /// Rows after this instant do not count.
    as_of: Option<i64>,
    span: Option<Span>,
    aliases: AliasRows,
    /// Account and Region of the log, and the id of the event that another record replaces.
    corrected: HashSet<(u64, EventId)>,
    /// Hashes of the shared ids of rows that name no key.
    keyless: HashSet<u64>,
}

impl Across {
    /// Nothing yet. Rows after `as_of` do not count.
    pub fn new(as_of: Option<i64>) -> Self {
        Self { as_of, ..Self::default() }
    }

    /// First and last event time.
    pub fn span(&self) -> Option<(i64, i64)> {
        self.span
    }

    /// The instant asked for, else the last event time.
    pub fn as_of(&self) -> Option<i64> {
        self.as_of.or(self.span.map(|span| span.1))
    }

    /// Which key each alias pointed at.
    pub fn aliases<'d>(&self, dictionary: &'d Dictionary) -> Aliases<'d> {
        self.aliases.settle(self.as_of(), dictionary)
    }

    /// Collects from one batch. A time that is younger than the delivery of its object does not count.
    ///
    /// # Errors
    /// When a frame does not have the types of the column table.
    pub fn read(&mut self, events: &Events, names: &Names, dictionary: &Dictionary) -> PolarsResult<()> {
        let create = dictionary.intern("CreateKey");
        for frame in [&events.narrow, &events.wide] {
            let columns = Columns::open(frame)?;
            for row in 0..frame.height() {
                self.time(&columns, row, names);
                if columns.event_name.get(row) == Some(create) {
                    self.aliases.read_birth(&columns, row);
                }
                if let Some(alias) = columns.alias.get(row) {
                    let name = columns.event_name.get(row).map_or("", |name| dictionary.text(name));
                    self.aliases.read(&columns, row, alias, name);
                }
            }
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

    fn time(&mut self, columns: &Columns<'_>, row: usize, names: &Names) {
        let time = columns.event_time.get(row).unwrap_or(0);
        if self.as_of.is_some_and(|as_of| time > as_of)
            || self.span.is_some_and(|span| span.0 <= time && time <= span.1)
        {
            return;
        }
        // A record cannot be younger than its delivery: a made-up date must not move the end of the log.
        if names.delivered(columns.object.get(row)).is_none_or(|delivered| time <= delivered + HOUR_MS) {
            widen(self.span.get_or_insert((time, time)), (time, time));
        }
    }

    /// Adds what another worker collected.
    pub fn merge(&mut self, other: Self) {
        self.corrected.extend(other.corrected);
        self.keyless.extend(other.keyless);
        self.aliases.merge(other.aliases);
        if let Some(span) = other.span {
            widen(self.span.get_or_insert(span), span);
        }
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
