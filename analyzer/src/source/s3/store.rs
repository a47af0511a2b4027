//! A bucket as a plain store of small objects, with conditional writes.

use aws_sdk_s3::primitives::ByteStream;
use tokio::task::JoinSet;

use super::backoff::Tries;
use super::error::Failure;
use super::{Bucket, S3Error, body};
use crate::decode::SkipReason;

/// When a write may happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Whatever is there.
    Always,
    /// Nothing is there.
    Absent,
    /// This version is there.
    Matches(String),
}

/// An object of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its key.
    pub key: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its version.
    pub etag: Option<String>,
}

impl Bucket {
    /// Bytes and version of an object; None when there is none.
    pub fn get(&self, key: &str) -> Result<Option<(Vec<u8>, String)>, S3Error> {
        match self.session.run(self.get_small(key)) {
            Ok(found) => Ok(Some(found)),
            Err(failure) if failure.reason == SkipReason::Gone => Ok(None),
            Err(failure) => Err(failure.into_error(self.uri(key), &self.name)),
        }
    }

    /// Writes an object and gives its version. [`S3Error::Conflict`] when the condition does not hold. Requests are
    /// repeated when the answer does not come: a conflict may then be with the first attempt, so read what is there.
    pub fn put(&self, key: &str, bytes: Vec<u8>, condition: Condition) -> Result<String, S3Error> {
        let (absent, matches) = match condition {
            Condition::Always => (None, None),
            Condition::Absent => (Some("*".to_owned()), None),
            Condition::Matches(etag) => (None, Some(etag)),
        };
        let needs_object = matches.is_some();
        let request = self
            .client
            .put_object()
            .bucket(&*self.name)
            .key(key)
            .body(ByteStream::from(bytes))
            .set_if_none_match(absent)
            .set_if_match(matches)
            .set_request_payer(self.payer());
        match self.session.run(request.send()) {
            Ok(answer) => Ok(answer.e_tag().unwrap_or_default().to_owned()),
            Err(error) => {
                let conflict = error.raw_response().is_some_and(|answer| answer.status().as_u16() == 409);
                let failure = Failure::of(&error);
                // Two writes at the same time; or what should be replaced has been deleted.
                if conflict || (needs_object && failure.reason == SkipReason::Gone) {
                    return Err(S3Error::Conflict(self.uri(key)));
                }
                Err(failure.into_error(self.uri(key), &self.name))
            }
        }
    }

    /// Writes objects, whatever is there, many at a time.
    pub fn put_all(&self, objects: Vec<(String, Vec<u8>)>) -> Result<(), S3Error> {
        let parallel = self.session.shared.options.parallel.max(1);
        let mut waiting = objects.into_iter();
        let work = async {
            let mut running = JoinSet::new();
            loop {
                while running.len() < parallel
                    && let Some((key, bytes)) = waiting.next()
                {
                    let bucket = self.clone();
                    running.spawn(async move {
                        let request = bucket.client.put_object().bucket(&*bucket.name).key(&key);
                        let request = request.body(ByteStream::from(bytes)).set_request_payer(bucket.payer());
                        let sent = request.send().await;
                        sent.map(drop).map_err(|error| Failure::of(&error).into_error(bucket.uri(&key), &bucket.name))
                    });
                }
                match running.join_next().await {
                    None => return Ok(()),
                    Some(Ok(Ok(()))) => {}
                    Some(Ok(Err(error))) => return Err(error),
                    Some(Err(error)) => return Err(S3Error::Failed { what: self.uri(""), detail: error.to_string() }),
                }
            }
        };
        self.session.run(work)
    }

    /// Deletes an object. One that is not there is fine.
    pub fn delete(&self, key: &str) -> Result<(), S3Error> {
        let request = self.client.delete_object().bucket(&*self.name).key(key).set_request_payer(self.payer());
        match self.session.run(request.send()) {
            Ok(_) => Ok(()),
            Err(error) => match Failure::of(&error) {
                failure if failure.reason == SkipReason::Gone => Ok(()),
                failure => Err(failure.into_error(self.uri(key), &self.name)),
            },
        }
    }

    /// All objects whose keys begin with a prefix, in the order of their keys. For folders that are known to be small.
    pub fn list_all(&self, prefix: &str) -> Result<Vec<Stored>, S3Error> {
        let work = async {
            let mut found = Vec::new();
            let mut token = None;
            loop {
                let page = super::pages::get_all(self, prefix, token).await?;
                found.extend(page.entries.into_iter().map(|entry| Stored {
                    key: entry.key,
                    size: entry.size,
                    etag: entry.etag.map(String::from),
                }));
                token = page.next;
                if token.is_none() {
                    return Ok(found);
                }
            }
        };
        self.session.run(work).map_err(|failure: Failure| failure.into_error(self.uri(prefix), &self.name))
    }

    async fn get_small(&self, key: &str) -> Result<(Vec<u8>, String), Failure> {
        let mut tries = Tries::new(&self.session.shared.options.patience);
        loop {
            match self.get_small_once(key).await {
                Ok(found) => return Ok(found),
                Err(failure) => tries.after(failure).await?,
            }
        }
    }

    async fn get_small_once(&self, key: &str) -> Result<(Vec<u8>, String), Failure> {
        let request = self.client.get_object().bucket(&*self.name).key(key).set_request_payer(self.payer());
        let answer = request.send().await.map_err(|error| Failure::of(&error))?;
        let etag = answer.e_tag().unwrap_or_default().to_owned();
        let size = answer.content_length().and_then(|size| u64::try_from(size).ok()).unwrap_or(0);
        Ok((body::read(answer.body, size, &self.session.shared.options.patience).await?, etag))
    }
}
