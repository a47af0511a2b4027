//! What the sources of a run are: lakes, and objects that are found and fetched while the run goes on.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

#[cfg(feature = "aws")]
use super::remote::Remote;
use super::{Progress, ScanError, ScanOptions};
use crate::config::Settings;
use crate::lake::{Folder, Lake, LakeError};
#[cfg(feature = "aws")]
use crate::source::s3::Counter;
use crate::source::{self, Fetched, Filter, Listing, Names, Object, SourceError};

/// The sources of a run.
pub(super) struct Sources {
    pub(super) lakes: Vec<Lake>,
    objects: Vec<Object>,
    pruned: u64,
    #[cfg(feature = "aws")]
    remote: Remote,
}

impl Sources {
    /// Looks at every source: nothing is read yet.
    pub(super) fn open(options: &ScanOptions, filter: &Filter) -> Result<Self, ScanError> {
        #[cfg(feature = "aws")]
        let mut remote = Remote::default();
        let (lakes, local) = tell_apart(
            options,
            #[cfg(feature = "aws")]
            &mut remote,
        )?;
        let mut listing = Listing::default();
        if !local.is_empty() {
            listing = source::list(&local, filter).map_err(|error| match error {
                SourceError::S3(_) | SourceError::BadPattern { .. } => ScanError::Usage(error.to_string()),
                _ => ScanError::NothingToRead(error.to_string()),
            })?;
        }
        #[cfg(feature = "aws")]
        remote.list(&in_bucket(options, filter))?;
        Ok(Self {
            lakes,
            objects: listing.objects,
            pruned: listing.pruned,
            #[cfg(feature = "aws")]
            remote,
        })
    }

    /// Only a lake.
    #[cfg(feature = "aws")]
    pub(super) fn of_lake(lake: Lake) -> Self {
        Self { lakes: vec![lake], objects: Vec::new(), pruned: 0, remote: Remote::default() }
    }

    /// Objects outside the asked accounts, Regions or dates, told by their names, of those that were listed.
    pub(super) fn pruned(&self) -> u64 {
        #[cfg(feature = "aws")]
        return self.pruned + self.remote.pruned();
        #[cfg(not(feature = "aws"))]
        self.pruned
    }

    /// Adds to the settings what only the sources can tell.
    pub(super) fn complete(&self, settings: &mut Settings) {
        #[cfg(feature = "aws")]
        self.remote.tell_readers(&mut settings.logs);
        #[cfg(not(feature = "aws"))]
        let _ = settings;
    }

    /// What is to be said about how the sources were looked at, once they were.
    pub(super) fn notices(&self, options: &ScanOptions) -> Vec<String> {
        #[cfg(feature = "aws")]
        return self.remote.notices(options);
        #[cfg(not(feature = "aws"))]
        {
            let _ = options;
            Vec::new()
        }
    }

    /// Lists the objects, and fetches none: those of this machine first, then bucket by bucket, each by the bytes of its keys.
    pub(super) fn list(&mut self) -> impl Iterator<Item = Object> + use<> {
        let objects = std::mem::take(&mut self.objects).into_iter();
        #[cfg(feature = "aws")]
        let objects = objects.chain(std::mem::take(&mut self.remote.listings).into_iter().flatten());
        objects
    }

    /// Objects that have numbers, each with its bytes.
    pub(super) fn fetch(&self, objects: Vec<(u32, Object)>) -> Box<dyn Iterator<Item = Fetched>> {
        source::fetch_numbered(
            objects,
            #[cfg(feature = "aws")]
            self.remote.fetching(),
        )
    }

    /// An object that was not listed, yet lies in a source: in a bucket, below a prefix that was given.
    pub(super) fn within(&self, bucket: &str, key: &str) -> Option<Object> {
        #[cfg(feature = "aws")]
        return self.remote.within(bucket, key);
        #[cfg(not(feature = "aws"))]
        {
            let _ = (bucket, key);
            None
        }
    }

    /// Hands out the objects as they come, each with its bytes; those that `wanted` drops are never fetched.
    pub(super) fn feed<'p>(
        &mut self,
        names: &Arc<Names>,
        progress: &'p dyn Progress,
        wanted: impl FnMut(&mut Object) -> bool + Send + 'static,
    ) -> Feed<'p> {
        let found = Arc::new(Found::default());
        let local = self.objects.iter().filter_map(|object| object.size).sum();
        let objects = found.clone().watch(self.list(), wanted);
        let items = source::fetch(
            objects,
            names.clone(),
            #[cfg(feature = "aws")]
            self.remote.fetching(),
        );
        Feed {
            items,
            found,
            progress,
            local,
            objects: 0,
            bytes: 0,
            #[cfg(feature = "aws")]
            listed: self.remote.counters.clone(),
        }
    }
}

