//! Partitions and deduplication, before anything is counted. Rows that name a key are partitioned by the key, all others by
//! log and date. Copies of one event say the same and share the partition, however late they were delivered; what else
//! must meet ([`Across`]) is known before the first partition is opened.

use foldhash::{HashMap, HashMapExt, HashSet};

use polars::prelude::PolarsResult;

use super::across::{Across, log};
use super::breadth::stable_hash;
use super::event::EventId;
use super::key::parts;
use crate::frame::{Columns, Dictionary, Events, Sym};

/// How many partitions there are, and of what: first those of rows without a key, then those of keys, then one that must
/// be folded after all others, of rows without a key whose call another account may have logged with its key.
///
/// The rows of a group of keys are cut by date into slices, one partition each: a busy key has more rows than should be in
/// memory at once, while what they fold into is small.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    keyless: u32,
    groups: u32,
}

/// Partitions of one group of keys.
const SLICES: u32 = 8;

impl Plan {
    /// A plan with about so many groups of keys.
    pub fn new(count: u32) -> Self {
        Self { keyless: count.max(1), groups: count.max(1) }
    }

    /// All partitions.
    pub fn count(self) -> u32 {
        self.last() + 1
    }

    /// The partitions of rows without a key: they come first.
    pub fn keyless(self) -> u32 {
        self.keyless
    }

    /// Groups of keys.
    pub fn groups(self) -> u32 {
        self.groups
    }

    /// The partitions of one group of keys.
    pub fn group(self, group: u32) -> std::ops::Range<u32> {
        let first = self.keyless + group * SLICES;
        first..first + SLICES
    }

    /// The partition that must be folded last.
    pub fn last(self) -> u32 {
        self.keyless + self.groups * SLICES
    }
}

/// Which partition each row of a batch belongs to, in every run of this plan.
pub fn partitions(columns: &Columns<'_>, height: usize, plan: Plan, dictionary: &Dictionary) -> Vec<u32> {
    const DAY_MS: i64 = 86_400_000;
    let spread = |hash: u64, count: u32| ((hash ^ hash >> 31).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as u32 % count;
    let mut keys: HashMap<Sym, u32> = HashMap::new();
    let mut hashes: HashMap<Sym, u64> = HashMap::new();
    let mut hash_of =
        |sym: Option<Sym>| sym.map_or(0, |sym| *hashes.entry(sym).or_insert_with(|| stable_hash(dictionary.text(sym))));
    // A replica has the id of its primary: keys that share an id share the partition.
    let of_key = |key: Sym| {
        let (account, _, id) = parts(dictionary.text(key));
        plan.group(spread(stable_hash(&account).rotate_left(17) ^ stable_hash(&id), plan.groups)).start
    };
    (0..height)
        .map(|row| {
            let date = columns.event_time.get(row).unwrap_or(0).div_euclid(DAY_MS);
            if let Some(key) = columns.key_arn.get(row) {
                return *keys.entry(key).or_insert_with(|| of_key(key)) + date.rem_euclid(i64::from(SLICES)) as u32;
            }
            if columns.shared_event_id.get(row).is_some() {
                return plan.last();
            }
            let date = date as u64;
            let place =
                hash_of(columns.account.get(row)).rotate_left(17) ^ hash_of(columns.region.get(row)).rotate_left(43);
            spread(place ^ date.wrapping_mul(0x9e37_79b9_7f4a_7c15), plan.keyless)
        })
        .collect()
}

/// Row numbers by partition.
pub fn rows_by_partition(of: &[u32], count: u32) -> Vec<Vec<u32>> {
    let mut rows = vec![Vec::new(); count as usize];
    for (row, &partition) in of.iter().enumerate() {
        rows[partition as usize].push(row as u32);
    }
    rows
}

/// Rows of a batch that stay after deduplication, in order of time and event id: `true` with the row of the wide frame,
/// `false` with the row of the narrow one.
///
/// # Errors
/// When a frame does not have the types of the column table.
pub fn deduplicated_rows(
    events: &Events,
    across: &Across,
    twins: &mut Twins,
    dictionary: &Dictionary,
) -> PolarsResult<Vec<(bool, u32)>> {
    let opened = Opened::new(&[Part::whole(events)])?;
    let mut rows = deduplicate(&opened, across, twins, dictionary).rows;
    rows.sort_by_cached_key(|named| {
        let (columns, row) = opened.at(named.handle);
        (columns.event_time.get(row), named.id, columns.object.get(row), columns.record.get(row))
    });
    Ok(rows.into_iter().map(|named| (named.handle.table == WIDE, named.handle.row)).collect())
}

/// Rows of a batch that are folded together with those of other batches.
#[derive(Clone, Copy)]
pub struct Part<'e> {
    events: &'e Events,
    /// Rows of the narrow and of the wide frame; all of them when `None`.
    rows: Option<(&'e [u32], &'e [u32])>,
}

impl<'e> Part<'e> {
    /// All rows of a batch.
    pub fn whole(events: &'e Events) -> Self {
        Self { events, rows: None }
    }

    /// These rows of the narrow and of the wide frame.
    pub fn rows(events: &'e Events, narrow: &'e [u32], wide: &'e [u32]) -> Self {
        Self { events, rows: Some((narrow, wide)) }
    }
}

/// Place of the wide frame among the tables of a single part.
const WIDE: u32 = 1;

