//! The real `bootstrap` against a Runtime API and an S3 server, both in this process.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]
#![expect(
    clippy::disallowed_methods,
    reason = "deadlines and measurements are of the real time; a variable names the program"
)]

mod api;
mod backfill;
#[path = "../../../analyzer/tests/alert/server.rs"]
#[allow(dead_code, reason = "what only the tests of alerts ask for")]
mod hook;
#[path = "../../../analyzer/tests/support/s3/mod.rs"]
#[allow(dead_code, reason = "what only the tests of single requests ask for")]
mod s3;
mod trail;

mod delivery;
mod evaluation;
mod interleavings;
mod measure;
mod trouble;
