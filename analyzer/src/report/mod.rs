//! What a run came to, and one renderer per format. Wire types live with their renderer; domain types are never serialized.

pub mod asff;
pub mod audit;
pub mod csv;
pub mod escape;
pub mod explain;
pub mod flat;
pub mod human;
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

use crate::finding::Finding;
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
    /// Things the user should know that are not findings: unused suppressions, options without effect.
    pub notices: Vec<String>,
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
