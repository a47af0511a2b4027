//! Buckets in memory, behind the protocol that `s3s` speaks.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body_util::BodyExt;
use s3s::dto::*;
use s3s::{Body, S3, S3Request, S3Response, S3Result, s3_error};

/// An object as stored.
#[derive(Clone, Debug, Default)]
pub(crate) struct Thing {
    pub(crate) bytes: Bytes,
    pub(crate) class: Option<&'static str>,
    /// A copy out of an archive is there.
    pub(crate) is_restored: bool,
    /// What its owner wrote beside it.
    pub(crate) metadata: Vec<(String, String)>,
}

/// All objects, by bucket and key.
#[derive(Clone, Debug, Default)]
pub(crate) struct Buckets(pub(crate) Arc<Mutex<BTreeMap<String, BTreeMap<String, Thing>>>>);

impl Buckets {
    pub(crate) fn put(&self, bucket: &str, key: &str, bytes: impl Into<Bytes>) {
        self.put_thing(bucket, key, Thing { bytes: bytes.into(), ..Thing::default() });
    }

    pub(crate) fn put_thing(&self, bucket: &str, key: &str, thing: Thing) {
        self.0.lock().unwrap().entry(bucket.into()).or_default().insert(key.into(), thing);
    }

    pub(crate) fn remove(&self, bucket: &str, key: &str) {
        self.0.lock().unwrap().entry(bucket.into()).or_default().remove(key);
    }

    fn find(&self, bucket: &str, key: &str) -> S3Result<Thing> {
        let buckets = self.0.lock().unwrap();
        let objects = buckets.get(bucket).ok_or_else(|| s3_error!(NoSuchBucket))?;
        objects.get(key).cloned().ok_or_else(|| s3_error!(NoSuchKey))
    }
}

impl Thing {
    fn etag(&self) -> ETag {
        ETag::Strong(format!("{:08x}{:08x}", crc(&self.bytes), self.bytes.len()))
    }
}

fn crc(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

/// Base64 of four bytes.
fn checksum(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let number = u64::from(crc(bytes)) << 4;
    let digits = (0..6).rev().map(|digit| char::from(DIGITS[(number >> (digit * 6)) as usize & 63]));
    digits.chain("==".chars()).collect()
}

/// As S3 encodes keys in listings.
fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b' ' => "+".into(),
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'*' | b'/' => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}

fn matches(condition: &ETagCondition, thing: Option<&Thing>) -> bool {
    match (condition, thing) {
        (ETagCondition::Any, thing) => thing.is_some(),
        (ETagCondition::ETag(etag), Some(thing)) => *etag == thing.etag(),
        (ETagCondition::ETag(_), None) => false,
    }
}

#[async_trait::async_trait]
impl S3 for Buckets {
    async fn head_bucket(&self, request: S3Request<HeadBucketInput>) -> S3Result<S3Response<HeadBucketOutput>> {
        if !self.0.lock().unwrap().contains_key(&request.input.bucket) {
            return Err(s3_error!(NoSuchBucket));
        }
        Ok(S3Response::new(HeadBucketOutput { bucket_region: Some("eu-west-1".into()), ..Default::default() }))
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        let input = request.input;
        let buckets = self.0.lock().unwrap();
        let objects = buckets.get(&input.bucket).ok_or_else(|| s3_error!(NoSuchBucket))?;
        let prefix = input.prefix.clone().unwrap_or_default();
        let encoded = input.encoding_type.is_some();
        let text = |text: &str| if encoded { encode(text) } else { text.to_owned() };
        // A token says whether what it names is a key or a folder.
        let token = input.continuation_token.as_deref().map(|token| token.split_at(1));
        let (mut contents, mut folders, mut last, mut more) = (Vec::new(), Vec::<String>::new(), String::new(), false);
        for (key, thing) in objects.range(prefix.clone()..).take_while(|(key, _)| key.starts_with(&prefix)) {
            let is_behind = match (token, &input.start_after) {
                (Some(("F", folder)), _) => key.as_str() > folder && !key.starts_with(folder),
                (Some((_, token)), _) => key.as_str() > token,
                (None, Some(after)) => key > after,
                (None, None) => true,
            };
            let folder = input.delimiter.as_ref().and_then(|delimiter| {
                key[prefix.len()..].find(delimiter.as_str()).map(|at| &key[..prefix.len() + at + 1])
            });
            if !is_behind || folder.is_some_and(|folder| folders.last().is_some_and(|last| last == folder)) {
                continue;
            }
            if contents.len() + folders.len() == 1000 {
                more = true;
                break;
            }
            match folder {
                Some(folder) => {
                    folders.push(folder.to_owned());
                    last = format!("F{folder}");
                }
                None => {
                    contents.push(Object {
                        key: Some(text(key)),
                        size: Some(thing.bytes.len() as i64),
                        e_tag: Some(thing.etag()),
                        storage_class: thing.class.map(|class| class.to_owned().into()),
                        restore_status: thing.is_restored.then(|| RestoreStatus {
                            is_restore_in_progress: Some(false),
                            restore_expiry_date: Some(std::time::SystemTime::UNIX_EPOCH.into()),
                        }),
                        ..Default::default()
                    });
                    last = format!("K{key}");
                }
            }
        }
        Ok(S3Response::new(ListObjectsV2Output {
            is_truncated: Some(more),
            next_continuation_token: more.then_some(last),
            contents: Some(contents),
            common_prefixes: Some(folders.iter().map(|folder| CommonPrefix { prefix: Some(text(folder)) }).collect()),
            encoding_type: input.encoding_type,
            ..Default::default()
        }))
    }

