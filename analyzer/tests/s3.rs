//! S3 as a source, against a real S3 server in this process, which can be told to fail.
#![cfg(feature = "aws")]
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

#[path = "s3/faults.rs"]
mod faults;
#[path = "s3/fetching.rs"]
mod fetching;
#[path = "s3/listing.rs"]
mod listing;
#[path = "s3/storing.rs"]
mod storing;
#[path = "support/s3/mod.rs"]
#[expect(dead_code, reason = "what only whole runs ask for")]
mod support;

use support::{buckets, server};
