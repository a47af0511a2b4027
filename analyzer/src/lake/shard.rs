//! A lake, and what it holds at one moment.

use std::path::Path;
use std::sync::Arc;

use chrono::NaiveDate;
use foldhash::{HashMap, HashMapExt, HashSet};

use super::manifest::{LakeError, Manifest, Part, PartKind};
use super::objects::{self, IDENTITY, ObjectRow, read_objects};
use super::partition::Shard;
use super::read::EventsReader;
use super::store::{Fetching, Store, StoreError, Tag, Wanted, When};
use super::wire::{self, Marker};
use crate::frame::{Events, schema};

/// The file that makes a folder a lake, and what it says.
const MARKER: &str = "lake.json";
const SCHEMA: &str = "keytrail.lake/1";

/// A lake.
#[derive(Clone, Debug)]
pub struct Lake {
    pub(super) store: Arc<dyn Store>,
}

/// One shard at one moment.
#[derive(Clone, Debug)]
pub struct ShardState {
    /// What it holds.
    pub manifest: Manifest,
    /// Names of inbox files that are not absorbed yet, sorted.
    pub inbox: Vec<String>,
    /// `None` when there is no manifest yet.
    pub(super) tag: Option<Tag>,
}

impl ShardState {
    /// Account and Region.
    pub fn shard(&self) -> &Shard {
        &self.manifest.shard
    }
}

/// All shards, each as it was when it was looked at. What a snapshot names stays readable until somebody compacts or
/// replaces it; then reading gives [`LakeError::Gone`], and a new snapshot is due.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// In order of their shards.
    pub shards: Vec<ShardState>,
}

impl Lake {
    /// Opens an existing lake.
    ///
    /// # Errors
    /// When there is none, or a newer keytrail wrote it.
    pub fn open(store: Arc<dyn Store>) -> Result<Self, LakeError> {
        let Some((bytes, _)) = store.get(MARKER)? else { return Err(LakeError::NotALake(store.describe())) };
        check(&bytes, &store.describe())?;
        Ok(Self { store })
    }

