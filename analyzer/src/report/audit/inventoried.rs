//! What an inventory adds to a report: which keys must be there, and whether grants and policies that are older than the
//! logs were looked at.

use std::collections::BTreeSet;

use maud::{Markup, html};

use super::expected::some;
use super::html::text;
use crate::inventory::{Inventory, KeyFacts};
use crate::report::{Report, human};
use crate::view::Coverage;
use crate::view::inventory::{KeyRow, Manager};

/// An inventory against the accounts and Regions that were read.
#[derive(Debug, Default)]
pub(super) struct Inventoried {
    /// Customer managed keys that it has, by ARN; none without an inventory.
    pub(super) keys: Option<BTreeSet<String>>,
    /// What keeps it from being all: nothing when it is.
    pub(super) missing: Vec<String>,
}

impl Inventoried {
    pub(super) fn of(report: &Report, rows: &[KeyRow]) -> Self {
        let Some(inventory) = report.coverage.inventory.as_deref() else {
            let what =
                "grants and policies older than the log were not looked at: events show changes, not what stands";
            return Self { keys: None, missing: vec![what.into()] };
        };
        // Rows are of the accounts and Regions that were asked for.
        let own: Vec<&KeyFacts> = rows
            .iter()
            .filter_map(|row| row.facts.as_deref())
            .filter(|facts| facts.kind.as_ref().is_none_or(|kind| kind.value.manager.as_deref() != Some("AWS")))
            .collect();
        let missing = [unlisted(report, inventory), unanswered(&own), older_than_the_log(report, &own)];
        let missing = missing.into_iter().chain(gone_before(report, rows)).flatten().collect();
        Self { keys: Some(own.into_iter().map(|facts| facts.arn.clone()).collect()), missing }
    }
}

fn unlisted(report: &Report, inventory: &Inventory) -> Option<String> {
    let places = report.coverage.days.keys().filter(|(account, region)| inventory.listed(account, region).is_none());
    let places: Vec<String> = places.map(|(account, region)| format!("{account} {region}")).collect();
    (!places.is_empty()).then(|| format!("the inventory does not list all keys of {}", some(&places)))
}

/// Keys of which KMS did not tell policy or grants, and why not.
fn unanswered(keys: &[&KeyFacts]) -> Option<String> {
    let mut open = Vec::new();
    for facts in keys {
        let calls = [("GetKeyPolicy", facts.policy.is_none()), ("ListGrants", facts.grants.is_none())];
        for (call, _) in calls.into_iter().filter(|(_, absent)| *absent) {
            let refusal = facts.refused.iter().find(|refusal| refusal.call.id() == call);
            let why = refusal.map_or("not asked", |refusal| refusal.reason.as_str());
            open.push(format!("{call} of {} ({why})", facts.arn));
        }
    }
    (!open.is_empty()).then(|| format!("the inventory has no answer to {}", some(&open)))
}

/// Changes between an answer and the log are in neither.
fn older_than_the_log(report: &Report, keys: &[&KeyFacts]) -> Option<String> {
    let (from, _) = report.coverage.span?;
    let mut older = Vec::new();
    for facts in keys {
        let policy = facts.policy.as_ref().map(|fact| fact.stamp.captured_at);
        let grants = facts.grants.as_ref().map(|fact| fact.stamp.captured_at);
        for (call, at) in [("GetKeyPolicy", policy), ("ListGrants", grants)] {
            if let Some(at) = at.filter(|at| *at < from) {
                older.push(format!("{call} of {} ({} UTC)", facts.arn, human::time(at)));
            }
        }
    }
    (!older.is_empty()).then(|| format!("the inventory is older than the log, which begins later: {}", some(&older)))
}

/// Grants and policies that stood when the period began and were gone before KMS was asked.
fn gone_before(report: &Report, rows: &[KeyRow]) -> [Option<String>; 2] {
    let within = |at: i64| report.run.from.is_none_or(|from| at >= from) && report.run.to.is_none_or(|to| at < to);
    let (mut grants, mut policies) = (Vec::new(), Vec::new());
    for row in rows.iter().filter(|row| row.manager != Some(Manager::Aws)) {
        let ended = row.unseen.grants.iter().filter(|at| within(**at)).count() as u64;
        if ended > 0 {
            grants.push(format!("{} of {}", human::number(ended), row.arn));
        }
        if let Some(at) = row.unseen.policy.filter(|at| within(*at)) {
            policies.push(format!("{} (until {} UTC)", row.arn, human::time(at)));
        }
    }
    let tell = |all: Vec<String>, what: &str| {
        (!all.is_empty())
            .then(|| format!("{what} were made before the logs and gone before KMS was asked: {}", some(&all)))
    };
    [tell(grants, "grants that nobody saw"), tell(policies, "policies that nobody saw")]
}

/// Contradictions that the page names one by one.
const SHOWN: usize = 20;

/// What was given, for the scope of the report, and where log and inventory disagree.
pub(super) fn scope(coverage: &Coverage) -> Markup {
    let Some(inventory) = &coverage.inventory else { return html! {} };
    let span = |(from, to)| format!("; KMS said it from {} to {} UTC", human::time(from), human::time(to));
    let all = coverage.contradictions.len();
    html! {
        dt { "Inventory" }
        dd {
            (human::count(inventory.keys.len() as u64, "key")) " in " (human::count(inventory.files, "file"))
            (inventory.span.map(span).unwrap_or_default()) "; SHA-256 " span.id { (inventory.digest) }
            "; each fact counts for the time at which KMS said it, never for before"
        }
        @if all > 0 {
            dt { "Log and inventory disagree" }
            dd {
                ul { @for (key, one) in coverage.contradictions.iter().take(SHOWN) {
                    li { span.id { (text(key)) } ": " (one.about) ": " (text(&one.log)) " in the log, " (text(&one.inventory)) " in the inventory of " (human::time(one.stamp.captured_at)) " UTC" @if !one.log_reaches { "; the log ends before" } }
                } }
                @if all > SHOWN { p { "and " (all - SHOWN) " more in the JSON" } }
            }
        }
    }
}
