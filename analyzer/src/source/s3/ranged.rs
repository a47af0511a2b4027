//! Large objects: parts in parallel, written to a temporary file in order.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};

use super::backoff::Tries;
use super::error::Failure;
use super::task::Task;
use super::{Bucket, body, fetch};
use crate::decode::SkipReason;

/// Bytes of a part.
const PART: u64 = 8 << 20;

/// Parts of one object under way at most.
const PARTS: u64 = 4;

/// Brings an object into a temporary file without a name, at its beginning. All parts are of one version of it, where the
/// server gives versions a name.
pub(super) async fn spool(bucket: &Bucket, key: &str, size: u64, etag: Option<String>) -> Result<File, Failure> {
    let shared = &bucket.session.shared;
    let part = PART.min(shared.memory.limit());
    // This object has a slot; it takes more only while nobody else wants them.
    let wanted = size.div_ceil(part).min(PARTS).min(shared.memory.limit() / part).max(1);
    let extra = (wanted as u32 - 1).min(shared.slots.available_permits() as u32);
    let extra = shared.slots.clone().try_acquire_many_owned(extra).ok();
    let parallel = 1 + extra.as_ref().map_or(0, |slots| slots.num_permits());
    let _room = fetch::take_room(bucket, part * parallel as u64).await?;

    let mut file = blocking(tempfile::tempfile).await?;
    let mut starts = (0..size).step_by(usize::try_from(part).unwrap_or(usize::MAX));
    let mut parts: VecDeque<Task<Result<Vec<u8>, Failure>>> = VecDeque::with_capacity(parallel);
    loop {
        while parts.len() < parallel
            && let Some(start) = starts.next()
        {
            let end = (start + part).min(size);
            let get = get_part(bucket.clone(), key.to_owned(), start, end, etag.clone());
            parts.push_back(Task::spawn(get));
        }
        let Some(next) = parts.pop_front() else { break };
        let bytes = next.end().await.map_err(|error| Failure::new(SkipReason::Crashed, error, false))??;
        file = blocking(move || file.write_all(&bytes).map(|()| file)).await?;
    }
    blocking(move || file.seek(SeekFrom::Start(0)).map(|_| file)).await
}

/// Disks may block.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> std::io::Result<T> + Send + 'static) -> Result<T, Failure> {
    let failed = |detail: String| Failure::new(SkipReason::Unreadable, format!("temporary file: {detail}"), false);
    let done = tokio::task::spawn_blocking(work).await.map_err(|error| failed(error.to_string()))?;
    done.map_err(|error| failed(error.to_string()))
}

async fn get_part(bucket: Bucket, key: String, start: u64, end: u64, etag: Option<String>) -> Result<Vec<u8>, Failure> {
    let mut tries = Tries::new(&bucket.session.shared.options.patience);
    loop {
        match get_once(&bucket, &key, start, end, etag.clone()).await {
            Ok(bytes) => return Ok(bytes),
            Err(failure) => tries.after(failure).await.map_err(|it| it.after(&format!("bytes {start} to {end}")))?,
        }
    }
}

async fn get_once(bucket: &Bucket, key: &str, start: u64, end: u64, etag: Option<String>) -> Result<Vec<u8>, Failure> {
    let answer = bucket
        .client
        .get_object()
        .bucket(&*bucket.name)
        .key(key)
        .range(format!("bytes={start}-{}", end - 1))
        .set_if_match(etag)
        .set_request_payer(bucket.payer())
        .send()
        .await
        .map_err(|error| Failure::of(&error))?;
    // A server that does not know ranges answers with everything, one whose object shrank with less.
    let length = answer.content_length().and_then(|length| u64::try_from(length).ok());
    if length.is_some_and(|length| length != end - start) {
        let detail = format!("{} bytes instead of {}", length.unwrap_or(0), end - start);
        return Err(Failure::new(SkipReason::Changed, detail, false));
    }
    body::read(answer.body, end - start, &bucket.session.shared.options.patience).await
}
