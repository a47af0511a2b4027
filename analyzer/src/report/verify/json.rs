//! `--format json`: one document, `keytrail.verify/1`.

use serde::Serialize;

use super::Verification;
use crate::integrity::{Interval, Problem, Tally};
use crate::report::{escape, human};

/// Name and version of the document.
pub const SCHEMA: &str = "keytrail.verify/1";

/// The document, indented, with a line break at its end.
pub fn render(verification: &Verification) -> String {
    let Verification { version, sources, scope, keys, verdicts, notices } = verification;
    let document = Document {
        schema: SCHEMA,
        run: Run {
            version,
            sources,
            from: scope.from.map(human::rfc3339),
            to: scope.to.map(human::rfc3339),
            public_keys: *keys,
        },
        verdict: verdicts.verdict.id(),
        logs: Logs { tally: Counts::of(verdicts.logs), pending: verdicts.pending, uncovered: verdicts.uncovered },
        digests: Counts::of(verdicts.digests),
        problems: verdicts.problems.iter().map(Wrong::of).collect(),
        intervals: verdicts.intervals.iter().map(Stretch::of).collect(),
        notices,
    };
    // Wire types hold strings, numbers and lists only, which cannot fail to serialize.
    let mut text = escape::json_document(serde_json::to_string_pretty(&document).unwrap_or_default());
    text.push('\n');
    text
}

#[derive(Serialize)]
struct Document<'r> {
    schema: &'static str,
    run: Run<'r>,
    verdict: &'static str,
    logs: Logs,
    digests: Counts,
    problems: Vec<Wrong<'r>>,
    intervals: Vec<Stretch<'r>>,
    notices: &'r [String],
}

#[derive(Serialize)]
struct Run<'r> {
    version: &'r str,
    sources: &'r [String],
    from: Option<String>,
    to: Option<String>,
    public_keys: usize,
}

#[derive(Serialize)]
struct Logs {
    #[serde(flatten)]
    tally: Counts,
    /// In no digest yet: delivered after the last one.
    pending: u64,
    /// Of a time that no digest covers.
    uncovered: u64,
}

#[derive(Serialize)]
struct Counts {
    valid: u64,
    invalid: u64,
    missing: u64,
    unproven: u64,
}

impl Counts {
    fn of(tally: Tally) -> Self {
        let Tally { valid, invalid, missing, unproven } = tally;
        Self { valid, invalid, missing, unproven }
    }
}

#[derive(Serialize)]
struct Wrong<'r> {
    kind: &'static str,
    verdict: &'static str,
    object: &'r str,
    account: &'r str,
    region: &'r str,
    from: Option<String>,
    to: Option<String>,
    detail: &'r str,
}

impl<'r> Wrong<'r> {
    fn of(problem: &'r Problem) -> Self {
        Self {
            kind: problem.kind.id(),
            verdict: problem.verdict.id(),
            object: &problem.object,
            account: &problem.account,
            region: &problem.region,
            from: problem.from.map(human::rfc3339),
            to: problem.to.map(human::rfc3339),
            detail: &problem.detail,
        }
    }
}

#[derive(Serialize)]
struct Stretch<'r> {
    account: &'r str,
    region: &'r str,
    organization: Option<&'r str>,
    trail: &'r str,
    home_region: &'r str,
    backfill: bool,
    from: String,
    to: String,
    verdict: &'static str,
    digests: u64,
    logs: u64,
}

impl<'r> Stretch<'r> {
    fn of(interval: &'r Interval) -> Self {
        let Interval { stream, from, to, verdict, digests, logs } = interval;
        Self {
            account: &stream.account,
            region: &stream.region,
            organization: stream.organization.as_deref(),
            trail: &stream.trail,
            home_region: &stream.home,
            backfill: stream.backfill,
            from: human::rfc3339(*from),
            to: human::rfc3339(*to),
            verdict: verdict.id(),
            digests: *digests,
            logs: *logs,
        }
    }
}
