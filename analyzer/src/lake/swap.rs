//! A new manifest of a shard: parts are written, the manifest is swapped, and what it does not list any more is deleted.

use chrono::NaiveDate;
use foldhash::{HashMap, HashMapExt, HashSet};

use super::manifest::{LakeError, Manifest, Part, PartKind};
use super::objects::{ObjectRow, encode_objects};
use super::part::{At, Encoded, Frame, Source};
use super::partition::{Shard, Unit};
use super::read::EventsReader;
use super::shard::{Lake, ShardState};
use super::store::{StoreError, When};
use super::wire;
use crate::frame::schema::Scope;
use crate::frame::{Dictionary, Events};

/// How often a change is planned anew because somebody else was faster. Whoever is faster gets something done: this many
/// times in a row means that something is wrong.
const ATTEMPTS: u32 = 100;

/// Bytes of parts that are written together.
const TOGETHER: usize = 16 << 20;

/// An object that the lake has in another version.
pub(super) struct Old {
    pub(super) date: Option<NaiveDate>,
    pub(super) span: Option<(i64, i64)>,
}

/// A new manifest in the making.
pub(super) struct Swap<'l> {
    lake: &'l Lake,
    manifest: Manifest,
    /// Parts that are written and not listed yet.
    pub(super) added: Vec<Part>,
    /// Files of these parts that wait to be written together.
    waiting: Vec<(String, Vec<u8>)>,
    /// Paths of parts that the new manifest does not list any more.
    removed: Vec<String>,
    changed: bool,
}

