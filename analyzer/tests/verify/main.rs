//! `keytrail verify` on really signed chains: what was tampered with is caught and named, what was not is not.
//!
//! `KEYTRAIL_CHAINS` says how many clean chains are verified (default 100; 1000 for the whole claim);
//! `KEYTRAIL_OBJECTS` how many objects are verified behind latency (default 480). With it the same objects are verified one at a
//! time too, and the ratio has to be ten: `KEYTRAIL_OBJECTS=10000 cargo test --release -p keytrail --test verify at_a_time`.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]
#![expect(clippy::disallowed_methods, reason = "counts are asked for by an environment variable")]

#[path = "../support/run.rs"]
#[allow(dead_code, reason = "shared with tests that need more of it")]
mod run;
#[cfg(feature = "aws")]
#[path = "../support/s3/mod.rs"]
#[allow(dead_code, reason = "shared with tests that need more of it")]
mod s3;

#[cfg(feature = "aws")]
mod bucket;
mod clean;
mod command;
mod evidence;
mod keys;
mod lakes;
mod period;
mod place;
mod report;
mod tamper;
mod unlisted;
