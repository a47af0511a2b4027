//! A lake as a source: what was read once, without any log.

use std::ops::Range;

use polars::prelude::{BooleanChunked, NewChunkedArray, PolarsResult};
use rayon::ThreadPool;
use rayon::prelude::*;

use super::drive::{HEAVY, drive};
use super::ingest::{Ingested, Shared};
use super::sources::filter;
use super::{ScanError, ScanOptions};
use crate::decode::{ObjectReport, SkipReason};
use crate::frame::{Columns, Events};
use crate::lake::{EventsReader, Lake, LakeError, ObjectRow, Part, PartKind, ShardState, StoreError};
use crate::source::{Filter, Layout};
use crate::view::Across;

/// Parts of objects that are decoded at a time.
const AHEAD: usize = 64;

/// Stands for an object whose rows are not wanted.
const UNWANTED: u32 = u32::MAX;

/// Reads what a lake has, as if the logs were read: first what came of the objects, then their rows.
pub(super) fn read_lake(
    pool: &ThreadPool,
    lake: &Lake,
    shared: Shared<'_>,
    across: &Across,
) -> Result<Ingested, ScanError> {
    let snapshot = lake.snapshot()?;
    let before = shared.names.len();
    let mut told = Told { filter: filter(shared.options), ingested: Ingested::new(across) };
    objects(pool, lake, &snapshot.shards, shared, &mut told)?;
    let own = before..shared.names.len();

    let reach = Reach::new(shared.options);
    let parts: Vec<Part> = snapshot
        .shards
        .iter()
        .flat_map(|state| {
            // Names that tell no day say nothing of the time of their rows.
            let undated = state.manifest.of(PartKind::Objects).any(|part| part.unit.date.is_none());
            state
                .manifest
                .of(PartKind::Events)
                .filter(|part| undated || reach.admits(part))
                .cloned()
                .collect::<Vec<_>>()
        })
        .collect();
    let stored = parts.iter().map(|part| part.bytes).sum();
    shared.progress.found(parts.len() as u64, stored);
    shared.progress.listed();
    let inboxes = snapshot.shards.iter().filter(|state| !state.inbox.is_empty()).map(Item::Inbox);
    let listed: Vec<&Part> = parts.iter().collect();
    let items: Box<dyn Iterator<Item = Item<'_>>> = match lake.fetch_parts(&listed) {
        Some(fetched) => Box::new(fetched.map(|(at, bytes)| Item::Part(&parts[at as usize], Some(bytes)))),
        None => Box::new(parts.iter().map(|part| Item::Part(part, None))),
    };
    let items = items.chain(inboxes).map(Ok);
    let weigh = |item: &Item<'_>| match item {
        Item::Part(part, None) => part.bytes,
        Item::Part(_, Some(_)) | Item::Inbox(_) => HEAVY,
    };
    let make = || Worker::new(lake, shared, own.clone(), across.clone());
    for worker in drive(pool, items, weigh, make, Worker::read)? {
        told.ingested.across.merge(worker.across);
        told.ingested.filtered += worker.filtered;
        for (part, detail) in worker.damaged {
            told.damaged(&part, detail);
        }
    }
    Ok(told.ingested)
}

/// What is known so far.
struct Told {
    filter: Filter,
    ingested: Ingested,
}

impl Told {
    /// Counts one object, and names it if it has rows that are wanted.
    fn object(&mut self, row: &ObjectRow, shared: Shared<'_>) -> Result<(), ScanError> {
        let layout = Layout::of(&row.uri);
        let unlisted = row.report.skip == Some(SkipReason::Unreadable);
        if !unlisted && !self.filter.admits(&layout) {
            self.ingested.pruned += 1;
            return Ok(());
        }
        if shared.options.is_lookback(&layout) {
            self.ingested.lookback.objects += 1;
            self.ingested.lookback.bytes += row.report.compressed;
        }
        if row.report.kept > 0 {
            shared.names.push(&row.uri)?;
        }
        shared.keep.stored(row);
        self.ingested.seen.add(&row.uri, row.report.clone(), row.detail.clone());
        Ok(())
    }

    /// A file of the lake that cannot be read is told like an object that cannot be read.
    fn damaged(&mut self, part: &str, detail: String) {
        let report = ObjectReport { skip: Some(SkipReason::DamagedPart), ..ObjectReport::default() };
        self.ingested.seen.add(part, report, Some(detail));
    }
}

