//! What a run came to, and one renderer per format. Wire types live with their renderer; domain types are never serialized.

pub mod asff;
pub mod audit;
pub mod csv;
pub mod escape;
pub mod explain;
pub mod flat;
pub mod human;
pub mod inputs;
pub mod json;
pub mod keys;
pub mod ndjson;
pub mod ocsf;
pub mod parquet;
mod parts;
pub mod retire;
#[cfg(test)]
pub(crate) mod sample;
pub mod sarif;
pub mod text;
pub mod timeline;
pub mod verify;
mod wire;

use std::collections::BTreeMap;

use self::inputs::Inputs;
use crate::config::Applied;
use crate::finding::{Finding, Vouched};
use crate::integrity::Verdict;
use crate::view::Coverage;

/// Everything a renderer may show.
#[derive(Clone, Debug)]
pub struct Report {
    /// What ran.
    pub run: Run,
    /// What was looked at, and what was not.
    pub coverage: Coverage,
    /// Findings in output order.
    pub findings: Vec<Finding>,
    /// Suppressions of the configuration with what each of them hid, in their order.
    pub suppressions: Vec<Applied>,
    /// Things the user should know that are not findings: unused suppressions, options without effect.
    pub notices: Vec<String>,
    /// Every object, where the run remembers what it read.
    pub inputs: Option<Inputs>,
    /// Verdict over the period, when the logs were validated.
    pub integrity: Option<Integrity>,
}

impl Report {
    /// Objects whose records were read, by what the digests say of them.
    pub fn vouched(&self) -> BTreeMap<Vouched, u64> {
        self.inputs.as_ref().map(Inputs::tally).unwrap_or_default()
    }
}

/// What ran, with which settings.
#[derive(Clone, Debug)]
pub struct Run {
    /// Version of keytrail.
    pub version: &'static str,
    /// Digest of the effective settings, hex.
    pub settings_digest: String,
    /// Instant that "overdue", "open" and "unused" count from, milliseconds since the epoch; `None` when nothing was read.
    pub as_of: Option<i64>,
    /// Start of the reported period, when one was asked for.
    pub from: Option<i64>,
    /// End of the reported period, when one was asked for.
    pub to: Option<i64>,
    /// Sources as the user named them.
    pub sources: Vec<String>,
    /// Rules that ran.
    pub rules_run: Vec<&'static str>,
    /// Rules that did not run, with the reason.
    pub rules_skipped: Vec<(&'static str, String)>,
}

/// What validating the logs came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Integrity {
    /// Over the period, as `keytrail verify` would say it.
    pub verdict: Verdict,
    /// How many things are wrong.
    pub problems: u64,
    /// The first of them, in words.
    pub first: Vec<String>,
    /// Objects whose records were read from a lake: their hashes are of when it was filled.
    pub from_lake: u64,
}
