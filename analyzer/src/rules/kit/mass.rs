//! The same act on many keys by one principal within an hour: what is ordinary once is not ten times.

use std::collections::BTreeMap;

use super::context::{Context, short_principal};
use super::draft::Draft;
use super::time::{HOUR, instant, length, plural};
use crate::finding::{Confidence, Detail, Evidence, Principal, Role, Severity, plain};
use crate::rules::rule::{AccountView, Mention};
use crate::view::KeyView;
use crate::view::ledger::ControlEvent;

/// One act on one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    /// When, milliseconds.
    pub at: i64,
    /// Who.
    pub by: Principal,
    /// The record.
    pub evidence: Evidence,
}

impl Act {
    /// From the call itself.
    pub fn of(control: &ControlEvent, cx: &Context<'_>) -> Self {
        let evidence = cx.control_evidence(control, Role::Cause);
        Self { at: control.event.time, by: cx.principal(&control.actor), evidence }
    }
}

/// What a key contributes: its acts, and whether something used it shortly before.
pub fn mention(key: &KeyView, acts: Vec<Act>, in_use: bool) -> Option<Mention> {
    (!acts.is_empty()).then(|| Mention {
        arn: key.arn.clone(),
        label: key.label().to_string(),
        count: acts.len() as u64,
        amount: u64::from(in_use),
        acts,
    })
}

/// How a rule speaks of many acts.
#[derive(Clone, Copy, Debug)]
pub struct Words {
    /// The call.
    pub call: &'static str,
    /// What became of the keys: `scheduled for deletion`.
    pub done: &'static str,
    /// Severity when none of the keys was in use.
    pub idle: Severity,
    /// Severity when one was.
    pub in_use: Severity,
    /// What to do.
    pub remediation: &'static str,
}

/// One finding for each principal and run of acts with less than an hour between, of at least so many keys.
pub fn findings(view: &AccountView<'_>, least: u64, words: &Words) -> Vec<Draft> {
    let mut by: BTreeMap<&str, Vec<(&Act, &Mention)>> = BTreeMap::new();
    for mention in view.mentions {
        for act in mention.acts.iter().filter(|act| !act.by.arn.is_empty()) {
            by.entry(act.by.arn.as_str()).or_default().push((act, mention));
        }
    }
    let mut drafts = Vec::new();
    for (principal, mut acts) in by {
        acts.sort_by(|a, b| (a.0.at, &a.0.evidence.event_id).cmp(&(b.0.at, &b.0.evidence.event_id)));
        let runs = acts.chunk_by(|a, b| b.0.at - a.0.at < HOUR);
        drafts.extend(runs.filter_map(|run| finding(view, principal, run, least, words)));
    }
    drafts
}

fn finding(
    view: &AccountView<'_>,
    principal: &str,
    run: &[(&Act, &Mention)],
    least: u64,
    words: &Words,
) -> Option<Draft> {
    let keys: BTreeMap<&str, &Mention> = run.iter().map(|(_, mention)| (mention.arn.as_str(), *mention)).collect();
    let ((first, _), (last, _)) = (run.first()?, run.last()?);
    if (keys.len() as u64) < least {
        return None;
    }
    let used = keys.values().filter(|mention| mention.amount > 0).count() as u64;
    let severity = if used > 0 { words.in_use } else { words.idle };
    let mut draft = Draft::of_account(view.account, view.region, severity, Confidence::High);
    draft.subject = vec!["many-keys".into(), principal.to_string()];
    draft.anchor = first.evidence.event_id.clone();
    draft.principal = Some(first.by.clone());
    (draft.first_seen, draft.last_seen) = (first.at, last.at);
    draft.count = run.len() as u64;
    draft.title = format!(
        "{} {} by {} within {} from {}",
        plural(keys.len() as u64, "key"),
        words.done,
        short_principal(principal),
        length((last.at - first.at).max(1_000)),
        instant(first.at)
    );
    let labels: Vec<_> = keys.values().take(5).map(|mention| plain(&mention.label)).collect();
    let more = keys.len() - labels.len();
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    draft.fact("keys", format!("{}{rest}", labels.join(", ")));
    draft.fact("in use", format!("{used} of them shortly before"));
    draft.fact("calls", format!("{} × {}", run.len(), words.call));
    draft.detail("keys", Detail::List(keys.keys().take(100).map(|arn| Detail::Text((*arn).to_string())).collect()));
    draft.detail("keys_total", Detail::Int(keys.len() as i64));
    draft.detail("keys_in_use", Detail::Int(used as i64));
    draft.evidence = run.iter().take(20).map(|(act, _)| act.evidence.clone()).collect();
    draft.remediation = format!(
        "If this was not meant to happen, end the sessions of {} first; then, for each key of {}: {}",
        short_principal(principal),
        plain(view.region),
        words.remediation
    );
    Some(draft)
}
