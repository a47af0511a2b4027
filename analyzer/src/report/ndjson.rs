//! `--format ndjson`: one finding per line, then one line about the run, `keytrail.coverage/1`. A reader that has seen the
//! last line knows that nothing was cut off.

use serde::Serialize;

use super::{Report, wire};
use crate::finding::Finding;

/// Name and version of the last line. Lines before it are findings as in `keytrail.scan/1`.
pub const SCHEMA: &str = "keytrail.coverage/1";

/// All lines.
pub fn render(report: &Report) -> String {
    let mut lines = String::new();
    for finding in &report.findings {
        lines.push_str(&line(finding));
        lines.push('\n');
    }
    lines.push_str(&last_line(report));
    lines.push('\n');
    lines
}

/// One finding, without the end of the line.
pub fn line(finding: &Finding) -> String {
    wire::to_json(&wire::Finding::of(finding))
}

/// The line about the run: also what the Parquet file carries as metadata.
pub(super) fn last_line(report: &Report) -> String {
    wire::to_json(&Last {
        schema: SCHEMA,
        run: wire::Run::of(report),
        coverage: wire::Coverage::of(report),
        findings: report.findings.len(),
        skipped: report.coverage.skipped.iter().map(wire::Skipped::of).collect(),
        notices: &report.notices,
    })
}

/// The last line.
#[derive(Serialize)]
struct Last<'r> {
    /// [`SCHEMA`].
    schema: &'static str,
    /// What ran, with which settings.
    run: wire::Run<'r>,
    /// What was looked at, and what was not.
    coverage: wire::Coverage<'r>,
    /// Number of findings on the lines before.
    findings: usize,
    /// Every object that gave no records, with the reason.
    skipped: Vec<wire::Skipped<'r>>,
    /// Things the user should know that are not findings.
    notices: &'r [String],
}