impl Swap<'_> {
    /// Takes a part out.
    pub(super) fn remove(&mut self, part: &Part) {
        self.removed.push(part.path.clone());
        self.changed = true;
    }

    /// Marks inbox files as absorbed.
    pub(super) fn absorb(&mut self, names: &[String]) {
        self.manifest.absorbed.extend(names.iter().cloned());
        self.manifest.absorbed.sort();
        self.manifest.absorbed.dedup();
        self.changed |= !names.is_empty();
    }

    /// Forgets inbox files that are deleted.
    pub(super) fn forget(&mut self, names: &[String]) {
        self.manifest.absorbed.retain(|name| !names.contains(name));
        self.changed |= !names.is_empty();
    }

    /// Raises the generation even if nothing else changes: whoever plans from the old one starts over.
    pub(super) fn fence(&mut self) {
        self.changed = true;
    }

    /// Writes a part. Its name says which shard lists it and which generation it was planned from: a part of an old
    /// generation that is not listed never will be, and no name is ever used again after its part was taken out.
    pub(super) fn write(&mut self, kind: PartKind, unit: &Unit, rows: u64, encoded: Encoded) -> Result<(), LakeError> {
        let Encoded { bytes, span, objects, names } = encoded;
        let blake3 = blake3::hash(&bytes).to_hex().to_string();
        let name = PartName { shard: shard_id(self.lake_shard()), generation: self.manifest.generation };
        let path = format!("{}/{}/{}-{}.parquet", kind.folder(), unit.folder(), name.text(), &blake3[..24]);
        let size = bytes.len() as u64;
        let part = Part { path, kind, unit: unit.clone(), rows, bytes: size, blake3, objects, span, names };
        self.waiting.push((part.path.clone(), bytes));
        self.added.push(part);
        self.changed = true;
        let waiting: usize = self.waiting.iter().map(|(_, bytes)| bytes.len()).sum();
        if waiting >= TOGETHER { self.flush() } else { Ok(()) }
    }

    /// Writes what waits.
    fn flush(&mut self) -> Result<(), LakeError> {
        Ok(self.lake.store.put_all(std::mem::take(&mut self.waiting))?)
    }

    fn lake_shard(&self) -> &Shard {
        &self.manifest.shard
    }

    /// Writes object rows of one unit.
    pub(super) fn write_objects(&mut self, unit: &Unit, rows: &[&ObjectRow]) -> Result<(), LakeError> {
        let bytes = encode_objects(rows, unit).map_err(|error| LakeError::rows(&error))?;
        let firsts = rows.iter().filter_map(|row| row.span.map(|span| span.0)).min();
        let lasts = rows.iter().filter_map(|row| row.span.map(|span| span.1)).max();
        let uris = || rows.iter().map(|row| &row.uri);
        let names = uris().min().cloned().zip(uris().max().cloned());
        let encoded = Encoded { bytes, span: firsts.zip(lasts), objects: rows.len() as u64, names };
        self.write(PartKind::Objects, unit, rows.len() as u64, encoded)
    }

    /// Takes out all that came of these objects: parts with rows of theirs are written anew without them.
    pub(super) fn replace(
        &mut self,
        lake: &Lake,
        state: &ShardState,
        old: &HashMap<String, Old>,
    ) -> Result<(), LakeError> {
        if old.is_empty() {
            return Ok(());
        }
        let dates: HashSet<Option<NaiveDate>> = old.values().map(|old| old.date).collect();
        for part in state.manifest.of(PartKind::Objects).filter(|part| dates.contains(&part.unit.date)) {
            let rows = lake.read_objects(part)?;
            let stay: Vec<&ObjectRow> = rows.iter().filter(|row| !old.contains_key(&row.uri)).collect();
            if stay.len() < rows.len() {
                self.remove(part);
                if !stay.is_empty() {
                    self.write_objects(&part.unit, &stay)?;
                }
            }
        }
        let spans: Vec<(i64, i64)> = old.values().filter_map(|old| old.span).collect();
        let overlaps = |part: &Part| {
            part.span.is_none_or(|(first, last)| spans.iter().any(|span| span.0 <= last && first <= span.1))
        };
        for part in state.manifest.of(PartKind::Events).filter(|part| overlaps(part)) {
            self.rewrite(lake, &[part], &|uri| !old.contains_key(uri), false)?;
        }
        Ok(())
    }

    /// Writes event parts of one unit as one, with the rows of objects that `stay`; nothing happens when all of them do,
    /// unless it is `always` to be done.
    pub(super) fn rewrite(
        &mut self,
        lake: &Lake,
        parts: &[&Part],
        stay: &dyn Fn(&str) -> bool,
        always: bool,
    ) -> Result<(), LakeError> {
        let Some(first) = parts.first() else { return Ok(()) };
        let dictionary = Dictionary::default();
        let mut reader = EventsReader::new(dictionary.clone(), Scope::Full);
        let mut numbers: HashMap<String, u32> = HashMap::new();
        let mut uris: Vec<String> = Vec::new();
        let mut rows: Vec<Events> = Vec::new();
        for part in parts {
            rows.push(lake.read_events(&mut reader, part, &mut |uri| match numbers.get(uri) {
                Some(number) => *number,
                None => {
                    let number = uris.len() as u32;
                    numbers.insert(uri.to_owned(), number);
                    uris.push(uri.to_owned());
                    number
                }
            })?);
        }
        let keep: Vec<bool> = uris.iter().map(|uri| stay(uri)).collect();
        if !always && keep.iter().all(|keep| *keep) {
            return Ok(());
        }
        let frames = Frame::open(&rows).map_err(|error| LakeError::rows(&error))?;
        let mut at = Vec::new();
        for (frame, Frame { columns, height, .. }) in frames.iter().enumerate() {
            let rows = (0..*height).filter(|row| keep[columns.object.get(*row) as usize]);
            at.extend(rows.map(|row| At { frame: frame as u32, row: row as u32 }));
        }
        parts.iter().for_each(|part| self.remove(part));
        if !at.is_empty() {
            let uri = |number: u32| uris[number as usize].as_str();
            let count = at.len() as u64;
            let source = Source { frames, uri: &uri, dictionary: &dictionary };
            let encoded = source.encode(at, Some(&first.unit), None).map_err(|error| LakeError::rows(&error))?;
            self.write(PartKind::Events, &first.unit, count, encoded)?;
        }
        Ok(())
    }
}

