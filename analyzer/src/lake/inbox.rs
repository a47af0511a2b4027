//! One small file per object, for writers that have one object at a time and cannot wait for more.

use std::collections::hash_map::Entry;

use super::batch::Batch;
use super::commit::Committed;
use super::manifest::LakeError;
use super::objects::ObjectRow;
use super::parquet::{Parquet, guarded};
use super::part::{At, Frame, Source};
use super::partition::Shard;
use super::read::EventsReader;
use super::shard::{Lake, ShardState, Standing, inbox_name};
use super::store::{StoreError, When};
use crate::frame::schema::Scope;
use crate::frame::{Dictionary, Events};

/// Note in the footer: the object, as JSON.
const OBJECT: &str = "keytrail.object";

/// Files that one swap absorbs: their rows are in memory together.
const AT_ONCE: usize = 1 << 10;

/// Path of an inbox file.
fn path(folder: &str, name: &str) -> String {
    format!("inbox/{folder}/{name}.parquet")
}

impl Lake {
    /// Writes one object with its rows. They are visible at once; writing them again changes nothing. A failure that may
    /// pass never takes the place of what another reader of the same object wrote.
    ///
    /// # Errors
    /// When the rows lack columns, or the store fails.
    pub fn write_inbox(&self, mut row: ObjectRow, events: &[Events], dictionary: &Dictionary) -> Result<(), LakeError> {
        let failed = |error| LakeError::rows(&error);
        let frames = Frame::open(events).map_err(failed)?;
        if frames.iter().any(Frame::is_reduced) {
            return Err(LakeError::Rows("they lack the columns that files have".into()));
        }
        let all =
            |(frame, height): (usize, usize)| (0..height).map(move |row| At { frame: frame as u32, row: row as u32 });
        let at: Vec<At> = frames.iter().map(|frame| frame.height).enumerate().flat_map(all).collect();
        row.without_rows();
        let kms = dictionary.find(crate::decode::Class::Kms.id());
        for at in &at {
            let columns = &frames[at.frame as usize].columns;
            let time = columns.event_time.get(at.row as usize);
            let time = time.ok_or_else(|| LakeError::Rows("a row without a time".into()))?;
            row.count(kms.is_some() && columns.class.get(at.row as usize) == kms, time);
        }
        let uri = |_: u32| row.uri.as_str();
        let source = Source { frames, uri: &uri, dictionary };
        let file = source.encode(at, None, Some((OBJECT, row.json()))).map_err(failed)?;
        let path = path(&row.unit.shard.folder(), &inbox_name(&row.uri, row.etag.as_deref()));
        let when = if row.is_transient() { When::Absent } else { When::Always };
        match self.store.put(&path, &file.bytes, when) {
            Err(StoreError::Conflict { .. }) if row.is_transient() => Ok(()),
            written => Ok(written.map(drop)?),
        }
    }

    /// The object of an inbox file.
    pub(super) fn inbox_object(&self, path: &str) -> Result<ObjectRow, LakeError> {
        self.inbox_file(path).map(|(_, row)| row)
    }

    fn inbox_file(&self, path: &str) -> Result<(Parquet, ObjectRow), LakeError> {
        let (bytes, _) = self.store.get(path)?.ok_or_else(|| LakeError::Gone(path.to_owned()))?;
        let file = guarded(|| Parquet::open(bytes)).map_err(|error| LakeError::damaged(path, &error))?;
        let row = file.note(OBJECT).and_then(ObjectRow::of_json);
        let missing = || LakeError::Damaged { path: path.to_owned(), reason: "it does not name its object".into() };
        let row = row.ok_or_else(missing)?;
        Ok((file, row))
    }

