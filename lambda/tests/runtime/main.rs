//! The real `bootstrap` against a Runtime API and an S3 server, both in this process.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]
#![expect(clippy::disallowed_methods, reason = "a deadline is a moment of the real time")]

mod api;
#[path = "../../../analyzer/tests/support/s3/mod.rs"]
#[allow(dead_code, reason = "what only the tests of single requests ask for")]
mod s3;
mod trail;

mod delivery;
mod evaluation;
mod trouble;
