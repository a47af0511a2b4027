//! What was looked at, what was not, and where to look next.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::inventory;
use super::page::{Page, Tone, glue, utc};
use crate::decode::SkipReason;
use crate::finding::{Vouched, word};
use crate::report::{Report, human};
use crate::view::Coverage;

/// Examples per line of what was not looked at.
const EXAMPLES: usize = 3;
/// Blind windows that are shown one by one.
const WINDOWS: usize = 10;
/// KMS operations that are named one by one.
const OPERATIONS: usize = 5;

/// What every output ends with; `further` is the command that leads on from here, without the sources.
pub(crate) fn print(page: &mut Page, report: &Report, further: &str) {
    looked_at(page, report);
    not_looked_at(page, report);
    if !report.notices.is_empty() {
        page.heading("Notices");
        for notice in &report.notices {
            page.hang(2, Some((Tone::Faint, "-")), 4, Tone::Plain, notice);
        }
    }
    look_further(page, report, further);
}

/// What "no findings" rests on, and what it does not prove.
pub(super) fn judged(page: &mut Page, report: &Report) {
    let coverage = &report.coverage;
    if coverage.records.kms + coverage.records.related == 0 {
        let text = format!(
            "But there was nothing to judge: no KMS events of what was asked for among {}. try: check --account and --region where given, \
             that SOURCE is the trail of the accounts that own the keys, and that the trail logs management events and does \
             not exclude kms.amazonaws.com",
            human::count(coverage.records.seen, "record")
        );
        return page.prose(0, Tone::Caution, &text);
    }
    let text = format!(
        "{} judged {} of {} and {}.",
        human::count(report.run.rules_run.len() as u64, "rule"),
        human::count(coverage.records.kms, "KMS event"),
        human::count(coverage.accounts.len() as u64, "account"),
        human::count(coverage.regions.len() as u64, "Region"),
    );
    page.prose(0, Tone::Plain, &text);
    if !coverage.is_complete() || !coverage.blind.is_empty() {
        page.prose(0, Tone::Caution, "Not everything could be seen: read \"Not looked at\" before relying on this.");
    }
}

fn looked_at(page: &mut Page, report: &Report) {
    let Coverage { objects, records, bytes, span, accounts, regions, operations, .. } = &report.coverage;
    page.heading("Looked at");
    let mut text = format!("{} of {} read", human::number(objects.read), human::count(objects.seen, "object"));
    if objects.pruned > 0 {
        let _ = write!(text, ", {} left out by path", human::number(objects.pruned));
    }
    let _ =
        write!(text, " ({}, {} inflated)", glue(&human::bytes(bytes.compressed)), glue(&human::bytes(bytes.inflated)));
    page.field("objects", &text);

    let mut text = format!(
        "{} seen: {} of KMS, {} of other services about keys",
        human::number(records.seen),
        human::number(records.kms),
        human::number(records.related)
    );
    if records.duplicates > 0 {
        let _ = write!(text, "; {} left out", human::count(records.duplicates, "duplicate"));
    }
    page.field("records", &text);

    let mut by_count: Vec<(&String, u64)> = operations.iter().map(|(name, n)| (name, *n)).collect();
    by_count.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    let mut parts: Vec<String> =
        by_count.iter().take(OPERATIONS).map(|(name, n)| format!("{name} {}", human::number(*n))).collect();
    if by_count.len() > OPERATIONS {
        let rest = &by_count[OPERATIONS..];
        let events = rest.iter().map(|(_, n)| n).sum();
        parts.push(format!("{} {}", human::count(rest.len() as u64, "other operation"), human::number(events)));
    }
    if !parts.is_empty() {
        page.field("KMS", &parts.join(", "));
    }
    if let Some((from, to)) = span {
        let lasted = glue(&human::duration(to.saturating_sub(*from)));
        page.field("span", &format!("{} to {} ({lasted})", glue(&human::time(*from)), utc(*to)));
    }
    if let Some(integrity) = &report.integrity {
        let counts = report.vouched();
        let parts = Vouched::ALL.into_iter().filter_map(|vouched| Some((vouched, counts.get(&vouched)?)));
        let parts: Vec<String> = parts.map(|(vouched, n)| format!("{} {}", human::number(*n), vouched.id())).collect();
        let stored = match integrity.from_lake {
            0 => String::new(),
            _ => "; as they were when the lake was filled".into(),
        };
        page.field("integrity", &format!("{}; objects: {}{stored}", integrity.verdict.id(), parts.join(", ")));
    }
    page.field("accounts", &names(accounts.iter(), 20));
    page.field("Regions", &names(regions.iter(), 20));
    inventory::looked_at(page, &report.coverage);
    // A survey judges nothing.
    if !(report.run.rules_run.is_empty() && report.run.rules_skipped.is_empty()) {
        page.field("rules", &format!("{} ran", human::number(report.run.rules_run.len() as u64)));
    }
}

