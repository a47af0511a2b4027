//! Fetching: the bytes of many objects at a time, bounded by requests and by the bytes that are held.

use std::collections::HashMap;
use std::fs::File;

use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::task::JoinHandle;

use super::backoff::Tries;
use super::error::Failure;
use super::memory::Held;
use super::task::{self, Task};
use super::{Bucket, Session, body, ranged};
use crate::decode::SkipReason;
use crate::source::{Metadata, Object, ObjectKind};

/// Up to so many bytes are fetched by one request and held in memory.
const WHOLE: u64 = 8 << 20;

/// How often an object that is replaced while it is read is begun anew.
const RENEWALS: u32 = 2;

/// An object and its bytes.
#[derive(Debug)]
pub struct Fetched {
    /// The number it came with.
    pub index: u32,
    /// The object: size and `etag` are those of what was read, whatever they were believed to be.
    pub object: Object,
    /// Its bytes, or why there are none.
    pub body: Body,
    /// What is written beside it; of objects that came in parts, only where they are digest files.
    pub metadata: Metadata,
}

/// The bytes of an object.
#[derive(Debug)]
pub enum Body {
    /// In memory. The next ones are fetched as these are dropped.
    Bytes(Held),
    /// In a temporary file without a name, at its beginning.
    Spooled(File),
    /// There are none.
    Failed {
        /// Why.
        reason: SkipReason,
        /// What S3 said.
        detail: String,
    },
}

/// Objects as they arrive.
#[derive(Debug)]
pub struct Fetch {
    arrived: mpsc::Receiver<Fetched>,
    feeder: Option<JoinHandle<()>>,
    session: Session,
}

impl Fetch {
    pub(super) fn start(session: Session, objects: Box<dyn Iterator<Item = (u32, Object)> + Send>) -> Self {
        let (sender, arrived) = mpsc::channel(session.shared.slots.available_permits().max(1));
        let feeder = {
            let session = session.clone();
            // Where the objects come from may block: a listing does.
            session.clone().runtime().spawn_blocking(move || feed(&session, objects, &sender))
        };
        Self { arrived, feeder: Some(feeder), session }
    }
}

impl Iterator for Fetch {
    type Item = Fetched;

    fn next(&mut self) -> Option<Fetched> {
        match self.arrived.blocking_recv() {
            Some(fetched) => Some(fetched),
            None => super::list::end(&self.session, &mut self.feeder),
        }
    }
}

fn feed(session: &Session, objects: Box<dyn Iterator<Item = (u32, Object)> + Send>, sender: &mpsc::Sender<Fetched>) {
    for (index, mut object) in objects {
        let Ok(slot) = session.run(session.shared.slots.clone().acquire_owned()) else { return };
        if sender.is_closed() {
            return;
        }
        let bucket = object.bucket_and_key().map(|(name, _)| session.bucket(name));
        let sender = sender.clone();
        session.runtime().spawn(async move {
            let body = match bucket {
                _ if object.skip.is_some() => None,
                None => Some(failed(SkipReason::Unreadable, "this is no object in S3").into()),
                Some(Err(error)) => Some(failed(SkipReason::Unavailable, error.to_string()).into()),
                Some(Ok(bucket)) => {
                    // Apart, so that even a bug in there does not make the object vanish.
                    let work = Task::spawn(get(bucket, object.clone()));
                    // Nobody waits for it any more: what it holds is needed elsewhere.
                    let Some(body) = task::unless(sender.closed(), work.end()).await else { return };
                    Some(body.unwrap_or_else(|error| failed(SkipReason::Crashed, error).into()))
                }
            };
            let Got { body, version, metadata } = body.unwrap_or_else(|| {
                let reason = object.skip.unwrap_or(SkipReason::Unreadable);
                failed(reason, object.detail.clone().unwrap_or_default()).into()
            });
            if let Some(version) = version {
                object.size = Some(version.size);
                object.etag = version.etag.map(Into::into);
            }
            // An error says that nobody waits for it any more.
            drop(sender.send(Fetched { index, object, body, metadata }).await);
            drop(slot);
        });
    }
}

fn failed(reason: SkipReason, detail: impl Into<String>) -> Body {
    Body::Failed { reason, detail: detail.into() }
}

/// Bytes, which version of the object they are, and what is written beside it.
struct Got {
    body: Body,
    version: Option<Version>,
    metadata: Metadata,
}

impl From<Body> for Got {
    fn from(body: Body) -> Self {
        Self { body, version: None, metadata: Metadata::new() }
    }
}

