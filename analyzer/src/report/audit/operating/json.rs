//! Wire types of what lakes prove of alerting.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{Drill, Incident, Kind, Operating, Record, Spread, Telling};
use crate::config::Applied;
use crate::report::human;

/// `alerting` of the report; `null` when no source is a lake.
#[derive(Serialize)]
pub(in crate::report::audit) struct Alerting<'r> {
    incidents: Vec<OfIncident<'r>>,
    delays: Vec<OfSpread>,
    drills: Vec<OfDrill<'r>>,
    /// Files that could not be understood.
    damaged: Vec<Damaged<'r>>,
}

impl<'r> Alerting<'r> {
    pub(in crate::report::audit) fn of(operating: &'r Operating) -> Self {
        Self {
            incidents: operating.incidents.iter().map(OfIncident::of).collect(),
            delays: operating.spreads.iter().map(|(kind, spread)| OfSpread::of(*kind, spread)).collect(),
            drills: operating.drills.iter().map(OfDrill::of).collect(),
            damaged: operating.damaged.iter().map(|(file, reason)| Damaged { file, reason }).collect(),
        }
    }
}

#[derive(Serialize)]
struct OfIncident<'r> {
    id: &'r str,
    /// open, closed, suppressed, or absent: no finding of this report.
    status: &'static str,
    severity: &'static str,
    rules: &'r BTreeSet<String>,
    subject: &'r str,
    event: Option<OfEvent<'r>>,
    /// True when nothing says that anybody was told.
    untold: bool,
    tellings: Vec<OfTelling<'r>>,
    /// Sinks that somebody set out to tell, and that did not take the message.
    unfinished: Vec<Unfinished<'r>>,
}

impl<'r> OfIncident<'r> {
    fn of(incident: &'r Incident) -> Self {
        Self {
            id: &incident.id,
            status: incident.status,
            severity: incident.severity.id(),
            rules: &incident.rules,
            subject: &incident.subject,
            event: incident.began.as_ref().map(|began| OfEvent {
                time: human::rfc3339(began.at),
                event_id: began.record.as_ref().map(|record| record.0.as_str()),
                object: began.record.as_ref().map(|record| record.1.as_str()),
                record: began.record.as_ref().map(|record| record.2),
                delivered: began.delivered.map(human::rfc3339),
            }),
            untold: incident.is_untold(),
            tellings: incident.tellings.iter().map(|telling| OfTelling::of(incident, telling)).collect(),
            unfinished: incident
                .unfinished
                .iter()
                .map(|unfinished| Unfinished { sink: &unfinished.sink, evidence: OfRecord::of(&unfinished.record) })
                .collect(),
        }
    }
}

/// The event that an incident began with.
#[derive(Serialize)]
struct OfEvent<'r> {
    time: String,
    event_id: Option<&'r str>,
    object: Option<&'r str>,
    record: Option<u32>,
    /// When the object was delivered, as far as its name tells.
    delivered: Option<String>,
}

#[derive(Serialize)]
struct OfTelling<'r> {
    sink: &'r str,
    /// What it was told last: sent, escalated, resolved or withdrawn.
    status: &'static str,
    first: String,
    last: String,
    messages: u64,
    /// True when the first was a message of its own, and no digest or summary.
    first_alone: bool,
    seconds_since_event: Option<i64>,
    seconds_since_delivery: Option<i64>,
    evidence: OfRecord<'r>,
}

impl<'r> OfTelling<'r> {
    fn of(incident: &Incident, telling: &'r Telling) -> Self {
        Self {
            sink: &telling.sink,
            status: telling.status,
            first: human::rfc3339(telling.first_at),
            last: human::rfc3339(telling.last_at),
            messages: telling.messages,
            first_alone: telling.first_alone,
            seconds_since_event: incident.since_event(telling).map(|ms| ms / 1000),
            seconds_since_delivery: incident.since_delivery(telling).map(|ms| ms / 1000),
            evidence: OfRecord::of(&telling.record),
        }
    }
}

#[derive(Serialize)]
struct Unfinished<'r> {
    sink: &'r str,
    evidence: OfRecord<'r>,
}

/// A file of the lake.
#[derive(Serialize)]
struct OfRecord<'r> {
    file: &'r str,
    sha256: &'r str,
}

impl<'r> OfRecord<'r> {
    fn of(record: &'r Record) -> Self {
        Self { file: &record.path, sha256: &record.sha256 }
    }
}

/// How long it took, over pairs of incident and sink; seconds.
#[derive(Serialize)]
struct OfSpread {
    /// at once, settled or bundled.
    kind: &'static str,
    meaning: &'static str,
    since_event: OfDelay,
    since_delivery: Option<OfDelay>,
}

#[derive(Serialize)]
struct OfDelay {
    count: usize,
    median: i64,
    worst: i64,
}

impl OfSpread {
    fn of(kind: Kind, spread: &Spread) -> Self {
        let delay =
            |(count, median, worst): (usize, i64, i64)| OfDelay { count, median: median / 1000, worst: worst / 1000 };
        Self {
            kind: kind.id(),
            meaning: kind.meaning(),
            since_event: delay((spread.count, spread.median, spread.worst)),
            since_delivery: spread.since_delivery.map(delay),
        }
    }
}

#[derive(Serialize)]
struct OfDrill<'r> {
    time: String,
    passed: bool,
    sinks: Vec<OfDrillSink<'r>>,
    evidence: OfRecord<'r>,
}

#[derive(Serialize)]
struct OfDrillSink<'r> {
    sink: &'r str,
    kind: &'r str,
    /// Why it did not take the message.
    failed: Option<&'r str>,
}

impl<'r> OfDrill<'r> {
    fn of(drill: &'r Drill) -> Self {
        let sinks = drill.sinks.iter().map(|sink| OfDrillSink {
            sink: &sink.sink,
            kind: &sink.kind,
            failed: sink.failed.as_deref(),
        });
        Self {
            time: human::rfc3339(drill.at),
            passed: drill.is_passed(),
            sinks: sinks.collect(),
            evidence: OfRecord::of(&drill.record),
        }
    }
}

#[derive(Serialize)]
struct Damaged<'r> {
    file: &'r str,
    reason: &'r str,
}

/// A suppression of the configuration.
#[derive(Serialize)]
pub(in crate::report::audit) struct Suppression<'r> {
    /// Line of the entry in the file.
    line: usize,
    rule: Option<&'r str>,
    key: Option<&'r str>,
    account: Option<&'r str>,
    region: Option<&'r str>,
    principal: Option<&'r str>,
    /// Id of one finding.
    finding: Option<&'r str>,
    reason: &'r str,
    approved_by: Option<&'r str>,
    /// Its last day.
    until: Option<String>,
    /// in force, expired, or matched nothing.
    state: &'static str,
    matched: u64,
    hidden: u64,
}

impl<'r> Suppression<'r> {
    pub(in crate::report::audit) fn of(applied: &'r Applied) -> Self {
        let entry = &applied.entry;
        Self {
            line: entry.line,
            rule: entry.rule.as_deref(),
            key: entry.key.as_deref(),
            account: entry.account.as_deref(),
            region: entry.region.as_deref(),
            principal: entry.principal.as_deref(),
            finding: entry.id.as_deref(),
            reason: &entry.reason,
            approved_by: entry.approved_by.as_deref(),
            until: entry.until.map(|day| day.to_string()),
            state: applied.state(),
            matched: applied.matched,
            hidden: applied.hidden,
        }
    }
}
