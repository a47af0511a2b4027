//! Objects and their rows on their way into the lake.

use std::collections::BTreeMap;

use foldhash::{HashMap, HashMapExt, HashSet, HashSetExt};

use super::commit::{Change, Committed};
use super::manifest::LakeError;
use super::objects::ObjectRow;
use super::part::{At, Frame, Source};
use super::partition::{Shard, Unit, date_of};
use super::shard::Lake;
use crate::decode::Class;
use crate::frame::{Dictionary, Events, Sym};

/// Rows by the shard of their object, and by their own unit.
type Sorted = BTreeMap<Shard, BTreeMap<Unit, Vec<At>>>;

/// Where a row goes: number of its object's shard, Account, Region, day.
type Place = (usize, Option<Sym>, Option<Sym>, i64);

/// Objects with all their rows, of any shards and units. An object is in one batch whole: what is visible of it later is
/// what one batch had of it.
pub struct Batch {
    dictionary: Dictionary,
    objects: Vec<(u32, ObjectRow)>,
    events: Vec<Events>,
}

impl Batch {
    /// An empty batch of rows with codes of this dictionary.
    pub fn new(dictionary: Dictionary) -> Self {
        Self { dictionary, objects: Vec::new(), events: Vec::new() }
    }

    /// Adds an object; its rows carry `number`. No two objects of a batch have one name.
    pub fn add_object(&mut self, number: u32, row: ObjectRow) {
        self.objects.push((number, row));
    }

    /// Adds rows, of objects that are added before the batch is written. They come from a builder of
    /// [`Scope::Full`](crate::frame::schema::Scope::Full).
    pub fn add_events(&mut self, events: Events) {
        if events.height() > 0 {
            self.events.push(events);
        }
    }

    /// Objects.
    pub fn objects(&self) -> usize {
        self.objects.len()
    }

    /// Shards of its objects.
    pub fn shards(&self) -> impl Iterator<Item = Shard> {
        self.objects.iter().map(|(_, row)| row.unit.shard.clone())
    }

    /// Bytes that the rows take in memory.
    pub fn bytes(&self) -> u64 {
        self.events.iter().map(Events::bytes).sum()
    }

    /// True when nothing was added.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty() && self.events.is_empty()
    }

    /// Writes everything, shard by shard; each shard becomes visible at once. What the lake has already stays as it is.
    ///
    /// # Errors
    /// When the store fails, or rows and objects do not belong together. Shards that are visible by then stay; writing the
    /// batch again adds the others.
    pub fn write(self, lake: &Lake) -> Result<Committed, LakeError> {
        self.commit(lake, None)
    }

    /// As [`Self::write`]; `absorbed` are inbox files of the given shard that the same swap marks as absorbed.
    pub(super) fn commit(
        mut self,
        lake: &Lake,
        absorbed: Option<(&Shard, Vec<String>)>,
    ) -> Result<Committed, LakeError> {
        let rows = std::mem::take(&mut self.events);
        let frames = Frame::open(&rows).map_err(|error| LakeError::rows(&error))?;
        if frames.iter().any(Frame::is_reduced) {
            return Err(LakeError::Rows("they lack the columns that files have".into()));
        }
        let sorted = self.sort(&frames)?;
        let numbers: HashMap<u32, usize> =
            self.objects.iter().enumerate().map(|(at, (number, _))| (*number, at)).collect();
        let objects: Vec<ObjectRow> = self.objects.into_iter().map(|(_, row)| row).collect();
        let uri = |number: u32| numbers.get(&number).map_or("", |at| objects[*at].uri.as_str());
        let source = Source { frames, uri: &uri, dictionary: &self.dictionary };

        let mut by_shard: BTreeMap<&Shard, Vec<&ObjectRow>> = BTreeMap::new();
        let mut names: HashSet<&str> = HashSet::new();
        for row in &objects {
            if !names.insert(&row.uri) {
                return Err(LakeError::Rows(format!("the object {} is there twice", row.uri)));
            }
            by_shard.entry(&row.unit.shard).or_default().push(row);
        }
        if let Some((shard, _)) = &absorbed {
            by_shard.entry(*shard).or_default();
        }
        let none = BTreeMap::new();
        let mut committed = Committed::default();
        for (shard, rows) in by_shard {
            let own = absorbed.as_ref().filter(|(of, _)| *of == shard).map_or(&[][..], |(_, names)| names.as_slice());
            let change = Change {
                shard,
                objects: rows,
                source: &source,
                rows: sorted.get(shard).unwrap_or(&none),
                absorbed: own,
            };
            committed.add(change.commit(lake)?);
        }
        Ok(committed)
    }

    /// Rows by the shard of their object and by their own unit; objects learn what rows they have.
    fn sort(&mut self, frames: &[Frame<'_>]) -> Result<Sorted, LakeError> {
        const DAY_MS: i64 = 86_400_000;
        let mut shards: Vec<Shard> = self.objects.iter().map(|(_, row)| row.unit.shard.clone()).collect();
        shards.sort_unstable();
        shards.dedup();
        let mut numbers: HashMap<u32, (usize, usize)> = HashMap::new();
        for (at, (number, row)) in self.objects.iter_mut().enumerate() {
            row.without_rows();
            let shard = shards.binary_search(&row.unit.shard).unwrap_or_default();
            if numbers.insert(*number, (at, shard)).is_some() {
                return Err(LakeError::Rows("two objects have one number".into()));
            }
        }
        let kms = self.dictionary.find(Class::Kms.id());
        let mut units: HashMap<Place, Vec<At>> = HashMap::new();
        for (frame, Frame { columns, height, .. }) in frames.iter().enumerate() {
            for row in 0..*height {
                let missing = || LakeError::Rows("a row of an object that is not there".into());
                let (at, shard) = *numbers.get(&columns.object.get(row)).ok_or_else(missing)?;
                let time = columns.event_time.get(row);
                let time = time.ok_or_else(|| LakeError::Rows("a row without a time".into()))?;
                self.objects[at].1.count(kms.is_some() && columns.class.get(row) == kms, time);
                let unit = (shard, columns.account.get(row), columns.region.get(row), time.div_euclid(DAY_MS));
                units.entry(unit).or_default().push(At { frame: frame as u32, row: row as u32 });
            }
        }
        let text = |sym: Option<Sym>| sym.map(|sym| self.dictionary.text(sym).to_owned());
        let mut units: Vec<_> = units.into_iter().collect();
        units.sort_unstable_by_key(|(unit, _)| *unit);
        let mut sorted = Sorted::new();
        for ((shard, account, region, day), rows) in units {
            let own = Shard { account: text(account), region: text(region) };
            let unit = Unit { shard: own, date: date_of(day.saturating_mul(DAY_MS)) };
            // Days that no calendar has share a unit.
            sorted.entry(shards[shard].clone()).or_default().entry(unit).or_default().extend(rows);
        }
        Ok(sorted)
    }
}
