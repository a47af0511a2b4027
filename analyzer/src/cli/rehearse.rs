//! `keytrail rehearse`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::args::{AskFormat, RehearseArgs};
use super::exit::ExitReason;
use super::failure::Failure;
use super::scan::warn_of_gaps;
use super::terminal::Terminal;
use super::{alert, progress, settings};
use crate::alert::Sent;
use crate::config::Settings;
use crate::finding::Severity;
use crate::pipeline::{self, Rehearsed, Span};
use crate::report::text::Look;
use crate::report::text::page::{Page, Tone};
use crate::report::{escape, human};

const DAY: i64 = 86_400_000;
const HOUR: i64 = 3_600_000;

pub(super) fn run(args: &RehearseArgs, terminal: &mut Terminal<'_>) -> Result<ExitReason, Failure> {
    let settings = settings::begin(&args.around, terminal)?;
    alert::check(&settings)?;
    if args.sources.iter().any(|source| source == "-") {
        let failure = Failure::usage("what comes from standard input cannot be read again and again");
        return Err(failure.hint("write it to a file first"));
    }
    let mut options = args.around.options(&args.sources, settings.clone());
    options.as_of = args.as_of.map(|when| when.end_ms());
    let span = Span { length: i64::from(args.days) * DAY, every: i64::from(args.every) * HOUR };
    let rehearsed = pipeline::rehearse(&options, span, &*progress::display(terminal))?;
    warn_of_gaps(&rehearsed.report.coverage, terminal);
    let text = match args.format.unwrap_or(AskFormat::Text) {
        AskFormat::Text => text(&rehearsed, &settings, args.days, terminal.look()),
        AskFormat::Json => document(&rehearsed, &settings),
    };
    terminal.print(text.as_bytes())?;
    Ok(ExitReason::of_report(rehearsed.report.coverage.is_complete(), false))
}

/// Messages of one sink by what they are.
struct Tally<'t> {
    sent: Vec<&'t Sent>,
}

impl<'t> Tally<'t> {
    fn of(sink: &str, all: &'t [Sent]) -> Self {
        Self { sent: all.iter().filter(|sent| sent.sink == sink).collect() }
    }

    fn pages(&self) -> impl Iterator<Item = &'t Sent> {
        self.sent.iter().copied().filter(|sent| sent.is_page())
    }

    fn count(&self, kind: &str) -> u64 {
        self.sent.iter().filter(|sent| sent.kind == kind).count() as u64
    }

    /// Incidents in messages of this kind.
    fn incidents(&self, kind: &str) -> u64 {
        self.sent.iter().filter(|sent| sent.kind == kind).map(|sent| sent.incidents).sum()
    }

    fn by<K: Ord>(&self, key: impl Fn(&'t Sent) -> Vec<K>) -> BTreeMap<K, u64> {
        let mut counts = BTreeMap::new();
        for key in self.pages().flat_map(key) {
            *counts.entry(key).or_default() += 1;
        }
        counts
    }

    fn by_severity(&self) -> Vec<(Severity, u64)> {
        self.by(|sent| vec![sent.severity]).into_iter().rev().collect()
    }

    fn by_rule(&self) -> BTreeMap<String, u64> {
        self.by(|sent| sent.rules.clone())
    }

    /// The day (UTC) with most pages; the first of several.
    fn busiest(&self) -> Option<(i64, u64)> {
        let days = self.by(|sent| vec![sent.at.div_euclid(DAY)]);
        days.into_iter().max_by_key(|(day, count)| (*count, std::cmp::Reverse(*day)))
    }
}

