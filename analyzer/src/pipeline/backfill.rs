//! What there is to be backfilled, cut into batches that the Lambda function takes one at a time.

use serde::Serialize;

use super::fill::unit_of;
use super::sources::Sources;
use super::{ScanError, ScanOptions};
use crate::lake::Shard;
use crate::source::{Filter, Object};

/// Bytes of the text of a batch: Step Functions hands no more than 256 KiB to a function, and the escapes of its own come on
/// top.
const LINE: usize = 200 << 10;

/// Accounts × Regions of which a batch may hold logs. Each costs a swap of its manifest.
const SHARDS: usize = 8;

/// How large a batch may become. One object makes a batch, however large it is.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Objects.
    pub objects: usize,
    /// Bytes as stored.
    pub bytes: u64,
}

/// A batch, ready to be handed to the function.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The payload, one line of JSON without its end.
    pub payload: String,
    /// Account and Region of its first object.
    pub shard: Shard,
    /// Objects in it.
    pub objects: u64,
    /// Bytes of them as stored, as far as they are known.
    pub bytes: u64,
}

/// What listing found beside the batches.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Objects that the function would pass by, told by their names: digests, logs of other services.
    pub passed: u64,
    /// Objects outside the accounts, Regions or dates asked for, of those that were listed.
    pub pruned: u64,
    /// What could not be listed, and why.
    pub unlisted: Vec<(String, String)>,
    /// Remarks about how the sources were looked at.
    pub notices: Vec<String>,
}

/// Lists the sources and gives every object that may be a log to exactly one batch, in the order of listing: by the bytes of
/// the names, which is by account, Region and day as CloudTrail names its logs. `name` says what the function shall call an
/// object; what it gives no name is an error.
///
/// Objects are streamed: nothing holds all their names.
///
/// # Errors
/// When a source cannot be used, and whatever `take` says.
pub fn batches<E: From<ScanError>>(
    options: &ScanOptions,
    bounds: Bounds,
    name: impl Fn(&Object) -> Result<String, E>,
    mut take: impl FnMut(Batch) -> Result<(), E>,
) -> Result<Found, E> {
    let (accounts, regions) = (options.accounts.clone(), options.regions.clone());
    let filter = Filter { accounts, regions, from: options.from, to: options.to, digests: false };
    let mut sources = Sources::open(options, &filter)?;
    if !sources.lakes.is_empty() {
        return Err(ScanError::Usage("a lake needs no backfill: name the logs themselves".into()).into());
    }
    let mut found = Found::default();
    let mut open = Open::default();
    for object in sources.list() {
        match object.skip {
            Some(reason) if reason.is_expected() => found.passed += 1,
            Some(reason) => {
                let why = object.detail.unwrap_or_else(|| reason.meaning().to_owned());
                found.unlisted.push((object.uri, why));
            }
            None => {
                let shard = unit_of(&object).shard;
                let one = One { uri: name(&object)?, size: object.size, etag: object.etag.as_deref() };
                // Strings and numbers only, which cannot fail to serialize.
                let text = serde_json::to_string(&one).unwrap_or_default();
                if !open.has_room(&text, object.size.unwrap_or(0), &shard, bounds)
                    && let Some(batch) = open.close()
                {
                    take(batch)?;
                }
                open.add(&text, object.size.unwrap_or(0), shard);
            }
        }
    }
    open.close().map_or(Ok(()), take)?;
    found.pruned = sources.pruned();
    found.notices = sources.notices(options);
    Ok(found)
}

/// An object in the payload.
#[derive(Serialize)]
struct One<'o> {
    uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    etag: Option<&'o str>,
}

/// The batch in the making.
#[derive(Default)]
struct Open {
    text: String,
    shards: Vec<Shard>,
    objects: u64,
    bytes: u64,
}

impl Open {
    const BEGIN: &'static str = r#"{"keytrail":"ingest","objects":["#;
    const END: &'static str = "]}";

    fn has_room(&self, text: &str, size: u64, shard: &Shard, bounds: Bounds) -> bool {
        let is_known = self.shards.contains(shard);
        self.objects < bounds.objects as u64
            && self.bytes.saturating_add(size) <= bounds.bytes
            && self.text.len() + text.len() + Self::END.len() < LINE
            && (is_known || self.shards.len() < SHARDS)
    }

    fn add(&mut self, text: &str, size: u64, shard: Shard) {
        self.text.push_str(if self.objects == 0 { Self::BEGIN } else { "," });
        self.text.push_str(text);
        self.objects += 1;
        self.bytes = self.bytes.saturating_add(size);
        if !self.shards.contains(&shard) {
            self.shards.push(shard);
        }
    }

    fn close(&mut self) -> Option<Batch> {
        let Self { mut text, shards, objects, bytes } = std::mem::take(self);
        let shard = shards.into_iter().next()?;
        text.push_str(Self::END);
        Some(Batch { payload: text, shard, objects, bytes })
    }
}
