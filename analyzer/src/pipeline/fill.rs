//! Sources into a lake: what is new is read, batch by batch, and every batch is visible at once or not at all.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foldhash::{HashMap, HashMapExt};

use super::ingest::{Done, Keep, Shared, ingest};
use super::seen::Seen;
use super::sources::{Sources, filter};
use super::{Progress, ScanError, ScanOptions, threads};
use crate::frame::{Dictionary, Events, Scope};
use crate::lake::{Batch, Committed, Known, Lake, LakeError, ObjectRow, PartKind, Shard, ShardState, Standing, Unit};
use crate::source::{Filter, Names, Object};
use crate::view::coverage::Coverage;
use crate::view::{Across, Settled};

/// Bytes of rows after which a batch is written, per byte of `--memory`: rows that go into a lake have all columns, and
/// the larger a batch, the fewer files.
const BATCH_PER_MEMORY: u64 = 4;

/// Objects after which a batch is written: what a kill costs is at most this.
const BATCH_OBJECTS: usize = 4096;

/// Parts of one unit and kind that may stand beside each other.
const PARTS: usize = 4;

/// Days of which it is remembered what the lake has.
const DAYS: usize = 64;

/// What filling a lake came to.
#[derive(Clone, Debug, Default)]
pub struct Filled {
    /// Objects that the lake had already, unread this time.
    pub unchanged: u64,
    /// What was written.
    pub committed: Committed,
    /// What was read this time.
    pub coverage: Coverage,
    /// Parts that were merged.
    pub merged: u64,
    /// Files of interrupted runs that were removed.
    pub removed: u64,
    /// Remarks about how the sources were looked at.
    pub notices: Vec<String>,
}

/// Which objects of the sources a lake is filled with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Those of the accounts, Regions and days asked for.
    Asked,
    /// Those that a scan with these options reads.
    Scan,
}

/// Brings what is new in the sources into a lake. Of `options` the sources, the period, the limits and S3 count; rows are
/// kept whatever their account or Region.
///
/// # Errors
/// When the sources or the lake cannot be used. What was written by then stays, and the next run goes on from there.
pub fn fill(options: &ScanOptions, lake: &Lake, reach: Reach, progress: &dyn Progress) -> Result<Filled, ScanError> {
    let mut filled = Filled { removed: lake.sweep()?.removed, ..Filled::default() };
    let pool = threads(options)?;
    // Whole objects are kept: what their names do not prove to lie outside.
    let (accounts, regions) = (options.accounts.clone(), options.regions.clone());
    let filter = match reach {
        Reach::Asked => Filter { accounts, regions, from: options.from, to: options.to, digests: false },
        Reach::Scan => filter(options),
    };
    let mut sources = Sources::open(options, &filter)?;
    if !sources.lakes.is_empty() {
        return Err(ScanError::Usage("a lake is not a source of another lake: ingest the logs themselves".into()));
    }
    let (names, told) = (Arc::new(Names::default()), Arc::new(Told::default()));
    let mut planner = Planner::new(lake.clone(), told.clone())?;
    let mut feed = sources.feed(&names, progress, move |object| planner.wants(object));
    // Rows of all accounts and Regions: whoever asks the lake later may ask for others.
    let whole = ScanOptions { accounts: Vec::new(), regions: Vec::new(), lookback: None, ..options.clone() };
    let mut seen = Seen::default();
    let mut shards: Vec<Shard> = Vec::new();
    loop {
        let dictionary = Dictionary::default();
        let batch = Gather::new(dictionary.clone(), options.memory.saturating_mul(BATCH_PER_MEMORY));
        let shared = Shared {
            options: &whole,
            scope: Scope::Full,
            dictionary: &dictionary,
            names: &names,
            keep: &batch,
            progress,
        };
        let items = std::iter::from_fn(|| if batch.is_full() { None } else { feed.next() });
        let ingested = ingest(&pool, items, shared, &Across::default())?;
        seen.merge(ingested.seen);
        let batch = batch.into_batch();
        if batch.is_empty() {
            break;
        }
        shards.extend(batch.shards());
        shards.sort_unstable();
        shards.dedup();
        filled.committed.add(pool.install(|| batch.write(lake))?);
    }
    drop(feed);
    if let Some(error) = lock(&told.failed).take() {
        return Err(error.into());
    }
    let open: BTreeSet<String> = lock(&told.open).difference(&lock(&told.closed)).cloned().collect();
    if !open.is_empty() {
        lake.forget(&Shard::default(), &open)?;
    }
    for shard in &shards {
        filled.merged += pool.install(|| lake.compact(shard, PARTS))?;
    }
    if filled.merged > 0 {
        filled.removed += lake.sweep()?.removed;
    }
    progress.finish();
    filled.notices = sources.notices(options);
    filled.unchanged = told.unchanged.load(Ordering::Relaxed);
    filled.coverage = seen.finish(sources.pruned(), &Settled::default(), (&[], &[]));
    Ok(filled)
}

/// Gathers what workers read.
pub(super) struct Gather {
    batch: Mutex<Batch>,
    bytes: AtomicU64,
    objects: AtomicU64,
    most: u64,
}

