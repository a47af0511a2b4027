//! `keytrail verify`: whether logs are what CloudTrail delivered.

mod json;
mod text;

pub use json::{SCHEMA, render as json};
pub use text::render as text;

use crate::integrity::{Scope, Verdicts};

/// What verifying came to, and what was looked at.
#[derive(Clone, Debug)]
pub struct Verification {
    /// Version of keytrail.
    pub version: &'static str,
    /// Sources as the user named them.
    pub sources: Vec<String>,
    /// The period asked for.
    pub scope: Scope,
    /// Public keys that were given.
    pub keys: usize,
    /// The verdicts.
    pub verdicts: Verdicts,
    /// Things the user should know that are no problem.
    pub notices: Vec<String>,
}
