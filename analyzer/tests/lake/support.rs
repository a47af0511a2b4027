//! Rows and objects to write, and stores to write them to.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use keytrail::decode::{Content, ObjectReport};
use keytrail::frame::schema::Scope;
use keytrail::frame::{Dictionary, Events, FrameBuilder, Row};
use keytrail::lake::{Batch, Entry, Folder, Lake, ObjectRow, Store, StoreError, Tag, When};

pub(crate) use crate::content::{content, names, try_content};

pub(crate) const DAY: i64 = 86_400_000;
/// 2026-11-01.
pub(crate) const START: i64 = 20_758 * DAY;

pub(crate) fn text(text: &str) -> Option<Cow<'static, str>> {
    Some(Cow::Owned(text.to_owned()))
}

/// A lake in a fresh folder.
pub(crate) fn lake(folder: &tempfile::TempDir) -> Lake {
    Lake::open_or_create(Arc::new(Folder::new(folder.path().join("lake")))).unwrap()
}

/// One object: its name, version, and rows as (account, day, name of the event).
#[derive(Clone, Debug)]
pub(crate) struct Given {
    pub(crate) uri: String,
    pub(crate) etag: String,
    pub(crate) account: Option<String>,
    pub(crate) day: i64,
    pub(crate) rows: Vec<(Option<String>, i64, String)>,
}

/// An object of account `account`, with a row of its own account and one of another.
pub(crate) fn given(account: &str, number: u32, etag: &str) -> Given {
    let own = Some(account.to_owned());
    let rows = vec![
        (own.clone(), 0, format!("Own{number}{etag}")),
        (own.clone(), 1, format!("Next{number}{etag}")),
        (Some("shared".into()), 0, format!("Shared{number}{etag}")),
    ];
    Given { uri: format!("s3://logs/{account}/{number}.json.gz"), etag: etag.into(), account: own, day: 0, rows }
}

impl Given {
    pub(crate) fn row(&self) -> ObjectRow {
        ObjectRow {
            uri: self.uri.clone(),
            etag: Some(self.etag.clone()),
            size: Some(self.rows.len() as u64),
            report: ObjectReport {
                records: self.rows.len() as u64,
                kept: self.rows.len() as u64,
                ..Default::default()
            },
            content: Some(Content::Unsound),
            unit: ObjectRow::unit_of(
                self.account.as_deref(),
                Some("eu-west-1"),
                keytrail::lake::partition::date_of(START + self.day * DAY),
            ),
            ..ObjectRow::default()
        }
    }

    pub(crate) fn push(&self, number: u32, builder: &mut FrameBuilder) {
        for (record, (account, day, name)) in self.rows.iter().enumerate() {
            builder.push(&Row {
                wide: record % 2 == 1,
                object: number,
                record: record as u32,
                event_id: text(&format!("{name}-{record}")),
                event_time: Some(START + day * DAY + i64::from(record as u32 % 7) * 1000),
                event_name: text(name),
                class: text(if record % 3 == 2 { "failure" } else { "kms" }),
                account: account.as_deref().and_then(text),
                region: text("eu-west-1"),
                description: text(name).filter(|_| record % 2 == 1),
                ..Row::default()
            });
        }
    }

    pub(crate) fn events(&self, dictionary: &Dictionary) -> Events {
        let mut builder = FrameBuilder::new(dictionary.clone(), Scope::Full);
        self.push(0, &mut builder);
        builder.finish_bare().unwrap()
    }
}

/// These objects as a batch.
pub(crate) fn batch(objects: &[Given]) -> Batch {
    let dictionary = Dictionary::default();
    let mut builder = FrameBuilder::new(dictionary.clone(), Scope::Full);
    let mut batch = Batch::new(dictionary);
    for (number, object) in objects.iter().enumerate() {
        object.push(number as u32, &mut builder);
        batch.add_object(number as u32, object.row());
    }
    batch.add_events(builder.finish_bare().unwrap());
    batch
}

/// Files in memory.
#[derive(Debug, Default)]
pub(crate) struct Memory(Mutex<BTreeMap<String, Vec<u8>>>);

fn tag(bytes: &[u8]) -> Tag {
    Tag(blake3::hash(bytes).to_string())
}

impl Store for Memory {
    fn get(&self, path: &str) -> Result<Option<(Vec<u8>, Tag)>, StoreError> {
        Ok(self.0.lock().unwrap().get(path).map(|bytes| (bytes.clone(), tag(bytes))))
    }

    fn put(&self, path: &str, bytes: &[u8], when: When<'_>) -> Result<Tag, StoreError> {
        let mut files = self.0.lock().unwrap();
        let holds = match when {
            When::Always => true,
            When::Absent => !files.contains_key(path),
            When::Matches(wanted) => files.get(path).is_some_and(|bytes| tag(bytes) == *wanted),
        };
        if !holds {
            return Err(StoreError::Conflict { path: path.into() });
        }
        files.insert(path.into(), bytes.into());
        Ok(tag(bytes))
    }

    fn delete(&self, path: &str) -> Result<(), StoreError> {
        self.0.lock().unwrap().remove(path);
        Ok(())
    }

    fn list(&self, folder: &str) -> Result<Vec<Entry>, StoreError> {
        let files = self.0.lock().unwrap();
        let below = files.iter().filter(|(path, _)| path.starts_with(folder));
        Ok(below.map(|(path, bytes)| Entry { path: path.clone(), size: bytes.len() as u64 }).collect())
    }

    fn describe(&self) -> String {
        "memory".into()
    }

    fn local_path(&self, _: &str) -> Option<std::path::PathBuf> {
        None
    }
}

impl Memory {
    /// The same files once more.
    pub(crate) fn copy(&self) -> Self {
        Self(Mutex::new(self.0.lock().unwrap().clone()))
    }
}

/// A store whose process is killed at its n-th call: that call fails, before or after it took effect, and so do all others.
#[derive(Debug)]
pub(crate) struct Killed {
    inner: Arc<dyn Store>,
    left: AtomicI64,
    /// Whether the last call takes effect.
    late: bool,
}

impl Killed {
    pub(crate) fn after(inner: Arc<dyn Store>, calls: i64, late: bool) -> Self {
        Self { inner, left: AtomicI64::new(calls), late }
    }

    fn call<T>(&self, path: &str, run: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
        let left = self.left.fetch_sub(1, Ordering::SeqCst);
        if left > 0 {
            return run();
        }
        if left == 0 && self.late {
            run()?;
        }
        Err(StoreError::Failed { path: path.into(), error: std::io::Error::other("killed") })
    }
}

impl Store for Killed {
    fn get(&self, path: &str) -> Result<Option<(Vec<u8>, Tag)>, StoreError> {
        self.call(path, || self.inner.get(path))
    }

    fn put(&self, path: &str, bytes: &[u8], when: When<'_>) -> Result<Tag, StoreError> {
        self.call(path, || self.inner.put(path, bytes, when))
    }

    fn delete(&self, path: &str) -> Result<(), StoreError> {
        self.call(path, || self.inner.delete(path))
    }

    fn list(&self, folder: &str) -> Result<Vec<Entry>, StoreError> {
        self.call(folder, || self.inner.list(folder))
    }

    fn describe(&self) -> String {
        "killed".into()
    }

    fn local_path(&self, _: &str) -> Option<std::path::PathBuf> {
        None
    }
}
