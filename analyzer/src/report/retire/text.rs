//! `--format text`: the verdict, then why.

use std::collections::BTreeMap;

use super::{Deletion, Retirement, Stands, Verdict};
use crate::finding::word;
use crate::inventory::KeyFacts;
use crate::report::human;
use crate::report::text::page::{Page, Tone};
use crate::report::text::{Look, coverage};
use crate::rules::kit::time::length;

/// The verdicts.
pub fn render(retirement: &Retirement, look: Look) -> String {
    let mut page = Page::new(look);
    for key in &retirement.keys {
        let tone = if key.verdict == Verdict::Safe { Tone::Good } else { Tone::Caution };
        page.prose(0, tone, &format!("{}: {}", key.verdict.id(), key.facts.label));
        page.field("key", &key.facts.arn);
        page.field("state", &state(key.facts.stands.as_ref()));
        if let Some(deletion) = &key.facts.deletion {
            page.field("deletion", &when(deletion, retirement.report.run.as_of.unwrap_or_default()));
        }
        let last = key.facts.last_use.as_ref();
        page.field(
            "last use",
            &last.map_or("none seen".into(), |(at, who)| format!("{} UTC by {who}", human::time(*at))),
        );
        if !key.facts.aliases.is_empty() {
            page.field("names", &key.facts.aliases.join(", "));
        }
        if let Some(facts) = key.facts.inventory.as_deref() {
            page.field("KMS said", &said(facts));
        }
        for reason in &key.reasons {
            page.hang(2, Some((Tone::Faint, reason.verdict.id())), 12, Tone::Plain, &reason.text);
        }
        if let Some(deletion) = key.facts.deletion.as_ref().filter(|_| key.verdict != Verdict::Safe) {
            page.prose(
                2,
                Tone::Plain,
                "This cancels the deletion, and leaves the key disabled, so that the wait goes on:",
            );
            page.command(4, &deletion.cancel);
        }
        if key.verdict == Verdict::Safe {
            let text =
                format!("off for {} days and more, and nothing asked for it; nothing holds it", retirement.soak_days);
            page.prose(2, Tone::Plain, &text);
        }
        page.blank();
    }
    if !retirement.attested.is_empty() {
        page.field("vouched for", &retirement.attested.join(", "));
        page.blank();
    }
    coverage::print(&mut page, &retirement.report, &format!("retire --key {}", word(&retirement.asked)));
    page.finish()
}

fn when(deletion: &Deletion, as_of: i64) -> String {
    match deletion.at {
        Some(at) if at > as_of => {
            let said = deletion.said.as_ref();
            let by =
                said.map_or(String::new(), |stamp| format!(", as it said at {} UTC", human::time(stamp.captured_at)));
            format!("KMS deletes it at {} UTC, in {}{by}", human::time(at), length(at - as_of))
        }
        Some(at) => format!("the window is over since {} UTC: KMS deletes it, or has deleted it", human::time(at)),
        None if deletion.waits_for_replicas => "its waiting period begins when the last replica is deleted".into(),
        None => "scheduled; nothing tells when KMS deletes it".into(),
    }
}

fn state(stands: Option<&Stands>) -> String {
    match stands {
        None => "unknown".into(),
        Some(Stands { state, since: Some(at), .. }) => format!("{} since {} UTC", state.id(), human::time(*at)),
        Some(Stands { state, said, .. }) => {
            let when =
                said.as_ref().map_or("some time".into(), |stamp| format!("{} UTC", human::time(stamp.captured_at)));
            format!("{}, as KMS said at {when}", state.id())
        }
    }
}

/// What KMS was asked, by when it answered.
fn said(facts: &KeyFacts) -> String {
    let asked = [
        ("state", facts.standing.as_ref().map(|fact| &fact.stamp)),
        ("grants", facts.grants.as_ref().map(|fact| &fact.stamp)),
        ("policy", facts.policy.as_ref().map(|fact| &fact.stamp)),
        ("aliases", facts.aliases.as_ref().map(|fact| &fact.stamp)),
    ];
    let mut by: BTreeMap<(i64, &str), Vec<&str>> = BTreeMap::new();
    for (what, stamp) in asked {
        if let Some(stamp) = stamp {
            by.entry((stamp.captured_at, &*stamp.file)).or_default().push(what);
        }
    }
    let mut parts: Vec<String> = by
        .into_iter()
        .map(|((at, file), what)| format!("{} at {} UTC ({file})", what.join(", "), human::time(at)))
        .collect();
    parts.extend(facts.refused.iter().map(|refused| format!("{} not answered: {}", refused.call.id(), refused.reason)));
    if parts.is_empty() { "only that it is there".into() } else { parts.join("; ") }
}