/// One row: which table, and which row of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Handle {
    table: u32,
    row: u32,
}

/// Handle of a row that something else stands in for.
const GONE: Handle = Handle { table: u32::MAX, row: u32::MAX };

/// A row and the id of its event.
#[derive(Clone, Copy)]
pub(super) struct Named {
    pub(super) id: EventId,
    /// The id is a GUID in its usual spelling: its text need not be remembered.
    pub(super) guid: bool,
    pub(super) handle: Handle,
}

struct Table<'f> {
    columns: Columns<'f>,
    height: usize,
    rows: Option<&'f [u32]>,
}

impl Table<'_> {
    fn len(&self) -> usize {
        self.rows.map_or(self.height, <[u32]>::len)
    }
}

/// Frames of some parts, opened: the narrow and the wide one of each.
pub(super) struct Opened<'f>(Vec<Table<'f>>);

impl<'f> Opened<'f> {
    pub(super) fn new(parts: &[Part<'f>]) -> PolarsResult<Self> {
        let mut tables = Vec::with_capacity(2 * parts.len());
        for Part { events, rows } in parts {
            for (frame, rows) in [(&events.narrow, rows.map(|rows| rows.0)), (&events.wide, rows.map(|rows| rows.1))] {
                tables.push(Table { columns: Columns::open(frame)?, height: frame.height(), rows });
            }
        }
        Ok(Self(tables))
    }

    /// The columns that hold a row, and the row's index in them.
    pub(super) fn at(&self, handle: Handle) -> (&Columns<'f>, usize) {
        (&self.0[handle.table as usize].columns, handle.row as usize)
    }

    fn len(&self) -> usize {
        self.0.iter().map(Table::len).sum()
    }
}

/// What is left after deduplication.
pub(super) struct Deduplicated {
    pub(super) rows: Vec<Named>,
    pub(super) duplicates: u64,
}

/// Hashes of shared ids of which some record names no key, but another one that was seen does.
pub type Twins = HashSet<u64>;

/// Keeps one row per event. Of several copies the one that corrects stays, then the one with the smallest (object,
/// record); a correction replaces what it corrects; of the two records of a cross-account call the key owner's stays.
pub(super) fn deduplicate(
    opened: &Opened<'_>,
    across: &Across,
    twins: &mut Twins,
    dictionary: &Dictionary,
) -> Deduplicated {
    let total = opened.len();
    let mut rows: Vec<Named> = Vec::with_capacity(total);
    let mut index: HashMap<Identity, u32> = HashMap::with_capacity(total);
    let place = |handle: Handle| {
        let (columns, row) = opened.at(handle);
        (columns.corrects.get(row).is_none(), columns.object.get(row), columns.record.get(row))
    };
    for (number, table) in opened.0.iter().enumerate() {
        let columns = &table.columns;
        for at in 0..table.len() {
            let row = table.rows.map_or(at, |rows| rows[at] as usize);
            let handle = Handle { table: number as u32, row: row as u32 };
            let (id, guid) = EventId::of(columns, row);
            if across.is_replaced(columns, row, id) {
                continue;
            }
            let log = log(columns.account.get(row), columns.region.get(row));
            let identity = (log, id, columns.event_name.get(row), columns.event_time.get(row));
            let known = *index.entry(identity).or_insert(rows.len() as u32) as usize;
            match rows.get_mut(known) {
                None => rows.push(Named { id, guid, handle }),
                Some(best) if place(handle) < place(best.handle) => best.handle = handle,
                Some(_) => {}
            }
        }
    }
    drop(index);
    keep_owners(opened, &mut rows, across, twins, dictionary);
    rows.retain(|named| named.handle != GONE);
    let duplicates = (total - rows.len()) as u64;
    Deduplicated { rows, duplicates }
}

/// What makes two rows copies of one event: account and Region of the log, the event's id, name and time. Records that
/// share an id but not their name and time are no copies of each other.
type Identity = (u64, EventId, Option<Sym>, Option<i64>);

/// Of the records that two accounts have of one call, keeps the key owner's. A record without a key gives way to one with
/// a key that was seen in another partition.
fn keep_owners(opened: &Opened<'_>, rows: &mut [Named], across: &Across, twins: &mut Twins, dictionary: &Dictionary) {
    let twin = |handle: Handle| {
        let (columns, row) = opened.at(handle);
        let account = columns.account.get(row);
        let owner = columns.key_account.get(row).is_some_and(|key| Some(key) == account);
        let keyless = columns.key_arn.get(row).is_none();
        (!owner, keyless, account.map(|sym| dictionary.text(sym)), columns.object.get(row), columns.record.get(row))
    };
    let mut best: HashMap<&str, usize> = HashMap::new();
    for at in 0..rows.len() {
        let handle = rows[at].handle;
        if handle == GONE {
            continue;
        }
        let (columns, row) = opened.at(handle);
        let Some(shared) = columns.shared_event_id.get(row) else { continue };
        if let Some(hash) = across.half_keyed(shared) {
            if columns.key_arn.get(row).is_some() {
                twins.insert(hash);
            } else if twins.contains(&hash) {
                rows[at].handle = GONE;
                continue;
            }
        }
        let known = best.entry(shared).or_insert(at);
        if *known != at {
            let loser = if twin(handle) < twin(rows[*known].handle) { std::mem::replace(known, at) } else { at };
            rows[loser].handle = GONE;
        }
    }
}
