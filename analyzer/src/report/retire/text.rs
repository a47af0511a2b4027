//! `--format text`: the verdict, then why.

use super::{Retirement, Verdict};
use crate::report::human;
use crate::report::text::page::{Page, Tone};
use crate::report::text::{Look, coverage};

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
        let last = key.facts.last_use.as_ref();
        page.field(
            "last use",
            &last.map_or("none seen".into(), |(at, who)| format!("{} UTC by {who}", human::time(*at))),
        );
        for reason in &key.reasons {
            page.hang(2, Some((Tone::Faint, reason.verdict.id())), 12, Tone::Plain, &reason.text);
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
    coverage::print(&mut page, &retirement.report, "retire");
    page.finish()
}
