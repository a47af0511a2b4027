//! Objects inflated and hashed, many at a time.

use std::io::Read;

use rayon::ThreadPool;
use sha2::{Digest as _, Sha256};

use super::super::drive::{HEAVY, drive};
use super::super::sources::Sources;
use super::super::{Progress, ScanError};
use crate::decode::gzip::{Inflater, Taker};
use crate::decode::{Limits, SkipReason};
use crate::integrity::Hash;
use crate::source::{Fetched, Metadata, Object};

/// What came of reading one object.
#[derive(Debug)]
pub(super) enum Contents {
    /// All of it was read.
    Whole(Whole),
    /// Its bytes are no sound gzip stream, or more than one: how.
    Damaged(String),
    /// It is not there.
    Gone,
    /// It could not be read: why.
    Unread(String),
}

/// The inflated content of an object.
#[derive(Debug)]
pub(super) struct Whole {
    pub(super) hash: Hash,
    /// The bytes, where they were asked for.
    pub(super) bytes: Vec<u8>,
    pub(super) metadata: Metadata,
}

/// Reads objects and gives what `make` makes of each, in no order.
pub(super) fn each<T: Send>(
    pool: &ThreadPool,
    sources: &Sources,
    limits: Limits,
    progress: &dyn Progress,
    objects: Vec<(u32, Object)>,
    keep: bool,
    make: impl Fn(&Object, Contents) -> T + Sync,
) -> Result<Vec<(u32, T)>, ScanError> {
    let items = sources.fetch(objects).map(Ok);
    let weigh = |item: &Fetched| item.object.size.unwrap_or(HEAVY);
    let start = || (Inflater::new(limits), Vec::new());
    let states = drive(pool, items, weigh, start, |(inflater, made), mut item: Fetched| {
        let contents = read(inflater, &mut item, keep, progress);
        made.push((item.index, make(&item.object, contents)));
        Ok(())
    })?;
    Ok(states.into_iter().flat_map(|(_, made)| made).collect())
}

fn read(inflater: &mut Inflater, item: &mut Fetched, keep: bool, progress: &dyn Progress) -> Contents {
    let metadata = std::mem::take(&mut item.metadata);
    let size = item.object.size;
    let mut reader: Box<dyn Read + Send + '_> = match item.open() {
        Ok(reader) => reader,
        Err((SkipReason::Gone, _)) => return Contents::Gone,
        Err((reason, detail)) => return Contents::Unread(told(reason, &detail)),
    };
    let mut sink = Sink { hash: Sha256::new(), bytes: keep.then(Vec::new) };
    let outcome = inflater.read(&mut *reader, size, &mut sink);
    progress.object(outcome.compressed, outcome.inflated, 0);
    match outcome.skip {
        None if outcome.trailing => Contents::Damaged("bytes follow the gzip stream".into()),
        None if outcome.several => Contents::Damaged("more than one gzip stream".into()),
        None => Contents::Whole(Whole {
            hash: sink.hash.finalize().into(),
            bytes: sink.bytes.unwrap_or_default(),
            metadata,
        }),
        Some(reason) if reason.is_damage() => Contents::Damaged(reason.meaning().to_string()),
        Some(reason) => Contents::Unread(reason.meaning().to_string()),
    }
}

fn told(reason: SkipReason, detail: &str) -> String {
    if detail.is_empty() { reason.meaning().to_string() } else { format!("{}: {detail}", reason.meaning()) }
}

/// Takes inflated bytes as they come.
struct Sink {
    hash: Sha256,
    bytes: Option<Vec<u8>>,
}

impl Taker for Sink {
    fn stage(&mut self) {}

    fn take(&mut self, bytes: &[u8], _last: bool) -> usize {
        self.hash.update(bytes);
        if let Some(kept) = &mut self.bytes {
            kept.extend_from_slice(bytes);
        }
        bytes.len()
    }
}