impl Lake {
    /// Plans a change of a shard and swaps its manifest; plans anew as long as somebody else swaps first.
    pub(super) fn retry<T>(
        &self,
        shard: &Shard,
        mut plan: impl FnMut(&ShardState, &mut Swap<'_>) -> Result<T, LakeError>,
    ) -> Result<T, LakeError> {
        // What an attempt wrote for nothing, and the generation that it was planned from.
        let mut stale: (u64, Vec<String>) = (0, Vec::new());
        let mut gone = None;
        for _ in 0..ATTEMPTS {
            let state = self.begin(shard)?;
            if state.manifest.generation > stale.0 {
                // Somebody else may have written and listed the same.
                for path in stale.1.drain(..).filter(|path| !state.manifest.lists(path)) {
                    self.store.delete(&path)?;
                }
            } else if let Some(path) = gone {
                // Nobody took it out: it is missing.
                return Err(LakeError::Gone(path));
            }
            gone = None;
            let mut swap = Swap {
                lake: self,
                manifest: state.manifest.clone(),
                added: Vec::new(),
                waiting: Vec::new(),
                removed: Vec::new(),
                changed: false,
            };
            let done = match plan(&state, &mut swap) {
                // Somebody compacted or replaced what the plan is about.
                Err(LakeError::Gone(path)) => {
                    stale = (state.manifest.generation, swap.added.into_iter().map(|part| part.path).collect());
                    gone = Some(path);
                    continue;
                }
                done => done?,
            };
            swap.flush()?;
            let Swap { mut manifest, added, removed, changed, .. } = swap;
            let Some(tag) = state.tag.as_ref().filter(|_| changed) else { return Ok(done) };
            let out: HashSet<&str> = removed.iter().map(String::as_str).collect();
            manifest.parts.retain(|part| !out.contains(part.path.as_str()));
            manifest.parts.extend(added.iter().cloned());
            manifest.parts.sort();
            manifest.generation += 1;
            let path = Manifest::path(shard);
            match self.store.put(&path, &wire::write_manifest(&manifest), When::Matches(tag)) {
                Ok(_) => {
                    // Done, whatever happens now: what cannot be deleted is swept later.
                    for path in &removed {
                        let _ = self.store.delete(path);
                    }
                    return Ok(done);
                }
                Err(StoreError::Conflict { .. }) => {
                    stale = (state.manifest.generation, added.into_iter().map(|part| part.path).collect());
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(LakeError::Conflict(Manifest::path(shard)))
    }

    /// The shard with its manifest; an empty one is written first, so that every part belongs to a manifest that is there.
    fn begin(&self, shard: &Shard) -> Result<ShardState, LakeError> {
        let state = self.shard(shard)?;
        if state.tag.is_some() {
            return Ok(state);
        }
        match self.store.put(&Manifest::path(shard), &wire::write_manifest(&state.manifest), When::Absent) {
            Ok(_) | Err(StoreError::Conflict { .. }) => self.shard(shard),
            Err(error) => Err(error.into()),
        }
    }
}

/// What the name of a part says of its origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PartName {
    /// Which shard lists it.
    pub(super) shard: String,
    /// Generation of the manifest that it was planned from.
    pub(super) generation: u64,
}

impl PartName {
    fn text(&self) -> String {
        format!("{}-{}", self.shard, self.generation)
    }

    /// Reads the path of a part; `None` when it is no name of ours.
    pub(super) fn of(path: &str) -> Option<Self> {
        let name = path.rsplit('/').next()?.strip_suffix(".parquet")?;
        let mut words = name.split('-');
        let (shard, generation) = (words.next()?, words.next()?);
        let hex = |word: &str, len| word.len() == len && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        let sound = hex(shard, 8) && hex(words.next()?, 24) && words.next().is_none();
        sound.then_some(Self { shard: shard.to_owned(), generation: generation.parse().ok()? })
    }
}

/// A shard in the name of a part.
pub(super) fn shard_id(shard: &Shard) -> String {
    blake3::hash(shard.folder().as_bytes()).to_hex()[..8].to_owned()
}
