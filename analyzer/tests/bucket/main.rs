//! Buckets as users meet them: scans, ingests and lakes in S3, against a real S3 server in this process.
//!
//! `KEYTRAIL_OBJECTS` says how many objects the large bucket has, `KEYTRAIL_KILLS` how many kills are made.
#![cfg(feature = "aws")]
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]
#![expect(
    clippy::disallowed_methods,
    reason = "moments are measured, and counts are asked for by environment variables"
)]

#[path = "../support/content.rs"]
mod content;
#[path = "../support/moments.rs"]
#[expect(dead_code, reason = "what only local lakes can be watched for")]
mod moments;
#[path = "../support/run.rs"]
#[allow(dead_code, reason = "what only local tests ask for")]
mod run;
#[path = "../support/s3/mod.rs"]
#[expect(dead_code, reason = "what only the tests of single requests ask for")]
mod s3;

mod backfill;
mod lakes;
mod place;
mod question;
mod refused;
mod whole;