/// Adds a lake, unless it was named before: what it has counts once.
fn add(lakes: &mut Vec<Lake>, lake: Lake) {
    let place = |lake: &Lake| {
        let place = lake.store().describe();
        std::fs::canonicalize(&place).unwrap_or_else(|_| place.into())
    };
    if lakes.iter().all(|known| place(known) != place(&lake)) {
        lakes.push(lake);
    }
}

/// The lakes among the sources.
pub(super) fn lakes(options: &ScanOptions) -> Result<Vec<Lake>, ScanError> {
    let (lakes, _) = tell_apart(
        options,
        #[cfg(feature = "aws")]
        &mut Remote::default(),
    )?;
    Ok(lakes)
}

/// Lakes, and local sources that are none. What is no lake in a bucket is kept in `remote`, to be listed.
fn tell_apart(
    options: &ScanOptions,
    #[cfg(feature = "aws")] remote: &mut Remote,
) -> Result<(Vec<Lake>, Vec<String>), ScanError> {
    let (mut lakes, mut local) = (Vec::new(), Vec::new());
    for source in &options.sources {
        let lake = lake_at(
            source,
            options,
            #[cfg(feature = "aws")]
            remote,
        )?;
        match lake {
            Some(lake) => add(&mut lakes, lake),
            None if cfg!(feature = "aws") && source.starts_with("s3://") => {}
            None => local.push(source.clone()),
        }
    }
    Ok((lakes, local))
}

/// The lake that a source is, if it is one.
fn lake_at(
    source: &str,
    options: &ScanOptions,
    #[cfg(feature = "aws")] remote: &mut Remote,
) -> Result<Option<Lake>, ScanError> {
    #[cfg(feature = "aws")]
    if source.starts_with("s3://") {
        return remote.open(source, options);
    }
    let _ = options;
    let is_lake = Lake::recognize(Path::new(source));
    Ok(is_lake.then(|| Lake::open(Arc::new(Folder::new(source)))).transpose()?)
}

/// Opens a lake, or makes one.
///
/// # Errors
/// When something else stands there, or a newer keytrail wrote it.
pub fn open_lake(place: &str, options: &ScanOptions) -> Result<Lake, ScanError> {
    #[cfg(feature = "aws")]
    if place.starts_with("s3://") {
        return Ok(Lake::open_or_create(Arc::new(Remote::default().store(place, options)?))?);
    }
    #[cfg(not(feature = "aws"))]
    let _ = options;
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
        digests: false,
    }
}

/// Objects of a bucket that may hold what was asked for. Every key and every byte costs there: only the logs of the accounts
/// asked for are listed, and nothing from before the period unless it is asked for. Remarks say so.
#[cfg(feature = "aws")]
fn in_bucket(options: &ScanOptions, filter: &Filter) -> Filter {
    Filter { accounts: options.accounts.clone(), from: filter.from.or(options.from), ..filter.clone() }
}

/// Objects with their bytes.
pub(super) struct Feed<'p> {
    items: Box<dyn Iterator<Item = io::Result<Fetched>>>,
    found: Arc<Found>,
    progress: &'p dyn Progress,
    /// Bytes of objects on this machine.
    local: u64,
    /// What was found so far.
    objects: u64,
    bytes: u64,
    #[cfg(feature = "aws")]
    listed: Vec<Counter>,
}

impl Feed<'_> {
    /// About how many bytes there are in all: a bucket is listed while it is read, some way ahead.
    pub(super) fn expected(&self) -> u64 {
        #[cfg(feature = "aws")]
        if !self.listed.is_empty() {
            /// Keys for each that was listed by the time that it matters.
            const AHEAD: u64 = 4;
            let keys: u64 = self.listed.iter().map(|counter| counter.get().seen).sum();
            return (self.bytes / self.objects.max(1)).saturating_mul(keys).saturating_mul(AHEAD).max(self.local);
        }
        self.local
    }
}

impl Iterator for Feed<'_> {
    type Item = Result<Fetched, ScanError>;

    fn next(&mut self) -> Option<Self::Item> {
        let item = self.items.next();
        let (objects, bytes) = self.found.tell(self.progress);
        self.objects += objects;
        self.bytes += bytes;
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

    /// Tells the display what is new, and the caller how much that is.
    fn tell(&self, progress: &dyn Progress) -> (u64, u64) {
        let (objects, bytes) = (self.objects.swap(0, Ordering::Relaxed), self.bytes.swap(0, Ordering::Relaxed));
        if objects > 0 {
            progress.found(objects, bytes);
        }
        if self.ended.swap(false, Ordering::Relaxed) {
            progress.listed();
        }
        (objects, bytes)
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
