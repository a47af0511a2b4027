//! `keytrail ingest` is killed at random moments: the next run goes on from there, and in the end the lake is the one that
//! an undisturbed run makes.
//!
//! `KEYTRAIL_KILLS` says how many kills each test makes, `KEYTRAIL_SEED` which moments; a failure tells its seed.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]
#![expect(
    clippy::disallowed_methods,
    reason = "moments are measured, and counts are asked for by environment variables"
)]
#![expect(clippy::print_stderr, reason = "a test at random says where it was")]

#[path = "../support/content.rs"]
mod content;
#[path = "../support/moments.rs"]
mod moments;
#[path = "../support/run.rs"]
#[allow(dead_code, reason = "not every test needs all of it")]
mod run;

mod compacting;
mod filling;
mod place;
mod together;
