//! Keytrail as an AWS Lambda function: the pipeline of the library, run on every log file that is delivered.

pub mod environment;
pub mod envelope;
pub mod failure;
mod logs;
