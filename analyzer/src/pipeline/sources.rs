//! What the sources of a run are: lakes, and objects that are found and fetched while the run goes on.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::{Progress, ScanError, ScanOptions};
use crate::lake::{Folder, Lake, LakeError};
use crate::source::{self, Fetched, Filter, Names, Object, SourceError};

/// The sources of a run.
pub(super) struct Sources {
    pub(super) lakes: Vec<Lake>,
    objects: Vec<Object>,
    pruned: u64,
    /// Bytes as stored, as far as they are known by now.
    pub(super) bytes: u64,
}

impl Sources {
    /// Looks at every source: nothing is read yet.
    pub(super) fn open(options: &ScanOptions, filter: &Filter) -> Result<Self, ScanError> {
        let mut sources = Self { lakes: Vec::new(), objects: Vec::new(), pruned: 0, bytes: 0 };
        let mut local = Vec::new();
        for source in &options.sources {
            if Lake::recognize(Path::new(source)) {
                sources.lakes.push(Lake::open(Arc::new(Folder::new(source)))?);
            } else {
                local.push(source.clone());
            }
        }
        if !local.is_empty() {
            let listing = source::list(&local, filter).map_err(|error| match error {
                SourceError::S3(_) | SourceError::BadPattern { .. } => ScanError::Usage(error.to_string()),
                _ => ScanError::NothingToRead(error.to_string()),
            })?;
            sources.bytes = listing.objects.iter().filter_map(|object| object.size).sum();
            sources.objects = listing.objects;
            sources.pruned = listing.pruned;
        }
        Ok(sources)
    }

    /// Objects outside the asked Regions or dates, told by their names.
    pub(super) fn pruned(&self) -> u64 {
        self.pruned
    }

    /// Hands out the objects as they come, each with its bytes; those that `wanted` drops are never fetched.
    pub(super) fn feed<'p>(
        &mut self,
        names: &Arc<Names>,
        progress: &'p dyn Progress,
        wanted: impl FnMut(&mut Object) -> bool + Send + 'static,
    ) -> Feed<'p> {
        let found = Arc::new(Found::default());
        let objects = std::mem::take(&mut self.objects).into_iter();
        let objects = found.clone().watch(objects, wanted);
        Feed { items: Box::new(source::fetch(objects, names.clone())), found, progress }
    }
}

/// Opens a lake, or makes one.
///
/// # Errors
/// When something else stands there, or a newer keytrail wrote it.
pub fn open_lake(place: &str) -> Result<Lake, ScanError> {
    Ok(Lake::open_or_create(Arc::new(Folder::new(place)))?)
}

/// Objects that may hold what was asked for.
pub(super) fn filter(options: &ScanOptions) -> Filter {
    Filter {
        // A key's events stand in the logs of its callers too: rows are filtered by account, objects are not.
        accounts: Vec::new(),
        regions: options.regions.clone(),
        // What happened to a key before the period explains what fails in it, and what happened up to the as-of instant
        // decides whether it still holds: only what comes after both prunes.
        from: options.lookback,
        to: options.to.map(|to| to.max(options.as_of.unwrap_or(to))),
    }
}

/// Objects with their bytes.
pub(super) struct Feed<'p> {
    items: Box<dyn Iterator<Item = io::Result<Fetched>> + 'p>,
    found: Arc<Found>,
    progress: &'p dyn Progress,
}

impl Iterator for Feed<'_> {
    type Item = Result<Fetched, ScanError>;

    fn next(&mut self) -> Option<Self::Item> {
        let item = self.items.next();
        self.found.tell(self.progress);
        Some(item?.map_err(Into::into))
    }
}

/// What listing has found since the display heard of it: objects may be listed on a thread that the display is not on.
#[derive(Default)]
struct Found {
    objects: AtomicU64,
    bytes: AtomicU64,
    ended: AtomicBool,
}

impl Found {
    fn watch(
        self: Arc<Self>,
        mut objects: impl Iterator<Item = Object>,
        mut wanted: impl FnMut(&mut Object) -> bool,
    ) -> impl Iterator<Item = Object> {
        std::iter::from_fn(move || {
            loop {
                let Some(mut object) = objects.next() else {
                    self.ended.store(true, Ordering::Relaxed);
                    return None;
                };
                if wanted(&mut object) {
                    self.objects.fetch_add(1, Ordering::Relaxed);
                    self.bytes.fetch_add(object.size.unwrap_or(0), Ordering::Relaxed);
                    return Some(object);
                }
            }
        })
    }

    fn tell(&self, progress: &dyn Progress) {
        let objects = self.objects.swap(0, Ordering::Relaxed);
        if objects > 0 {
            progress.found(objects, self.bytes.swap(0, Ordering::Relaxed));
        }
        if self.ended.swap(false, Ordering::Relaxed) {
            progress.listed();
        }
    }
}

impl From<LakeError> for ScanError {
    fn from(error: LakeError) -> Self {
        match error {
            LakeError::NotALake(_) | LakeError::Occupied(_) => Self::Usage(error.to_string()),
            LakeError::Gone(_) => Self::Moved(error.to_string()),
            _ => Self::Failed(error.to_string()),
        }
    }
}