impl Gather {
    pub(super) fn new(dictionary: Dictionary, most: u64) -> Self {
        let batch = Mutex::new(Batch::new(dictionary));
        Self { batch, bytes: AtomicU64::new(0), objects: AtomicU64::new(0), most }
    }

    pub(super) fn is_full(&self) -> bool {
        self.bytes.load(Ordering::Relaxed) >= self.most || self.objects.load(Ordering::Relaxed) >= BATCH_OBJECTS as u64
    }

    pub(super) fn into_batch(self) -> Batch {
        self.batch.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, index: u32, row: ObjectRow) {
        self.objects.fetch_add(1, Ordering::Relaxed);
        lock(&self.batch).add_object(index, row);
    }
}

impl Keep for Gather {
    fn rows(&self, events: Events) -> Result<(), ScanError> {
        self.bytes.fetch_add(events.bytes(), Ordering::Relaxed);
        lock(&self.batch).add_events(events);
        Ok(())
    }

    fn object(&self, done: Done<'_>) -> Result<(), ScanError> {
        let (index, unit) = (done.index, unit_of(done.object));
        self.add(index, ObjectRow { unit, ..done.into_row() });
        Ok(())
    }

    fn hashes(&self) -> bool {
        true
    }

    fn hashes_content(&self) -> bool {
        true
    }
}

/// Knows what the lake has, and lets the rest through.
pub(super) struct Planner {
    lake: Lake,
    shards: HashMap<Shard, ShardState>,
    known: HashMap<Unit, Known>,
    /// Folders that could not be listed before.
    places: BTreeSet<String>,
    told: Arc<Told>,
}

/// What others may ask a planner that is at work elsewhere.
#[derive(Default)]
pub(super) struct Told {
    unchanged: AtomicU64,
    /// Folders that could not be listed before, and of which something was listed now.
    open: Mutex<BTreeSet<String>>,
    /// Folders that cannot be listed now.
    closed: Mutex<BTreeSet<String>>,
    /// Why the lake could not be asked.
    failed: Mutex<Option<LakeError>>,
}

impl Planner {
    pub(super) fn new(lake: Lake, told: Arc<Told>) -> Result<Self, LakeError> {
        let state = lake.shard(&Shard::default())?;
        let mut places = BTreeSet::new();
        for part in state.manifest.of(PartKind::Objects).filter(|part| part.unit == Unit::default()) {
            let rows = lake.read_objects(part)?.into_iter();
            places.extend(rows.filter(|row| is_place(&row.uri) && row.is_transient()).map(|row| row.uri));
        }
        Ok(Self { lake, shards: HashMap::new(), known: HashMap::new(), places, told })
    }

    /// Notes which folders can be listed by now: what was told of them before is not true any more.
    fn note_place(&self, object: &Object) {
        if is_place(&object.uri) && object.skip.is_some() {
            lock(&self.told.closed).insert(object.uri.clone());
        } else if let Some(place) = self.places.iter().find(|place| object.uri.starts_with(place.as_str())) {
            lock(&self.told.open).insert(place.clone());
        }
    }

    /// True for an object that the lake does not have as it is now. After a failure nothing is wanted any more.
    fn wants(&mut self, object: &mut Object) -> bool {
        object.stamp();
        self.note_place(object);
        match self.standing(object) {
            Ok(Standing::Known) => {
                self.told.unchanged.fetch_add(1, Ordering::Relaxed);
                false
            }
            Ok(Standing::New | Standing::Retry | Standing::Changed) => true,
            Err(error) => {
                lock(&self.told.failed).get_or_insert(error);
                false
            }
        }
    }

    /// What the lake has of a day.
    fn ask(&mut self, unit: &Unit) -> Result<Known, LakeError> {
        if !self.shards.contains_key(&unit.shard) {
            let state = self.lake.shard(&unit.shard)?;
            self.shards.insert(unit.shard.clone(), state);
        }
        self.lake.known(&self.shards[&unit.shard], unit.date)
    }

    /// What the lake has of an object.
    pub(super) fn standing(&mut self, object: &Object) -> Result<Standing, LakeError> {
        let unit = unit_of(object);
        if !self.known.contains_key(&unit) {
            // Objects come in the order of their names, day by day: what was remembered first is done with.
            if self.known.len() >= DAYS {
                self.known.clear();
            }
            let known = match self.ask(&unit) {
                // Parts were replaced since the shard was looked at: by this very run, it may be.
                Err(LakeError::Gone(_)) => {
                    self.shards.remove(&unit.shard);
                    self.ask(&unit)?
                }
                known => known?,
            };
            self.known.insert(unit.clone(), known);
        }
        Ok(self.known[&unit].standing(&object.uri, object.etag.as_deref(), object.size))
    }
}

/// True for the name of a folder.
fn is_place(uri: &str) -> bool {
    uri.ends_with('/')
}

/// Where an object belongs in a lake: what its name tells. Folders stand together, so that they are found again.
pub(super) fn unit_of(object: &Object) -> Unit {
    if is_place(&object.uri) {
        return Unit::default();
    }
    let layout = object.layout();
    ObjectRow::unit_of(layout.account.as_deref(), layout.region.as_deref(), layout.date)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