/// Reads what came of the objects, in the order of their names: numbers of objects stand for their order.
fn objects(
    pool: &ThreadPool,
    lake: &Lake,
    shards: &[ShardState],
    shared: Shared<'_>,
    told: &mut Told,
) -> Result<(), ScanError> {
    let mut waiting: Vec<ObjectRow> = Vec::new();
    for state in shards {
        waiting.extend(lake.inbox_objects(state)?);
    }
    waiting.sort_by(|a, b| b.uri.cmp(&a.uri));
    let mut parts: Vec<&Part> = shards.iter().flat_map(|state| state.manifest.of(PartKind::Objects)).collect();
    let first = |part: &Part| part.names.as_ref().map_or("", |names| names.0.as_str()).to_owned();
    parts.sort_by_cached_key(|part| (first(part), part.path.clone()));

    // Rows whose names come before the first name of any part that is yet to be read are in their place.
    let mut held: Vec<ObjectRow> = Vec::new();
    for (at, ahead) in parts.chunks(AHEAD).enumerate() {
        for (part, rows) in read_objects(pool, lake, ahead)? {
            match rows {
                Ok(rows) => held.extend(rows),
                Err(LakeError::Damaged { reason, .. }) => told.damaged(&part.path, reason),
                Err(error) => return Err(error.into()),
            }
        }
        let next = parts.get((at + 1) * AHEAD).map(|part| first(part));
        let reached = |uri: &str| next.as_deref().is_none_or(|next| uri < next);
        while waiting.last().is_some_and(|row| reached(&row.uri)) {
            held.extend(waiting.pop());
        }
        let (mut ready, rest): (Vec<_>, Vec<_>) = held.drain(..).partition(|row| reached(&row.uri));
        held = rest;
        ready.sort_by(|a, b| a.uri.cmp(&b.uri));
        for row in &ready {
            told.object(row, shared)?;
        }
    }
    while let Some(row) = waiting.pop() {
        told.object(&row, shared)?;
    }
    Ok(())
}

type ReadObjects<'p> = Vec<(&'p Part, Result<Vec<ObjectRow>, LakeError>)>;

/// Reads some parts of objects: fetched here, decoded by all threads.
fn read_objects<'p>(pool: &ThreadPool, lake: &Lake, parts: &[&'p Part]) -> Result<ReadObjects<'p>, ScanError> {
    let Some(fetched) = lake.fetch_parts(parts) else {
        return Ok(pool.install(|| parts.par_iter().map(|part| (*part, lake.read_objects(part))).collect()));
    };
    let fetched: Vec<_> = fetched.map(|(at, bytes)| (parts[at as usize], bytes)).collect();
    let decode = |(part, bytes): (&'p Part, Result<Option<Vec<u8>>, StoreError>)| {
        let bytes = bytes.map_err(LakeError::from).and_then(|bytes| Lake::check_part(part, bytes));
        (part, bytes.and_then(|bytes| Lake::decode_objects(part, bytes)))
    };
    Ok(pool.install(|| fetched.into_par_iter().map(decode).collect()))
}

/// Days whose rows can matter to a run.
struct Reach {
    first: Option<i64>,
    last: Option<i64>,
}

impl Reach {
    /// CloudTrail delivers events up to 30 days late: an object of a day may hold rows that are so much older.
    const LATEST_MS: i64 = 32 * 86_400_000;

    fn new(options: &ScanOptions) -> Self {
        let Filter { from, to, .. } = filter(options);
        Self {
            first: from.map(|from| from.saturating_sub(Self::LATEST_MS)),
            last: to.map(|to| to.saturating_add(Self::LATEST_MS)),
        }
    }

    fn admits(&self, part: &Part) -> bool {
        part.span.is_none_or(|(first, last)| {
            self.first.is_none_or(|from| last >= from) && self.last.is_none_or(|to| first <= to)
        })
    }
}

/// Something with rows.
enum Item<'i> {
    /// A part, and its content where it had to be fetched.
    Part(&'i Part, Option<Result<Option<Vec<u8>>, StoreError>>),
    Inbox(&'i ShardState),
}

/// Reads parts, one after the other.
struct Worker<'s> {
    lake: &'s Lake,
    shared: Shared<'s>,
    /// Numbers of the objects of this lake.
    own: Range<u32>,
    reader: EventsReader,
    across: Across,
    filtered: u64,
    damaged: Vec<(String, String)>,
}

