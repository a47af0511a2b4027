//! The lake's storage: what is written is read back, whatever breaks in between.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

#[path = "../support/content.rs"]
mod content;
mod crash;
mod files;
mod support;
mod together;
