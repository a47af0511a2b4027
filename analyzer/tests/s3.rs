//! S3 as a source, against a real S3 server in this process, which can be told to fail.
#![cfg(feature = "aws")]
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

#[path = "s3/buckets.rs"]
mod buckets;
#[path = "s3/faults.rs"]
mod faults;
#[path = "s3/fetching.rs"]
mod fetching;
#[path = "s3/listing.rs"]
mod listing;
#[path = "s3/server.rs"]
mod server;
#[path = "s3/storing.rs"]
mod storing;