    /// Opens a lake, or makes one where there is nothing.
    ///
    /// # Errors
    /// When something else is there, or a newer keytrail wrote it.
    pub fn open_or_create(store: Arc<dyn Store>) -> Result<Self, LakeError> {
        if store.get(MARKER)?.is_none() {
            if !store.list("")?.is_empty() && store.get(MARKER)?.is_none() {
                return Err(LakeError::Occupied(store.describe()));
            }
            let marker = Marker { schema: SCHEMA.into(), events: schema::VERSION, objects: objects::VERSION };
            // Strings and numbers only, which cannot fail to serialize.
            let bytes = serde_json::to_vec(&marker).unwrap_or_default();
            match store.put(MARKER, &bytes, When::Absent) {
                Ok(_) | Err(StoreError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Self::open(store)
    }

    /// True when a local folder is a lake, of whatever version.
    pub fn recognize(folder: &Path) -> bool {
        let Ok(bytes) = std::fs::read(folder.join(MARKER)) else { return false };
        match serde_json::from_slice::<Marker>(&bytes) {
            Ok(marker) => marker.schema.starts_with("keytrail.lake/"),
            // A marker that is damaged, if there are manifests beside it: somebody's log otherwise.
            Err(_) => folder.join("manifest").is_dir(),
        }
    }

    /// Where its files are.
    pub fn store(&self) -> &dyn Store {
        &*self.store
    }

    /// One shard as it is now.
    ///
    /// # Errors
    /// When its manifest or its inbox cannot be read.
    pub fn shard(&self, shard: &Shard) -> Result<ShardState, LakeError> {
        // The inbox first: what is absorbed meanwhile is in the manifest then.
        let names = self.inbox_names(&shard.folder())?;
        self.state(shard, names)
    }

    fn state(&self, shard: &Shard, mut inbox: Vec<String>) -> Result<ShardState, LakeError> {
        let path = Manifest::path(shard);
        let (manifest, tag) = match self.store.get(&path)? {
            None => (Manifest { shard: shard.clone(), ..Manifest::default() }, None),
            Some((bytes, tag)) => {
                let manifest =
                    wire::read_manifest(&bytes).map_err(|reason| LakeError::Damaged { path: path.clone(), reason })?;
                if manifest.shard != *shard {
                    return Err(LakeError::Damaged { path, reason: "it is about another Account or Region".into() });
                }
                (manifest, Some(tag))
            }
        };
        inbox.retain(|name| manifest.absorbed.binary_search(name).is_err());
        Ok(ShardState { manifest, inbox, tag })
    }

    fn inbox_names(&self, folder: &str) -> Result<Vec<String>, LakeError> {
        let files = self.store.list(&format!("inbox/{folder}/"))?;
        Ok(files.iter().filter_map(|file| Some(inbox_file(&file.path)?.1.to_owned())).collect())
    }

    /// All shards that have a manifest or an inbox, sorted.
    ///
    /// # Errors
    /// When the store cannot be listed, or a shard whose name does not fit into a path cannot be read.
    pub fn shards(&self) -> Result<Vec<Shard>, LakeError> {
        Ok(self.snapshot()?.shards.into_iter().map(|state| state.manifest.shard).collect())
    }

    /// What the lake holds now.
    ///
    /// # Errors
    /// When manifests or inboxes cannot be read.
    pub fn snapshot(&self) -> Result<Snapshot, LakeError> {
        // Inboxes first, as in `shard`.
        let mut inboxes: HashMap<String, Vec<String>> = HashMap::new();
        for file in self.store.list("inbox/")? {
            if let Some((folder, name)) = inbox_file(&file.path) {
                inboxes.entry(folder.to_owned()).or_default().push(name.to_owned());
            }
        }
        let mut found = Vec::new();
        for file in self.store.list("manifest/")? {
            let folder = file.path.strip_prefix("manifest/").and_then(|path| path.strip_suffix("/current.json"));
            let Some(folder) = folder else { continue };
            let shard = match Shard::from_folder(folder) {
                Some(shard) => shard,
                None => self.long_name(&file.path)?,
            };
            found.push(self.state(&shard, inboxes.remove(folder).unwrap_or_default())?);
        }
        let mut rest: Vec<_> = inboxes.into_iter().collect();
        rest.sort();
        for (folder, names) in rest {
            let shard = match (Shard::from_folder(&folder), names.first()) {
                (Some(shard), _) => shard,
                (None, Some(name)) => self.inbox_object(&format!("inbox/{folder}/{name}.parquet"))?.unit.shard,
                (None, None) => continue,
            };
            found.push(self.state(&shard, names)?);
        }
        found.sort_by(|a, b| a.shard().cmp(b.shard()));
        Ok(Snapshot { shards: found })
    }

    /// The shard whose names did not fit into the path of its manifest.
    fn long_name(&self, path: &str) -> Result<Shard, LakeError> {
        let (bytes, _) = self.store.get(path)?.ok_or_else(|| LakeError::Gone(path.to_owned()))?;
        let manifest = wire::read_manifest(&bytes);
        Ok(manifest.map_err(|reason| LakeError::Damaged { path: path.to_owned(), reason })?.shard)
    }

    /// Bytes of a part, just as they were written.
    ///
    /// # Errors
    /// When the part is gone or damaged.
    pub fn read_part(&self, part: &Part) -> Result<Vec<u8>, LakeError> {
        let found = self.store.get(&part.path)?;
        Self::check_part(part, found.map(|(bytes, _)| bytes))
    }

    /// The content of a part that was fetched, when it is what was written.
    ///
    /// # Errors
    /// When the part is gone or damaged.
    pub fn check_part(part: &Part, bytes: Option<Vec<u8>>) -> Result<Vec<u8>, LakeError> {
        let bytes = bytes.ok_or_else(|| LakeError::Gone(part.path.clone()))?;
        if blake3::hash(&bytes).to_hex().as_str() != part.blake3 {
            let reason = "its content is not what was written; delete the lake and ingest again".into();
            return Err(LakeError::Damaged { path: part.path.clone(), reason });
        }
        Ok(bytes)
    }

    /// Event rows of a part. `object` is asked for the numbers of objects.
    ///
    /// # Errors
    /// When the part is gone, damaged or newer than this program.
    pub fn read_events(
        &self,
        reader: &mut EventsReader,
        part: &Part,
        object: &mut dyn FnMut(&str) -> u32,
    ) -> Result<Events, LakeError> {
        Self::decode_events(reader, part, self.read_part(part)?, object)
    }

    /// Event rows of a part whose content is at hand.
    ///
    /// # Errors
    /// When it is damaged or newer than this program.
    pub fn decode_events(
        reader: &mut EventsReader,
        part: &Part,
        bytes: Vec<u8>,
        object: &mut dyn FnMut(&str) -> u32,
    ) -> Result<Events, LakeError> {
        reader.read(bytes, object).map_err(|error| LakeError::damaged(&part.path, &error))
    }

    /// Object rows of a part whose content is at hand.
    ///
    /// # Errors
    /// When it is damaged or newer than this program.
    pub fn decode_objects(part: &Part, bytes: Vec<u8>) -> Result<Vec<ObjectRow>, LakeError> {
        read_objects(bytes, &[]).map_err(|error| LakeError::damaged(&part.path, &error))
    }

    /// Fetches parts, many at a time, where that is quicker than one by one; otherwise `None`. Each comes with its place in
    /// the list.
    pub fn fetch_parts(&self, parts: &[&Part]) -> Option<Fetching> {
        let wanted = parts.iter().enumerate().map(|(at, part)| Wanted {
            number: at as u32,
            path: part.path.clone(),
            size: part.bytes,
        });
        self.store.fetch(wanted.collect())
    }

    /// Object rows of a part.
    ///
    /// # Errors
    /// When the part is gone, damaged or newer than this program.
    pub fn read_objects(&self, part: &Part) -> Result<Vec<ObjectRow>, LakeError> {
        self.object_rows(part, &[])
    }

    pub(super) fn object_rows(&self, part: &Part, only: &[&str]) -> Result<Vec<ObjectRow>, LakeError> {
        let bytes = self.read_part(part)?;
        read_objects(bytes, only).map_err(|error| LakeError::damaged(&part.path, &error))
    }

    /// What a shard has of the objects of one day.
    ///
    /// # Errors
    /// When an objects part cannot be read.
    pub fn known(&self, state: &ShardState, date: Option<NaiveDate>) -> Result<Known, LakeError> {
        let inbox = state.inbox.iter().cloned().collect();
        Ok(Known { inbox, ..self.known_in_parts(state, date)? })
    }

    /// As [`Self::known`], without what waits in the inbox.
    pub(super) fn known_in_parts(&self, state: &ShardState, date: Option<NaiveDate>) -> Result<Known, LakeError> {
        let mut known = Known::default();
        for part in state.manifest.of(PartKind::Objects).filter(|part| part.unit.date == date) {
            for row in self.object_rows(part, IDENTITY)? {
                known.objects.insert(hash_of(&row.uri), (version(&row), row.is_wanted_again()));
            }
        }
        Ok(known)
    }
}

/// How an object stands to what the lake has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The lake has never seen it.
    New,
    /// The lake has all of it.
    Known,
    /// The lake knows of it, and that it could not be read then, or lacks something of it.
    Retry,
    /// The lake has another content of it.
    Changed,
}

/// Objects of one day of one shard, without their names: a day may have very many.
#[derive(Clone, Debug, Default)]
pub struct Known {
    objects: HashMap<u128, (u128, bool)>,
    inbox: HashSet<String>,
}

impl Known {
    /// How an object stands to what the lake has.
    pub fn standing(&self, uri: &str, etag: Option<&str>, size: Option<u64>) -> Standing {
        match self.objects.get(&hash_of(uri)) {
            None if self.inbox.contains(&inbox_name(uri, etag)) => Standing::Known,
            None => Standing::New,
            Some((_, true)) => Standing::Retry,
            Some((version, false)) if *version == version_of(etag, size) => Standing::Known,
            Some(_) => Standing::Changed,
        }
    }

    /// Objects.
    pub fn len(&self) -> usize {
        self.objects.len()
    }

    /// True when the shard has no object of that day.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }
}

/// What tells one content of an object from another.
pub(super) fn version(row: &ObjectRow) -> u128 {
    version_of(row.etag.as_deref(), row.size)
}

fn version_of(etag: Option<&str>, size: Option<u64>) -> u128 {
    hash_of(&format!("{etag:?} {size:?}"))
}

fn hash_of(text: &str) -> u128 {
    let hash = blake3::hash(text.as_bytes());
    hash.as_bytes().iter().take(16).fold(0, |sum, byte| sum << 8 | u128::from(*byte))
}

/// Name of an object's inbox file, without its ending.
pub(super) fn inbox_name(uri: &str, etag: Option<&str>) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&(uri.len() as u64).to_le_bytes()).update(uri.as_bytes()).update(etag.unwrap_or("").as_bytes());
    hasher.finalize().to_hex()[..32].to_owned()
}

/// Folder and name of an inbox file.
fn inbox_file(path: &str) -> Option<(&str, &str)> {
    path.strip_prefix("inbox/")?.strip_suffix(".parquet")?.rsplit_once('/')
}

/// Reads the marker, and says what to do with a lake that this program cannot read.
fn check(bytes: &[u8], place: &str) -> Result<(), LakeError> {
    let marker: Marker = serde_json::from_slice(bytes)
        .map_err(|error| LakeError::Damaged { path: format!("{place}/{MARKER}"), reason: error.to_string() })?;
    let newer = marker.schema != SCHEMA || marker.events > schema::VERSION || marker.objects > objects::VERSION;
    if newer {
        return Err(LakeError::Newer {
            place: place.to_owned(),
            found: format!("{}, events {}, objects {}", marker.schema, marker.events, marker.objects),
            known: format!("{SCHEMA}, events {}, objects {}", schema::VERSION, objects::VERSION),
        });
    }
    Ok(())
}