async fn get(bucket: Bucket, object: Object) -> Got {
    match try_get(&bucket, &object).await {
        Ok(got) => got,
        Err(failure) => failed(failure.reason, failure.detail).into(),
    }
}

/// What an object is now, when it is not what the listing said.
#[derive(Clone, Debug)]
struct Version {
    size: u64,
    etag: Option<String>,
}

/// How one attempt ended that gave no bytes.
enum Stop {
    Failed(Failure),
    Replaced(Version),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

async fn try_get(bucket: &Bucket, object: &Object) -> Result<Got, Failure> {
    let shared = &bucket.session.shared;
    let key = object.bucket_and_key().map_or("", |(_, key)| key);
    let mut version = match object.size {
        // One answer is of one version; the parts of a large object must be told to be.
        Some(size) if object.etag.is_some() || size <= WHOLE => {
            Version { size, etag: object.etag.as_deref().map(str::to_owned) }
        }
        _ => look(bucket, key).await?.0,
    };
    let (mut tries, mut renewals) = (Tries::new(&shared.options.patience), 0);
    loop {
        let stop = if version.size <= WHOLE.min(shared.memory.limit()) {
            match whole(bucket, key, &mut version).await {
                Ok((body, metadata)) => return Ok(Got { body, version: Some(version), metadata }),
                Err(stop) => stop,
            }
        } else {
            match ranged::spool(bucket, key, version.size, version.etag.clone()).await {
                Ok(file) => {
                    let is_digest = object.layout().kind == ObjectKind::Digest;
                    let metadata = if is_digest { look(bucket, key).await?.1 } else { Metadata::new() };
                    return Ok(Got { body: Body::Spooled(file), version: Some(version), metadata });
                }
                // Each part has been tried often enough.
                Err(failure) if failure.reason == SkipReason::Changed => Stop::Replaced(look(bucket, key).await?.0),
                Err(failure) => return Err(failure),
            }
        };
        match stop {
            Stop::Replaced(now) => {
                renewals += 1;
                if renewals > RENEWALS {
                    let detail = format!("replaced {renewals} times while it was read; {} bytes now", now.size);
                    return Err(Failure::new(SkipReason::Changed, detail, false));
                }
                version = now;
            }
            Stop::Failed(failure) => tries.after(failure).await?,
        }
    }
}

/// One request for all of it; then the version is that of the answer. The SDK checks the checksum that S3 stores with the object.
async fn whole(bucket: &Bucket, key: &str, version: &mut Version) -> Result<(Body, Metadata), Stop> {
    let shared = &bucket.session.shared;
    let room = take_room(bucket, version.size).await?;
    let answer = bucket
        .client
        .get_object()
        .bucket(&*bucket.name)
        .key(key)
        .set_request_payer(bucket.payer())
        .send()
        .await
        .map_err(|error| Failure::of(&error))?;
    // Room was taken for what the listing said.
    if let Some(size) = answer.content_length().and_then(|size| u64::try_from(size).ok())
        && size != version.size
    {
        return Err(Stop::Replaced(Version { size, etag: answer.e_tag().map(str::to_owned) }));
    }
    if let Some(etag) = answer.e_tag() {
        version.etag = Some(etag.to_owned());
    }
    let metadata = metadata(answer.metadata());
    let bytes = body::read(answer.body, version.size, &shared.options.patience).await?;
    Ok((Body::Bytes(Held::new(bytes, room)), metadata))
}

pub(super) async fn take_room(bucket: &Bucket, bytes: u64) -> Result<OwnedSemaphorePermit, Failure> {
    let room = bucket.session.shared.memory.take(bytes).await;
    room.ok_or_else(|| Failure::new(SkipReason::Unavailable, "the session has ended", false))
}

/// Sorted: nothing may depend on the order of a hash map.
fn metadata(found: Option<&HashMap<String, String>>) -> Metadata {
    found.map(|found| found.iter().map(|(name, value)| (name.clone(), value.clone())).collect()).unwrap_or_default()
}

/// Asks for size and version of an object, and for what is written beside it.
async fn look(bucket: &Bucket, key: &str) -> Result<(Version, Metadata), Failure> {
    let head = bucket.client.head_object().bucket(&*bucket.name).key(key).set_request_payer(bucket.payer());
    let answer = head.send().await.map_err(|error| Failure::of(&error))?;
    let size = answer.content_length().and_then(|size| u64::try_from(size).ok()).unwrap_or(0);
    Ok((Version { size, etag: answer.e_tag().map(str::to_owned) }, metadata(answer.metadata())))
}
