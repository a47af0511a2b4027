//! `--format json`: one document, `keytrail.retire/1`.

use serde::Serialize;

use super::{Judged, Retirement};
use crate::report::{escape, human, wire};

/// Name and version of the document.
pub const SCHEMA: &str = "keytrail.retire/1";

/// The document, indented, with a line break at its end.
pub fn render(retirement: &Retirement) -> String {
    let report = &retirement.report;
    let document = Document {
        schema: SCHEMA,
        run: wire::Run::of(report),
        verdict: retirement.verdict().id(),
        soak_days: retirement.soak_days,
        attested: &retirement.attested,
        keys: retirement.keys.iter().map(Key::of).collect(),
        coverage: wire::Coverage::of(report),
        skipped: report.coverage.skipped.iter().map(wire::Skipped::of).collect(),
        notices: &report.notices,
    };
    // Wire types hold strings, numbers and lists only, which cannot fail to serialize.
    let mut text = escape::json_document(serde_json::to_string_pretty(&document).unwrap_or_default());
    text.push('\n');
    text
}

#[derive(Serialize)]
struct Document<'r> {
    schema: &'static str,
    run: wire::Run<'r>,
    verdict: &'static str,
    soak_days: u32,
    attested: &'r [String],
    keys: Vec<Key<'r>>,
    coverage: wire::Coverage<'r>,
    skipped: Vec<wire::Skipped<'r>>,
    notices: &'r [String],
}

#[derive(Serialize)]
struct Key<'r> {
    arn: &'r str,
    label: &'r str,
    verdict: &'static str,
    state: Option<&'static str>,
    state_since: Option<String>,
    /// Since when it cannot be used.
    off_since: Option<String>,
    deletion: Option<OfDeletion<'r>>,
    last_use: Option<String>,
    open_grants: Vec<OfGrantee<'r>>,
    reasons: Vec<OfReason<'r>>,
}

#[derive(Serialize)]
struct OfDeletion<'r> {
    /// Null while the waiting period has not begun, or is not known.
    date: Option<String>,
    waits_for_replicas: bool,
    cancel: &'r str,
}

#[derive(Serialize)]
struct OfGrantee<'r> {
    grantee: &'r str,
    grants: u64,
}

#[derive(Serialize)]
struct OfReason<'r> {
    kind: &'static str,
    verdict: &'static str,
    text: &'r str,
}

impl<'r> Key<'r> {
    fn of(key: &'r Judged) -> Self {
        let facts = &key.facts;
        let reason = |reason: &'r super::Reason| OfReason {
            kind: reason.kind,
            verdict: reason.verdict.id(),
            text: &reason.text,
        };
        Self {
            arn: &facts.arn,
            label: &facts.label,
            verdict: key.verdict.id(),
            state: facts.state.map(|(state, _)| state.id()),
            state_since: facts.state.map(|(_, at)| human::rfc3339(at)),
            off_since: facts.off_since.map(human::rfc3339),
            deletion: facts.deletion.as_ref().map(|deletion| OfDeletion {
                date: deletion.at.map(human::rfc3339),
                waits_for_replicas: deletion.waits_for_replicas,
                cancel: &deletion.cancel,
            }),
            last_use: facts.last_use.as_ref().map(|(at, _)| human::rfc3339(*at)),
            open_grants: facts.grants.iter().map(|(grantee, grants)| OfGrantee { grantee, grants: *grants }).collect(),
            reasons: key.reasons.iter().map(reason).collect(),
        }
    }
}
