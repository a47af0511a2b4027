//! A lake is a source like the logs it was made of: the same findings, the same coverage, the same bytes.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

#[path = "../support/logs.rs"]
mod logs;
#[path = "../support/run.rs"]
mod run;

mod refusals;
mod same;
mod steps;
mod trouble;
