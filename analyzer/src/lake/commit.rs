//! What one shard gets of a batch, planned against what the shard holds.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use foldhash::{HashMap, HashMapExt, HashSet};
use rayon::prelude::*;

use super::manifest::{LakeError, PartKind};
use super::objects::{IDENTITY, ObjectRow};
use super::part::{At, Encoded, Source};
use super::partition::{Shard, Unit};
use super::shard::{Lake, ShardState, version};
use super::swap::{Old, Swap};

/// What a batch changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Committed {
    /// Objects that the lake did not have.
    pub added: u64,
    /// Objects that replaced an earlier content of theirs, or an earlier failure to read them.
    pub replaced: u64,
    /// Objects that the lake had already; their rows in the batch were dropped.
    pub unchanged: u64,
    /// Event rows written.
    pub rows: u64,
    /// Parts written.
    pub parts: u64,
    /// Bytes of these parts.
    pub bytes: u64,
}

impl Committed {
    /// Adds what another batch changed.
    pub fn add(&mut self, other: Self) {
        self.added += other.added;
        self.replaced += other.replaced;
        self.unchanged += other.unchanged;
        self.rows += other.rows;
        self.parts += other.parts;
        self.bytes += other.bytes;
    }
}

/// What one shard gets of a batch.
pub(super) struct Change<'c> {
    pub(super) shard: &'c Shard,
    pub(super) objects: Vec<&'c ObjectRow>,
    pub(super) source: &'c Source<'c>,
    pub(super) rows: &'c BTreeMap<Unit, Vec<At>>,
    /// Inbox files whose content this is.
    pub(super) absorbed: &'c [String],
}

impl Change<'_> {
    /// Writes the parts and swaps the manifest; plans anew while others are faster.
    pub(super) fn commit(&self, lake: &Lake) -> Result<Committed, LakeError> {
        lake.retry(self.shard, |state, swap| self.plan(lake, state, swap))
    }

    fn plan(&self, lake: &Lake, state: &ShardState, swap: &mut Swap<'_>) -> Result<Committed, LakeError> {
        let mut done = Committed::default();
        let mut known: HashMap<String, ObjectRow> = HashMap::new();
        let dates: HashSet<Option<NaiveDate>> = self.objects.iter().map(|row| row.unit.date).collect();
        for part in state.manifest.of(PartKind::Objects).filter(|part| dates.contains(&part.unit.date)) {
            known.extend(lake.object_rows(part, IDENTITY)?.into_iter().map(|row| (row.uri.clone(), row)));
        }
        let (mut take, mut old) = (Vec::new(), HashMap::new());
        for &row in &self.objects {
            match known.remove(&row.uri) {
                None => done.added += 1,
                // A failure that may pass neither replaces what was read nor an earlier failure.
                Some(before) if row.is_transient() || version(row) == version(&before) && !row.completes(&before) => {
                    done.unchanged += 1;
                    continue;
                }
                Some(before) => {
                    done.replaced += 1;
                    old.insert(row.uri.clone(), Old { date: before.unit.date, span: before.span });
                }
            }
            take.push(row);
        }
        swap.absorb(self.absorbed);
        swap.replace(lake, state, &old)?;
        done.rows = self.write_events(&take, swap)?;
        let mut units: BTreeMap<&Unit, Vec<&ObjectRow>> = BTreeMap::new();
        for row in take {
            units.entry(&row.unit).or_default().push(row);
        }
        for (unit, rows) in units {
            swap.write_objects(unit, &rows)?;
        }
        done.parts = swap.added.len() as u64;
        done.bytes = swap.added.iter().map(|part| part.bytes).sum();
        Ok(done)
    }

    /// Writes the rows of these objects, one part per unit.
    fn write_events(&self, take: &[&ObjectRow], swap: &mut Swap<'_>) -> Result<u64, LakeError> {
        let all = take.len() == self.objects.len();
        let taken: HashSet<&str> = take.iter().map(|row| row.uri.as_str()).collect();
        let rows_of = |rows: &Vec<At>| match all {
            true => rows.clone(),
            false => rows.iter().copied().filter(|at| taken.contains(self.source.uri_of(*at))).collect(),
        };
        let units: Vec<(&Unit, Vec<At>)> = self.rows.iter().map(|(unit, rows)| (unit, rows_of(rows))).collect();
        let units: Vec<(&Unit, Vec<At>)> = units.into_iter().filter(|(_, rows)| !rows.is_empty()).collect();
        let mut written = 0;
        // Some at a time: what waits to be written is bounded.
        for units in units.chunks(64) {
            let encoded: Vec<Result<Encoded, LakeError>> = units
                .par_iter()
                .map(|(unit, rows)| {
                    self.source.encode(rows.clone(), Some(unit), None).map_err(|error| LakeError::rows(&error))
                })
                .collect();
            for ((unit, rows), encoded) in units.iter().zip(encoded) {
                swap.write(PartKind::Events, unit, rows.len() as u64, encoded?)?;
                written += rows.len() as u64;
            }
        }
        Ok(written)
    }
}
