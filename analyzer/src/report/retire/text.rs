//! `--format text`: the verdict, then why.

use super::{Deletion, Retirement, Verdict};
use crate::finding::word;
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
        let state = key.facts.state;
        page.field(
            "state",
            &state.map_or("unknown".into(), |(state, at)| format!("{} since {} UTC", state.id(), human::time(at))),
        );
        if let Some(deletion) = &key.facts.deletion {
            page.field("deletion", &when(deletion, retirement.report.run.as_of.unwrap_or_default()));
        }
        let last = key.facts.last_use.as_ref();
        page.field(
            "last use",
            &last.map_or("none seen".into(), |(at, who)| format!("{} UTC by {who}", human::time(*at))),
        );
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
        Some(at) if at > as_of => format!("KMS deletes it at {} UTC, in {}", human::time(at), length(at - as_of)),
        Some(at) => format!("the window is over since {} UTC: KMS deletes it, or has deleted it", human::time(at)),
        None if deletion.waits_for_replicas => "its waiting period begins when the last replica is deleted".into(),
        None => "scheduled; the log does not tell when KMS deletes it".into(),
    }
}
