//! `--format text`: the verdict, what was counted, which time is proven, what is wrong.

use super::Verification;
use crate::integrity::{Interval, Kind, Problem, Tally, Verdict};
use crate::report::human;
use crate::report::text::Look;
use crate::report::text::page::{Page, Tone};

/// Problems of a kind, and intervals, that are shown; the JSON has all.
const SHOWN: usize = 40;

/// The report.
pub fn render(verification: &Verification, look: Look) -> String {
    let verdicts = &verification.verdicts;
    let mut page = Page::new(look);
    let (tone, verdict) = match verdicts.verdict {
        Verdict::Valid => (Tone::Good, "VALID: everything is there, unchanged and signed by CloudTrail"),
        Verdict::Incomplete => (
            Tone::Caution,
            "INCOMPLETE: nothing was tampered with as far as can be told, yet not everything could be proven",
        ),
        Verdict::Invalid => (Tone::Caution, "INVALID: something was changed or removed"),
    };
    page.prose(0, tone, verdict);
    page.blank();
    page.field("digests", &tally(verdicts.digests, &[]));
    page.field(
        "log files",
        &tally(
            verdicts.logs,
            &[(verdicts.pending, "not in a digest yet"), (verdicts.uncovered, "of a time that no digest proves")],
        ),
    );
    page.field("keys", &human::count(verification.keys as u64, "public key"));
    if !verdicts.intervals.is_empty() {
        page.heading("Time of delivery (UTC)");
        for interval in verdicts.intervals.iter().take(SHOWN) {
            line(&mut page, interval);
        }
        more(&mut page, verdicts.intervals.len(), "interval");
    }
    for kind in Kind::ALL {
        let problems: Vec<&Problem> = verdicts.problems.iter().filter(|problem| problem.kind == kind).collect();
        if problems.is_empty() {
            continue;
        }
        page.heading(&format!("{} ({}): {}", kind.id(), human::number(problems.len() as u64), kind.meaning()));
        for problem in problems.iter().take(SHOWN) {
            one(&mut page, problem);
        }
        more(&mut page, problems.len(), "problem");
    }
    if !verification.notices.is_empty() {
        page.blank();
    }
    for notice in &verification.notices {
        page.prose(0, Tone::Faint, notice);
    }
    page.finish()
}

fn tally(tally: Tally, further: &[(u64, &str)]) -> String {
    let Tally { valid, invalid, missing, unproven } = tally;
    let counts = [(valid, "valid"), (invalid, "invalid"), (missing, "missing"), (unproven, "not proven")];
    let counts = counts.iter().chain(further).enumerate().filter(|(at, (count, _))| *at == 0 || *count > 0);
    counts.map(|(_, (count, what))| format!("{} {what}", human::number(*count))).collect::<Vec<_>>().join(" · ")
}

fn line(page: &mut Page, interval: &Interval) {
    let Interval { stream, from, to, verdict, digests, logs } = interval;
    let backfill = if stream.backfill { ", backfill" } else { "" };
    let organization = stream.organization.as_ref().map(|id| format!(" of {id}")).unwrap_or_default();
    let text = format!(
        "{} to {}  {} {}, trail {}{organization}{backfill}: {}, {}",
        human::minute(*from),
        human::minute(*to),
        stream.account,
        stream.region,
        stream.trail,
        human::count(*digests, "digest"),
        human::count(*logs, "log file"),
    );
    page.hang(2, Some((tone(*verdict), verdict.id())), 14, Tone::Plain, &text);
}

fn one(page: &mut Page, problem: &Problem) {
    page.prose(2, tone(problem.verdict), &problem.object);
    let time = match (problem.from, problem.to) {
        (Some(from), Some(to)) => format!("{} to {}", human::minute(from), human::minute(to)),
        _ => String::new(),
    };
    let place = [problem.account.as_str(), problem.region.as_str(), &time].join(" ");
    let text = if problem.detail.is_empty() { place } else { format!("{}: {}", place.trim(), problem.detail) };
    page.prose(6, Tone::Faint, text.trim());
}

fn tone(verdict: Verdict) -> Tone {
    match verdict {
        Verdict::Valid => Tone::Good,
        Verdict::Incomplete => Tone::Plain,
        Verdict::Invalid => Tone::Caution,
    }
}

fn more(page: &mut Page, count: usize, noun: &str) {
    if count > SHOWN {
        let left = human::count((count - SHOWN) as u64, noun);
        page.prose(2, Tone::Faint, &format!("and {left} more, in --format json"));
    }
}