    /// Names of the inbox files of a shard, each with its object, that count: one that parts list in any version waits for
    /// its turn, and one that tells of a failure gives way to one that has rows.
    fn inbox_files(&self, state: &ShardState) -> Result<Vec<(String, ObjectRow)>, LakeError> {
        let mut known = foldhash::HashMap::default();
        let mut seen = foldhash::HashSet::default();
        let mut found = Vec::new();
        for name in &state.inbox {
            let path = path(&state.shard().folder(), name);
            let row = self.inbox_object(&path)?;
            found.push((path, row));
        }
        found.sort_by_key(|(_, row)| row.is_transient());
        let mut files = Vec::new();
        for (path, row) in found {
            let of_date = match known.entry(row.unit.date) {
                Entry::Occupied(entry) => entry.into_mut(),
                Entry::Vacant(entry) => entry.insert(self.known_in_parts(state, row.unit.date)?),
            };
            let standing = of_date.standing(&row.uri, row.etag.as_deref(), row.size);
            if standing == Standing::New && seen.insert(row.uri.clone()) {
                files.push((path, row));
            }
        }
        Ok(files)
    }

    /// Objects that wait in the inbox of a shard, without their rows.
    ///
    /// # Errors
    /// When a file is gone or damaged.
    pub fn inbox_objects(&self, state: &ShardState) -> Result<Vec<ObjectRow>, LakeError> {
        Ok(self.inbox_files(state)?.into_iter().map(|(_, row)| row).collect())
    }

    /// Reads what waits in the inbox of a shard, each object once. `object` hands out numbers, `each` gets the objects
    /// with their rows.
    ///
    /// # Errors
    /// When a file is gone or damaged.
    pub fn read_inbox(
        &self,
        state: &ShardState,
        reader: &mut EventsReader,
        object: &mut dyn FnMut(&str) -> u32,
        each: &mut dyn FnMut(ObjectRow, Events),
    ) -> Result<(), LakeError> {
        for (path, row) in self.inbox_files(state)? {
            let (file, _) = self.inbox_file(&path)?;
            let events = guarded(|| reader.file(&file, object)).map_err(|error| LakeError::damaged(&path, &error))?;
            each(row, events);
        }
        Ok(())
    }

    /// Moves the inbox of a shard into parts.
    ///
    /// # Errors
    /// When a file is damaged or the store fails. Nothing is lost then, and nothing is there twice.
    pub fn absorb(&self, shard: &Shard) -> Result<Committed, LakeError> {
        let mut done = Committed::default();
        loop {
            self.clear_absorbed(shard)?;
            let state = self.shard(shard)?;
            if state.inbox.is_empty() {
                return Ok(done);
            }
            let names = &state.inbox[..state.inbox.len().min(AT_ONCE)];
            done.add(self.absorb_files(shard, names)?);
        }
    }

    fn absorb_files(&self, shard: &Shard, names: &[String]) -> Result<Committed, LakeError> {
        let dictionary = Dictionary::default();
        let mut reader = EventsReader::new(dictionary.clone(), Scope::Full);
        let mut batch = Batch::new(dictionary);
        let (mut seen, mut absorbed) = (foldhash::HashSet::<String>::default(), Vec::new());
        let mut files = Vec::new();
        for name in names {
            let path = path(&shard.folder(), name);
            let (file, row) = match self.inbox_file(&path) {
                // Somebody else absorbs the same inbox.
                Err(LakeError::Gone(_)) => continue,
                found => found?,
            };
            absorbed.push(name.clone());
            if row.unit.shard != *shard {
                return Err(LakeError::Damaged { path, reason: "its object belongs to another shard".into() });
            }
            files.push((path, file, row));
        }
        // What failed before its version was known has another name than what was read later.
        files.sort_by_key(|(_, _, row)| row.is_transient());
        for (number, (path, file, row)) in files.into_iter().enumerate() {
            if !seen.insert(row.uri.clone()) {
                continue;
            }
            let number = number as u32;
            let events = guarded(|| reader.file(&file, &mut |_| number));
            batch.add_object(number, row);
            batch.add_events(events.map_err(|error| LakeError::damaged(&path, &error))?);
        }
        batch.commit(self, Some((shard, absorbed)))
    }

    /// Deletes inbox files whose rows are in parts, and then forgets their names.
    fn clear_absorbed(&self, shard: &Shard) -> Result<(), LakeError> {
        let names = self.shard(shard)?.manifest.absorbed;
        if names.is_empty() {
            return Ok(());
        }
        for name in &names {
            self.store.delete(&path(&shard.folder(), name))?;
        }
        self.retry(shard, |_, swap| {
            swap.forget(&names);
            Ok(())
        })
    }
}
