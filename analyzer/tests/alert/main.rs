//! Alerts: who is told, how, and once. Sinks are real: webhooks of an HTTP server in this process.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]
#![cfg(feature = "alert")]

mod command;
mod crash;
mod evidence;
mod make;
mod messages;
mod rehearse;
mod server;
mod silence;
mod story;
mod together;
mod trouble;
mod web;