    async fn get_object(&self, request: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        let input = request.input;
        let thing = self.find(&input.bucket, &input.key)?;
        if input.if_match.as_ref().is_some_and(|condition| !matches(condition, Some(&thing))) {
            return Err(s3_error!(PreconditionFailed));
        }
        let size = thing.bytes.len();
        let range =
            input.range.map(|range| range.check(size as u64)).transpose().map_err(|_| s3_error!(InvalidRange))?;
        let bytes = match &range {
            Some(range) => thing.bytes.slice(range.start as usize..range.end as usize),
            None => thing.bytes.clone(),
        };
        Ok(S3Response::new(GetObjectOutput {
            content_length: Some(bytes.len() as i64),
            content_range: range.as_ref().map(|range| format!("bytes {}-{}/{size}", range.start, range.end - 1)),
            checksum_crc32: range.is_none().then(|| checksum(&bytes)),
            e_tag: Some(thing.etag()),
            metadata: Some(thing.metadata.iter().cloned().collect()),
            body: Some(StreamingBlob::from(Body::from(bytes))),
            ..Default::default()
        }))
    }

    async fn head_object(&self, request: S3Request<HeadObjectInput>) -> S3Result<S3Response<HeadObjectOutput>> {
        let thing = self.find(&request.input.bucket, &request.input.key)?;
        Ok(S3Response::new(HeadObjectOutput {
            content_length: Some(thing.bytes.len() as i64),
            e_tag: Some(thing.etag()),
            metadata: Some(thing.metadata.iter().cloned().collect()),
            ..Default::default()
        }))
    }

    async fn put_object(&self, request: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        let input = request.input;
        let bytes = match input.body {
            Some(body) => Body::from(body).collect().await.map_err(|_| s3_error!(IncompleteBody))?.to_bytes(),
            None => Bytes::new(),
        };
        let mut buckets = self.0.lock().unwrap();
        let objects = buckets.get_mut(&input.bucket).ok_or_else(|| s3_error!(NoSuchBucket))?;
        let before = objects.get(&input.key);
        if input.if_match.is_some() && before.is_none() {
            return Err(s3_error!(NoSuchKey));
        }
        if input.if_match.is_some_and(|condition| !matches(&condition, before))
            || input.if_none_match.is_some_and(|condition| matches(&condition, before))
        {
            return Err(s3_error!(PreconditionFailed));
        }
        let thing = Thing { bytes, ..Thing::default() };
        let etag = thing.etag();
        objects.insert(input.key, thing);
        Ok(S3Response::new(PutObjectOutput { e_tag: Some(etag), ..Default::default() }))
    }

    async fn delete_object(&self, request: S3Request<DeleteObjectInput>) -> S3Result<S3Response<DeleteObjectOutput>> {
        self.remove(&request.input.bucket, &request.input.key);
        Ok(S3Response::new(DeleteObjectOutput::default()))
    }
}