fn not_looked_at(page: &mut Page, report: &Report) {
    let coverage = &report.coverage;
    page.heading("Not looked at");
    let quiet = coverage.skipped.is_empty()
        && coverage.records.rejected == 0
        && coverage.gaps.is_empty()
        && coverage.blind.is_empty()
        && coverage.notes.is_empty()
        && inventory::is_quiet(coverage)
        && report.run.rules_skipped.is_empty()
        && report.integrity.as_ref().is_none_or(|integrity| integrity.problems == 0);
    if quiet {
        return page.prose(
            2,
            Tone::Good,
            "nothing: every object was read, every record understood, and no hour between is without a log",
        );
    }
    for problem in report.integrity.iter().flat_map(|integrity| &integrity.first) {
        page.hang(2, Some((Tone::Caution, "-")), 4, Tone::Plain, problem);
    }
    skipped(page, coverage);
    rejected(page, coverage);
    for (i, (note, n)) in coverage.notes.iter().enumerate() {
        let text = format!("{}: {}", human::count(*n, "object"), note.meaning());
        page.row((Tone::Faint, if i == 0 { "notes" } else { "" }), &text);
    }
    gaps(page, coverage);
    blind(page, coverage);
    inventory::not_looked_at(page, coverage);
    rules(page, &report.run.rules_skipped);
}

/// Rules that did not run, by reason.
fn rules(page: &mut Page, skipped: &[(impl AsRef<str>, impl AsRef<str>)]) {
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    for (rule, reason) in skipped {
        match reasons.iter_mut().find(|(known, _)| *known == reason.as_ref()) {
            Some((_, rules)) => rules.push(rule.as_ref()),
            None => reasons.push((reason.as_ref(), vec![rule.as_ref()])),
        }
    }
    for (i, (reason, rules)) in reasons.iter().enumerate() {
        let text = format!("{} did not run: {reason}", rules.join(", "));
        page.row((Tone::Faint, if i == 0 { "rules" } else { "" }), &text);
    }
}

/// Skips by reason: what should have been read first, with examples; then what is no log of calls.
fn skipped(page: &mut Page, coverage: &Coverage) {
    let mut by_reason: BTreeMap<SkipReason, Vec<&str>> = BTreeMap::new();
    for skipped in &coverage.skipped {
        by_reason.entry(skipped.reason).or_default().push(&skipped.object);
    }
    let mut label = "skipped";
    for (reason, objects) in by_reason.iter().filter(|(reason, _)| !reason.is_expected()) {
        let text = format!("{} {}: {}", human::number(objects.len() as u64), reason.id(), reason.meaning());
        page.row((Tone::Caution, label), &text);
        examples(page, objects.iter().map(|object| (*object).to_string()), objects.len() as u64);
        label = "";
    }
    let mut label = "left out";
    for (reason, objects) in by_reason.iter().filter(|(reason, _)| reason.is_expected()) {
        let text = format!("{} {}: {}", human::number(objects.len() as u64), reason.id(), reason.meaning());
        page.row((Tone::Faint, label), &text);
        label = "";
    }
}

