//! `--format json`: one document, `keytrail.retire/1`.

use serde::Serialize;

use super::{Held, Judged, Retirement};
use crate::inventory::Stamp;
use crate::report::keys::Facts;
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
    /// When it came to be so; null where the log does not show it.
    state_since: Option<String>,
    /// When KMS said so; null where the log tells it.
    state_captured_at: Option<String>,
    /// Since when it cannot be used.
    off_since: Option<String>,
    deletion: Option<OfDeletion<'r>>,
    last_use: Option<String>,
    open_grants: Vec<OfGrantee<'r>>,
    aliases: &'r [String],
    /// Whom outside of its account the last known policy lets in.
    lets_in: &'r [String],
    reasons: Vec<OfReason<'r>>,
    /// What KMS said of it, with the source and the time of each; not there without an inventory.
    #[serde(skip_serializing_if = "Option::is_none")]
    inventory: Option<Facts<'r>>,
}

#[derive(Serialize)]
struct OfDeletion<'r> {
    /// Null while the waiting period has not begun, or is not known.
    date: Option<String>,
    waits_for_replicas: bool,
    /// When KMS gave the date; null where it follows from the call in the log.
    captured_at: Option<String>,
    cancel: &'r str,
}

#[derive(Serialize)]
struct OfGrantee<'r> {
    grantee: &'r str,
    grants: u64,
    /// Of these, grants that only KMS told.
    not_in_log: u64,
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
        let stands = facts.stands.as_ref();
        let at = |stamp: &Stamp| human::rfc3339(stamp.captured_at);
        let of_grantee = |(grantee, held): (&'r String, &'r Held)| OfGrantee {
            grantee,
            grants: held.grants,
            not_in_log: held.unseen,
        };
        let reason = |reason: &'r super::Reason| OfReason {
            kind: reason.kind,
            verdict: reason.verdict.id(),
            text: &reason.text,
        };
        Self {
            arn: &facts.arn,
            label: &facts.label,
            verdict: key.verdict.id(),
            state: stands.map(|stands| stands.state.id()),
            state_since: stands.and_then(|stands| stands.since).map(human::rfc3339),
            state_captured_at: stands.and_then(|stands| stands.said.as_ref()).map(at),
            off_since: facts.off.map(|off| human::rfc3339(off.since)),
            deletion: facts.deletion.as_ref().map(|deletion| OfDeletion {
                date: deletion.at.map(human::rfc3339),
                waits_for_replicas: deletion.waits_for_replicas,
                captured_at: deletion.said.as_ref().map(at),
                cancel: &deletion.cancel,
            }),
            last_use: facts.last_use.as_ref().map(|(at, _)| human::rfc3339(*at)),
            open_grants: facts.grants.iter().map(of_grantee).collect(),
            aliases: &facts.aliases,
            lets_in: &facts.others,
            inventory: facts.inventory.as_deref().map(Facts::of),
            reasons: key.reasons.iter().map(reason).collect(),
        }
    }
}
