//! Keytrail as an AWS Lambda function: the pipeline of the library, run on every log file that is delivered.

mod backfill;
mod drill;
pub mod envelope;
pub mod environment;
pub mod failure;
pub mod handler;
mod logs;
mod process;
pub mod self_test;
pub mod shell;
pub mod telemetry;

pub use process::run;