fn rejected(page: &mut Page, coverage: &Coverage) {
    let mut label = "rejected";
    for (reason, n) in &coverage.rejected {
        let text = format!("{} {}: {}", human::number(*n), reason.id(), reason.meaning());
        page.row((Tone::Caution, label), &text);
        let places = coverage.rejected_at.iter().filter(|at| at.reason == *reason);
        examples(page, places.map(|at| format!("{}:{}", at.object, at.record)), *n);
        label = "";
    }
}

pub(super) fn examples(page: &mut Page, examples: impl Iterator<Item = String>, all: u64) {
    let mut shown = 0;
    for example in examples.take(EXAMPLES) {
        page.more(Tone::Faint, &example);
        shown += 1;
    }
    if shown > 0 && all > shown {
        page.more(Tone::Faint, &format!("and {} more", human::number(all - shown)));
    }
}

fn gaps(page: &mut Page, coverage: &Coverage) {
    const HOUR: i64 = 3_600_000;
    let hours = |gap: &crate::view::coverage::Gap| gap.to.saturating_sub(gap.from) / HOUR;
    let total: i64 = coverage.gaps.iter().map(hours).sum();
    let Some(longest) = coverage.gaps.iter().max_by_key(|gap| (hours(gap), std::cmp::Reverse(*gap))) else { return };
    let text = format!(
        "{} without an event about keys or the start of a file, beside {} with one. CloudTrail writes nothing in a quiet hour, so this is unproved: neither idle \
         nor lost",
        human::count(total.unsigned_abs(), "hour"),
        human::number(coverage.hours_logged),
    );
    page.field("gaps", &text);
    let text = format!(
        "longest: {} {}, {} to {} UTC ({})",
        longest.account,
        longest.region,
        glue(&human::minute(longest.from)),
        glue(&human::minute(longest.to)),
        glue(&human::duration(longest.to.saturating_sub(longest.from))),
    );
    page.more(Tone::Faint, &text);
}

fn blind(page: &mut Page, coverage: &Coverage) {
    for (i, window) in coverage.blind.iter().take(WINDOWS).enumerate() {
        let until = window.to.map_or("and nothing in the log ends it".to_string(), |to| format!("to {}", utc(to)));
        let text = format!(
            "{} {}: trail {} {} from {} {until}, by {}",
            window.account,
            window.region,
            window.trail,
            window.what.id(),
            utc(window.from),
            window.by,
        );
        page.row((Tone::Caution, if i == 0 { "blind" } else { "" }), &text);
    }
    if let Some(left @ 1..) = coverage.blind.len().checked_sub(WINDOWS) {
        page.more(Tone::Faint, &format!("and {} in --format json", human::count(left as u64, "more window")));
    }
}

fn look_further(page: &mut Page, report: &Report, further: &str) {
    let sources = &report.run.sources;
    let named = if sources.is_empty() || sources.len() > 3 {
        "SOURCE...".to_string()
    } else {
        sources.iter().map(|source| word(source)).collect::<Vec<_>>().join(" ")
    };
    page.heading("To look further");
    page.command(2, &format!("keytrail {further} {named} --format json"));
    if let Some(finding) = report.findings.first() {
        page.command(2, &format!("keytrail rules {}", finding.rule));
    }
}

fn names<'n>(all: impl ExactSizeIterator<Item = &'n String>, most: usize) -> String {
    let more = all.len().saturating_sub(most);
    let mut text = all.take(most).map(String::as_str).collect::<Vec<_>>().join(", ");
    if more > 0 {
        let _ = write!(text, " and {} more", human::number(more as u64));
    }
    if text.is_empty() { "none".to_string() } else { text }
}
