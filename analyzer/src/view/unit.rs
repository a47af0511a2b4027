//! Deduplication, before anything is counted. Copies of one event share account, Region and event time, hence the unit
//! (account × Region × date) and with it the partition, however late they were delivered.

use foldhash::{HashMap, HashMapExt, HashSet, HashSetExt};

use polars::prelude::PolarsResult;

use super::breadth::stable_hash;
use super::event::EventId;
use crate::frame::{Columns, Dictionary, Events, Sym};

/// Which partition each row of a batch belongs to: rows of one unit always share it, in every run.
pub fn partitions(columns: &Columns<'_>, height: usize, count: u32, dictionary: &Dictionary) -> Vec<u32> {
    const DAY_MS: i64 = 86_400_000;
    let mut hashes: HashMap<Sym, u64> = HashMap::new();
    let mut hash_of =
        |sym: Option<Sym>| sym.map_or(0, |sym| *hashes.entry(sym).or_insert_with(|| stable_hash(dictionary.text(sym))));
    (0..height)
        .map(|row| {
            // The key's own account and Region where the record names a key, so that both records of a cross-account
            // call meet; else those of the log.
            let account = hash_of(columns.key_account.get(row).or(columns.account.get(row)));
            let region = hash_of(columns.key_region.get(row).or(columns.region.get(row)));
            let date = columns.event_time.get(row).unwrap_or(0).div_euclid(DAY_MS) as u64;
            let mut hash = account.rotate_left(17) ^ region.rotate_left(43) ^ date.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            hash ^= hash >> 31;
            (hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as u32 % count
        })
        .collect()
}

/// Rows of a batch that stay after deduplication, in order of time and event id: `true` with the row of the wide frame,
/// `false` with the row of the narrow one.
///
/// # Errors
/// When a frame does not have the types of the column table.
pub fn deduplicated_rows(events: &Events, dictionary: &Dictionary) -> PolarsResult<Vec<(bool, u32)>> {
    let opened = Opened::new(events)?;
    let mut rows = deduplicate(events, &opened, dictionary).rows;
    rows.sort_by_cached_key(|(id, handle)| {
        let (columns, row) = opened.at(*handle);
        (columns.event_time.get(row), *id, columns.object.get(row), columns.record.get(row))
    });
    Ok(rows.into_iter().map(|(_, handle)| (handle.wide, handle.row)).collect())
}

/// One row of a batch: in the narrow or the wide frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Handle {
    pub(super) wide: bool,
    pub(super) row: u32,
}

/// A row and the id of its event.
type Named = (EventId, Handle);

/// The two frames of a batch, opened.
pub(super) struct Opened<'f> {
    narrow: Columns<'f>,
    wide: Columns<'f>,
}

impl<'f> Opened<'f> {
    pub(super) fn new(events: &'f Events) -> PolarsResult<Self> {
        Ok(Self { narrow: Columns::open(&events.narrow)?, wide: Columns::open(&events.wide)? })
    }

    /// The columns that hold a row, and the row's index in them.
    pub(super) fn at(&self, handle: Handle) -> (&Columns<'f>, usize) {
        (if handle.wide { &self.wide } else { &self.narrow }, handle.row as usize)
    }
}

/// Rows that count, and how many did not because they say again what another row says.
pub(super) struct Deduplicated {
    pub(super) rows: Vec<Named>,
    pub(super) duplicates: u64,
}

/// Keeps one row per event. Of several copies the one with the smallest (object, record) stays; a correction replaces
/// what it corrects; of the two records of a cross-account call the key owner's stays.
pub(super) fn deduplicate(events: &Events, opened: &Opened<'_>, dictionary: &Dictionary) -> Deduplicated {
    type Place = (Option<Sym>, Option<Sym>, EventId);
    let total = events.height();
    let handles = (0..events.narrow.height())
        .map(|row| Handle { wide: false, row: row as u32 })
        .chain((0..events.wide.height()).map(|row| Handle { wide: true, row: row as u32 }));

    // Records that share an id but not their name and time are no copies of each other.
    let mut kept: HashMap<(Place, Option<Sym>, Option<i64>), Handle> = HashMap::with_capacity(total);
    let mut corrected: HashSet<Place> = HashSet::new();
    let place = |handle: Handle| {
        let (columns, row) = opened.at(handle);
        (columns.object.get(row), columns.record.get(row))
    };
    for handle in handles {
        let (columns, row) = opened.at(handle);
        let identity = |id: &str| (columns.account.get(row), columns.region.get(row), EventId::new(id).0);
        if let Some(original) = columns.corrects.get(row) {
            corrected.insert(identity(original));
        }
        let id = identity(columns.event_id.get(row).unwrap_or_default());
        kept.entry((id, columns.event_name.get(row), columns.event_time.get(row)))
            .and_modify(|best| {
                if place(handle) < place(*best) {
                    *best = handle;
                }
            })
            .or_insert(handle);
    }
    if !corrected.is_empty() {
        kept.retain(|(place, ..), _| !corrected.contains(place));
    }

    let mut rows: Vec<Named> = Vec::with_capacity(kept.len());
    let mut shared: HashMap<&str, Named> = HashMap::new();
    for (((_, _, id), ..), handle) in drain(kept) {
        let (columns, row) = opened.at(handle);
        match columns.shared_event_id.get(row) {
            None => rows.push((id, handle)),
            Some(shared_id) => {
                let twin = |handle: Handle| {
                    let (columns, row) = opened.at(handle);
                    let account = columns.account.get(row);
                    let owner = columns.key_account.get(row).is_some_and(|key| Some(key) == account);
                    (!owner, account.map(|sym| dictionary.text(sym)), place(handle))
                };
                shared
                    .entry(shared_id)
                    .and_modify(|best| {
                        if twin(handle) < twin(best.1) {
                            *best = (id, handle);
                        }
                    })
                    .or_insert((id, handle));
            }
        }
    }
    rows.extend(shared.into_values());
    // In order of time, so that counting mostly touches the last bucket of a series.
    rows.sort_by_cached_key(|(_, handle)| {
        let (columns, row) = opened.at(*handle);
        columns.event_time.get(row)
    });
    let duplicates = (total - rows.len()) as u64;
    Deduplicated { rows, duplicates }
}

/// Moves the entries out; the caller sorts them, so that the order of the map does not matter.
fn drain<K, V>(map: HashMap<K, V>) -> impl Iterator<Item = (K, V)> {
    map.into_iter()
}