fn text(rehearsed: &Rehearsed, settings: &Settings, days: u32, look: Look) -> String {
    let Rehearsed { from, to, evaluations, step, outcome, report: _ } = rehearsed;
    let mut page = Page::new(look);
    let span = format!("{} to {} UTC", human::minute(*from), human::minute(*to));
    page.prose(0, Tone::Strong, &format!("What this configuration would have told, {span}"));
    if to - from < i64::from(days) * DAY {
        let short = human::duration(to - from);
        page.prose(0, Tone::Plain, &format!("The log begins there: {short}, and not {days} days."));
    }
    for sink in &settings.alert.sinks {
        let tally = Tally::of(&sink.name, &outcome.sent);
        page.blank();
        let pages = tally.pages().count() as u64;
        page.prose(
            0,
            Tone::Strong,
            &format!("{} ({}): {}", sink.name, sink.channel.kind(), human::count(pages, "page")),
        );
        if pages > 0 {
            page.prose(2, Tone::Plain, &rate(pages, to - from, tally.busiest()));
            let severities: Vec<String> =
                tally.by_severity().iter().map(|(severity, count)| format!("{count} {}", severity.id())).collect();
            page.prose(2, Tone::Plain, &format!("severity: {}", severities.join(", ")));
            let rules: Vec<String> = tally.by_rule().iter().map(|(rule, count)| format!("{count} {rule}")).collect();
            page.prose(2, Tone::Plain, &format!("rule: {}", rules.join(", ")));
            let worse = tally.count("worse");
            if worse > 0 {
                page.prose(2, Tone::Plain, &format!("{} of them because an incident got worse", human::number(worse)));
            }
        }
        for line in beside(&tally) {
            page.prose(2, Tone::Plain, &line);
        }
        if tally.sent.is_empty() {
            page.prose(2, Tone::Plain, "nothing");
        }
    }
    page.blank();
    page.prose(0, Tone::Strong, "Messages");
    for sent in &outcome.sent {
        let lead = format!("{}  {}", human::minute(sent.at), sent.sink);
        page.hang(2, Some((Tone::Faint, &lead)), 4, Tone::Plain, &escape::terminal(&sent.subject));
    }
    page.blank();
    let mut untold = Vec::new();
    for (count, why) in [
        (outcome.accepted, "accepted by [[suppress]]"),
        (outcome.off, "routed to nobody by [alert.routes]"),
        (outcome.unrouted, "taken by no sink"),
    ] {
        if count > 0 {
            untold.push(format!("{}: {why}", human::count(count, "incident")));
        }
    }
    if !untold.is_empty() {
        page.prose(0, Tone::Plain, &format!("Told to nobody: {}.", untold.join("; ")));
    }
    page.prose(
        0,
        Tone::Faint,
        &format!(
            "{} over the log as it was known then, within {} of every record that a finding rests on. Events count from \
             their own time, not from their delivery. Nothing was sent.",
            human::count(*evaluations as u64, "evaluation"),
            human::duration(*step)
        ),
    );
    page.finish()
}

fn rate(pages: u64, span: i64, busiest: Option<(i64, u64)>) -> String {
    let one = human::duration(span / i64::try_from(pages).unwrap_or(i64::MAX).max(1));
    let most = busiest
        .map_or_else(String::new, |(day, count)| format!("; most on {} ({count})", &human::minute(day * DAY)[..10]));
    format!("one every {one}{most}")
}

/// What a sink would have got beside pages.
fn beside(tally: &Tally<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    let ends: Vec<String> = [("resolved", "over or accepted"), ("withdrawn", "none after all")]
        .into_iter()
        .filter(|(kind, _)| tally.count(kind) > 0)
        .map(|(kind, what)| format!("{} {what}", human::number(tally.count(kind))))
        .collect();
    if !ends.is_empty() {
        lines.push(format!("ends of what was paged: {}", ends.join(", ")));
    }
    for (kind, what) in
        [("summary", "first summary"), ("digest", "digest"), ("overflow", "message for what is more than max_per_run")]
    {
        let count = tally.count(kind);
        if count > 0 {
            let incidents = human::count(tally.incidents(kind), "change");
            lines.push(format!("{} × {what}, {incidents}", human::number(count)));
        }
    }
    lines
}

/// `keytrail.rehearse/1`.
fn document(rehearsed: &Rehearsed, settings: &Settings) -> String {
    let Rehearsed { from, to, evaluations, step, outcome, report } = rehearsed;
    let sinks: Vec<Value> = settings
        .alert
        .sinks
        .iter()
        .map(|sink| {
            let tally = Tally::of(&sink.name, &outcome.sent);
            let severities: BTreeMap<&str, u64> =
                tally.by_severity().into_iter().map(|(severity, count)| (severity.id(), count)).collect();
            let kinds = ["new", "worse", "resolved", "withdrawn", "summary", "digest", "overflow"];
            let kinds: BTreeMap<&str, u64> = kinds.into_iter().map(|kind| (kind, tally.count(kind))).collect();
            json!({
                "sink": sink.name, "kind": sink.channel.kind(), "pages": tally.pages().count(), "messages": kinds,
                "pages_by_severity": severities, "pages_by_rule": tally.by_rule(),
                "busiest_day": tally.busiest().map(|(day, count)| {
                    json!({"day": &human::minute(day * DAY)[..10], "pages": count})
                }),
            })
        })
        .collect();
    let messages: Vec<Value> = outcome
        .sent
        .iter()
        .map(|sent| {
            json!({
                "at": human::rfc3339(sent.at), "sink": sent.sink, "kind": sent.kind, "severity": sent.severity.id(),
                "incident": sent.incident, "incidents": sent.incidents, "rules": sent.rules, "subject": sent.subject,
            })
        })
        .collect();
    let document = json!({
        "schema": "keytrail.rehearse/1",
        "run": {"version": report.run.version, "settings_digest": report.run.settings_digest},
        "from": human::rfc3339(*from), "to": human::rfc3339(*to),
        "evaluations": evaluations, "step_seconds": step / 1000,
        "sinks": sinks,
        "untold": {"accepted": outcome.accepted, "off": outcome.off, "unrouted": outcome.unrouted},
        "messages": messages,
    });
    let text = serde_json::to_string_pretty(&document).unwrap_or_default();
    format!("{}\n", escape::json_document(text))
}