impl<'s> Worker<'s> {
    fn new(lake: &'s Lake, shared: Shared<'s>, own: Range<u32>, across: Across) -> Self {
        let reader = EventsReader::new(shared.dictionary.clone(), shared.scope);
        Self { lake, shared, own, reader, across, filtered: 0, damaged: Vec::new() }
    }

    fn read(&mut self, item: Item<'_>) -> Result<(), ScanError> {
        let (names, own) = (self.shared.names, self.own.clone());
        let mut lost = None;
        // An object that was not named above is not wanted: rows of it are left out below.
        let mut number = |uri: &str| {
            names
                .find(own.clone(), uri)
                .unwrap_or_else(|error| {
                    lost.get_or_insert(error);
                    None
                })
                .unwrap_or(UNWANTED)
        };
        match item {
            Item::Part(part, fetched) => {
                let bytes = match fetched {
                    None => self.lake.read_part(part),
                    Some(bytes) => bytes.map_err(LakeError::from).and_then(|bytes| Lake::check_part(part, bytes)),
                };
                let read = bytes.and_then(|bytes| Lake::decode_events(&mut self.reader, part, bytes, &mut number));
                if let Some(error) = lost {
                    return Err(error.into());
                }
                self.shared.progress.object(part.bytes, 0, part.rows);
                match read {
                    Ok(events) => self.keep(events)?,
                    Err(LakeError::Damaged { reason, .. }) => self.damaged.push((part.path.clone(), reason)),
                    Err(error) => return Err(error.into()),
                }
            }
            Item::Inbox(state) => {
                let mut all = Vec::new();
                let mut each = |_: ObjectRow, events: Events| all.push(events);
                self.lake.read_inbox(state, &mut self.reader, &mut number, &mut each)?;
                if let Some(error) = lost {
                    return Err(error.into());
                }
                all.into_iter().try_for_each(|events| self.keep(events))?;
            }
        }
        Ok(())
    }

    /// Keeps the rows that a scan of the logs would have kept.
    fn keep(&mut self, events: Events) -> Result<(), ScanError> {
        let Events { narrow, wide } = events;
        let mut left_out = 0;
        let mut filter = |frame: polars::prelude::DataFrame| -> PolarsResult<_> {
            if frame.height() == 0 {
                return Ok(frame);
            }
            let mask = self.mask(&Columns::open(&frame)?, frame.height(), &mut left_out);
            if mask.iter().all(|keep| *keep) {
                Ok(frame)
            } else {
                frame.filter(&BooleanChunked::from_slice("".into(), &mask))
            }
        };
        let events = Events { narrow: filter(narrow)?, wide: filter(wide)? };
        self.filtered += left_out;
        if events.height() == 0 {
            return Ok(());
        }
        self.across.read(&events, self.shared.names, self.shared.dictionary)?;
        self.shared.keep.rows(events)
    }

    fn mask(&self, columns: &Columns<'_>, height: usize, left_out: &mut u64) -> Vec<bool> {
        let Shared { options, dictionary, names, .. } = self.shared;
        let codes = |texts: &[String]| texts.iter().map(|text| dictionary.find(text)).collect::<Vec<_>>();
        let (accounts, regions) = (codes(&options.accounts), codes(&options.regions));
        let asked = |list: &[Option<u32>], values: [Option<u32>; 2]| {
            list.is_empty() || values.iter().any(|value| value.is_some() && list.contains(value))
        };
        let used = ["crypto", "read"].map(|operation| dictionary.find(operation));
        let mut lookback: Option<(u32, bool)> = None;
        (0..height)
            .map(|row| {
                let object = columns.object.get(row);
                if object == UNWANTED {
                    return false;
                }
                let known = lookback.filter(|known| known.0 == object);
                let (_, is_lookback) =
                    *lookback.insert(known.unwrap_or_else(|| (object, options.is_lookback_of(names, object))));
                let operation = columns.operation.get(row);
                if is_lookback && operation.is_some() && used.contains(&operation) {
                    return false;
                }
                let keep = asked(&accounts, [columns.account.get(row), columns.key_account.get(row)])
                    && asked(&regions, [columns.region.get(row), columns.key_region.get(row)]);
                *left_out += u64::from(!keep);
                keep
            })
            .collect()
    }
}
