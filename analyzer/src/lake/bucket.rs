//! A lake in S3.

use std::io::{self, Read as _};
use std::path::PathBuf;

use super::store::{Entry, Fetching, Store, StoreError, Tag, Wanted, When};
use crate::decode::SkipReason;
use crate::source::s3::{Body, Bucket, Condition, S3Error, S3Url};

/// A prefix of a bucket as a [`Store`]. S3 compares and swaps by itself: `If-Match` and `If-None-Match`.
#[derive(Clone, Debug)]
pub struct BucketFolder {
    bucket: Bucket,
    /// Ends with a slash, unless it is empty.
    prefix: String,
}

impl BucketFolder {
    /// The store below a prefix.
    pub fn new(bucket: Bucket, url: &S3Url) -> Self {
        let mut prefix = url.prefix.clone();
        if !prefix.is_empty() && !prefix.ends_with('/') {
            prefix.push('/');
        }
        Self { bucket, prefix }
    }

    fn key(&self, path: &str) -> String {
        format!("{}{path}", self.prefix)
    }

    fn failed(&self, path: &str, error: S3Error) -> StoreError {
        let path = format!("s3://{}/{}", self.bucket.name(), self.key(path));
        match error {
            S3Error::Conflict(_) => StoreError::Conflict { path },
            error => StoreError::Failed { path, error: io::Error::other(error) },
        }
    }
}

impl Store for BucketFolder {
    fn get(&self, path: &str) -> Result<Option<(Vec<u8>, Tag)>, StoreError> {
        let found = self.bucket.get(&self.key(path)).map_err(|error| self.failed(path, error))?;
        Ok(found.map(|(bytes, etag)| (bytes, Tag(etag))))
    }

    fn put(&self, path: &str, bytes: &[u8], when: When<'_>) -> Result<Tag, StoreError> {
        let condition = match when {
            When::Always => Condition::Always,
            When::Absent => Condition::Absent,
            When::Matches(tag) => Condition::Matches(tag.0.clone()),
        };
        let conditional = !matches!(when, When::Always);
        match self.bucket.put(&self.key(path), bytes.to_vec(), condition) {
            Ok(etag) => Ok(Tag(etag)),
            Err(error @ S3Error::Conflict(_)) if conditional => {
                // A request that was repeated may be in conflict with itself: then what stands there is what was written.
                match self.get(path)? {
                    Some((found, tag)) if found == bytes => Ok(tag),
                    _ => Err(self.failed(path, error)),
                }
            }
            Err(error) => Err(self.failed(path, error)),
        }
    }

    fn put_all(&self, files: Vec<(String, Vec<u8>)>) -> Result<(), StoreError> {
        let files = files.into_iter().map(|(path, bytes)| (self.key(&path), bytes)).collect();
        self.bucket.put_all(files).map_err(|error| self.failed("", error))
    }

    fn delete(&self, path: &str) -> Result<(), StoreError> {
        self.bucket.delete(&self.key(path)).map_err(|error| self.failed(path, error))
    }

    fn list(&self, folder: &str) -> Result<Vec<Entry>, StoreError> {
        let found = self.bucket.list_all(&self.key(folder)).map_err(|error| self.failed(folder, error))?;
        let entry = |key: &str, size| Some(Entry { path: key.strip_prefix(&self.prefix)?.to_owned(), size });
        Ok(found.iter().filter_map(|stored| entry(&stored.key, stored.size)).collect())
    }

    fn describe(&self) -> String {
        format!("s3://{}/{}", self.bucket.name(), self.prefix)
    }

    fn fetch(&self, files: Vec<Wanted>) -> Option<Fetching> {
        let folder = self.clone();
        let paths: foldhash::HashMap<u32, String> =
            files.iter().map(|file| (file.number, self.key(&file.path))).collect();
        let keys: Vec<_> = files.into_iter().map(|file| (file.number, self.key(&file.path), file.size)).collect();
        let fetched = self.bucket.fetch(keys.into_iter());
        Some(Box::new(fetched.map(move |fetched| {
            let failed = |error: io::Error| {
                let key = paths.get(&fetched.index).map_or("", String::as_str);
                StoreError::Failed { path: format!("s3://{}/{key}", folder.bucket.name()), error }
            };
            let content = match fetched.body {
                Body::Bytes(held) => Ok(Some(held.to_vec())),
                Body::Spooled(mut file) => {
                    let mut bytes = Vec::new();
                    file.read_to_end(&mut bytes).map(|_| Some(bytes)).map_err(failed)
                }
                Body::Failed { reason: SkipReason::Gone, .. } => Ok(None),
                Body::Failed { detail, .. } => Err(failed(io::Error::other(detail))),
            };
            (fetched.index, content)
        })))
    }

    fn local_path(&self, _path: &str) -> Option<PathBuf> {
        None
    }
}
