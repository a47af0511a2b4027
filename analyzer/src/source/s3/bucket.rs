//! One bucket and its client.

use std::sync::Arc;

use aws_sdk_s3::Client;
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::types::RequestPayer;

use super::error::Failure;
use super::{Fetch, S3Error, Session};
use crate::source::{Object, Place};

/// A bucket that is there, with a client for its Region. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Bucket {
    pub(super) session: Session,
    pub(super) name: Arc<str>,
    pub(super) client: Client,
}

impl Bucket {
    /// Its name, or the ARN of the access point.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its Region.
    pub fn region(&self) -> Option<&str> {
        self.client.config().region().map(AsRef::as_ref)
    }

    /// Fetches objects of known keys and sizes, many at a time, in the order in which they arrive.
    pub fn fetch(&self, keys: impl Iterator<Item = (u32, String, u64)> + Send + 'static) -> Fetch {
        let bucket = self.clone();
        self.session.fetch(keys.map(move |(number, key, size)| {
            let place = Place::S3(bucket.name.clone());
            let object =
                Object { uri: bucket.uri(&key), size: Some(size), skip: None, detail: None, etag: None, place };
            (number, object)
        }))
    }

    pub(super) fn payer(&self) -> Option<RequestPayer> {
        self.session.shared.options.request_payer.then_some(RequestPayer::Requester)
    }

    pub(super) fn uri(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.name)
    }
}

/// The client for the Region of a bucket. S3 names the Region in every answer, also where it refuses.
pub(super) async fn find(name: &str, client: impl Fn(Option<&str>) -> Client) -> Result<Client, S3Error> {
    if name.starts_with("arn:") {
        return Ok(client(name.split(':').nth(3)));
    }
    let first = client(None);
    let region = match first.head_bucket().bucket(name).send().await {
        Ok(found) => found.bucket_region().map(str::to_owned),
        Err(error) => {
            let answer = match &error {
                SdkError::ServiceError(service) => Some(service.raw()),
                SdkError::ResponseError(response) => Some(response.raw()),
                _ => None,
            };
            let status = answer.map(|answer| answer.status().as_u16());
            let region = answer.and_then(|answer| answer.headers().get("x-amz-bucket-region")).map(str::to_owned);
            match status {
                Some(404) => return Err(S3Error::NoSuchBucket(name.to_owned())),
                // Who may list some prefixes only is refused here, and another Region sends us away: listing will tell.
                Some(300..500) => region,
                _ => return Err(Failure::of(&error).into_error(format!("s3://{name}/"), name)),
            }
        }
    };
    let region = region.filter(|region| !region.is_empty());
    let here = first.config().region().map(AsRef::as_ref);
    Ok(if region.is_none() || region.as_deref() == here { first } else { client(region.as_deref()) })
}
