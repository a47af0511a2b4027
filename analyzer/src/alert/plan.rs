//! What one sink is to be told now. Pure: what it was told before is given.

use std::collections::{BTreeMap, BTreeSet};

use super::incident::Incident;
use super::message::{Change, Gone, Subject};
use super::record::{self, Record, Records};
use super::route;
use super::state::{Status, Told};
use crate::config::{Accounts, AlertSink, Alerting, Route, Takes};
use crate::finding::{Fingerprint, Severity, Status as FindingStatus};

/// What everything counts from.
#[derive(Clone, Debug)]
pub(super) struct Situation {
    pub(super) incidents: Vec<Incident>,
    pub(super) alerting: Alerting,
    pub(super) accounts: Accounts,
    /// Milliseconds since the epoch.
    pub(super) now: i64,
    /// True when what is not in the report is not there.
    pub(super) whole: bool,
    /// Digest of the settings that judged, hex.
    pub(super) settings_digest: String,
    /// Rules that ran.
    pub(super) rules_run: BTreeSet<String>,
}

/// An incident that is there, or gone.
#[derive(Clone, Debug)]
pub(super) enum About {
    /// By its place among the incidents.
    There(usize),
    Gone(Gone),
}

/// One thing to tell.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) about: About,
    pub(super) change: Change,
    pub(super) route: Route,
    /// Number of the message that told of it last; 0 for none.
    pub(super) generation: u64,
    /// What was told last.
    before: Option<Told>,
    /// True when the sink keeps a record of each finding.
    keeps_records: bool,
    /// Findings with another status in an incident that did not change: then only they are told, to a sink that keeps them.
    moved: Vec<Record>,
}

impl Item {
    pub(super) fn subject<'s>(&'s self, situation: &'s Situation) -> Subject<'s> {
        match &self.about {
            About::There(at) => Subject::There(&situation.incidents[*at]),
            About::Gone(gone) => Subject::Gone(gone),
        }
    }

    pub(super) fn incident<'s>(&'s self, situation: &'s Situation) -> &'s str {
        match &self.about {
            About::There(at) => &situation.incidents[*at].id,
            About::Gone(gone) => &gone.incident,
        }
    }

    /// Its findings, for a sink that keeps a record of each.
    fn records(&self, situation: &Situation) -> Vec<Record> {
        if !self.keeps_records {
            return Vec::new();
        }
        if !self.moved.is_empty() {
            return self.moved.clone();
        }
        let none = BTreeMap::new();
        let before = self.before.as_ref().map_or(&none, |told| &told.places);
        let mut records = match &self.about {
            About::There(at) => record::of_incident(&situation.incidents[*at], self.change, before),
            About::Gone(gone) => record::of_gone(&gone.incident, before),
        };
        // What late events moved to another incident is not gone.
        let is_there = |id: &Fingerprint| {
            situation.incidents.iter().flat_map(|incident| &incident.findings).any(|finding| finding.id == *id)
        };
        records.retain(|record| record.change != Change::Withdrawn || !is_there(&record.finding.id));
        records
    }

    /// What is to be kept once it is told.
    pub(super) fn told(&self, situation: &Situation, alone: bool, generation: u64) -> Told {
        if let (About::There(at), Some(before), false) = (&self.about, &self.before, self.moved.is_empty()) {
            let mut told = Told { at: situation.now, generation, alone, ..before.clone() };
            let now = record::places(&situation.incidents[*at]);
            told.places.extend(now.into_iter().filter(|(id, _)| before.places.contains_key(id)));
            return told;
        }
        let subject = self.subject(situation);
        let mut told = Told {
            status: Status::after(self.change),
            at: situation.now,
            first_at: self.before.as_ref().map_or(situation.now, |before| before.first_at),
            generation,
            alone,
            severity: subject.severity(),
            victims: 0,
            findings: BTreeSet::new(),
            rules: BTreeSet::new(),
            places: BTreeMap::new(),
            subject: subject.line(&situation.accounts),
        };
        match (&self.about, &self.before) {
            (About::There(at), _) => {
                let tale = &situation.incidents[*at].tale;
                told.victims = tale.victims;
                told.findings.clone_from(&tale.findings);
                told.rules.clone_from(&tale.rules);
                if self.keeps_records {
                    told.places = record::places(&situation.incidents[*at]);
                }
                // What was over when it was first told needs no second message.
                if !tale.open {
                    told.status = Status::Resolved;
                }
            }
            (About::Gone(_), Some(before)) => {
                told.victims = before.victims;
                told.findings.clone_from(&before.findings);
                told.rules.clone_from(&before.rules);
            }
            (About::Gone(_), None) => {}
        }
        told
    }
}

/// What is known of what a sink was told before.
pub(super) trait Memory {
    /// What it was told of an incident.
    fn told(&self, incident: &str) -> Option<&Told>;

    /// True when a message of its own was begun and nobody knows whether it arrived.
    fn is_begun(&self, incident: &str) -> bool;

    /// Incidents that it was told anything of.
    fn known(&self) -> BTreeSet<&str>;
}

/// Nothing.
pub(super) struct Blank;

impl Memory for Blank {
    fn told(&self, _: &str) -> Option<&Told> {
        None
    }

    fn is_begun(&self, _: &str) -> bool {
        false
    }

    fn known(&self) -> BTreeSet<&str> {
        BTreeSet::new()
    }
}

/// Everything that a sink is to be told: worst first, and what could not be told before after what is new, so that one
/// message that a sink does not take holds up no other.
pub(super) fn items(situation: &Situation, sink: &AlertSink, memory: &dyn Memory) -> Vec<Item> {
    let repeat = minutes(situation.alerting.options.repeat_minutes);
    let keeps_records = sink.channel.keeps_records();
    let mut items = Vec::new();
    for (at, incident) in situation.incidents.iter().enumerate() {
        let before = memory.told(&incident.id);
        let change = match before {
            None if incident.tale.accepted => None,
            None => Some(Change::New),
            Some(before) => before.change(&incident.tale, situation.now, repeat),
        };
        let moved = match before.filter(|_| keeps_records && change.is_none()) {
            Some(before) => record::moved(incident, &before.places),
            None => Vec::new(),
        };
        // One that is open again weighs more than one that is over.
        let change = change.or_else(|| moved.iter().map(|record| record.change).max());
        let Some(change) = change else { continue };
        let believes = before.is_some_and(|told| told.status.is_open());
        let route = match (change, before) {
            (_, Some(before)) if !moved.is_empty() => way_of(before, sink.takes),
            (Change::Resolved | Change::Withdrawn, Some(before)) => way_of(before, sink.takes),
            (Change::Worse, Some(before)) => worse(incident, before, &situation.alerting),
            _ => match route::of_incident(incident, &situation.alerting, |_| true) {
                // It may have been told that it is there; then it must be told that it is over.
                Route::Digest if memory.is_begun(&incident.id) => Route::Page,
                route => route,
            },
        };
        if believes || wants(sink, incident) {
            let generation = before.map_or(0, |told| told.generation);
            items.push(Item {
                about: About::There(at),
                change,
                route,
                generation,
                before: before.cloned(),
                keeps_records,
                moved,
            });
        }
    }
    let there: BTreeSet<&str> = situation.incidents.iter().map(|incident| incident.id.as_str()).collect();
    for id in memory.known().into_iter().filter(|id| !there.contains(id)) {
        let Some(before) = memory.told(id).filter(|told| told.status.is_open()) else { continue };
        // A rule that did not run says nothing.
        if !before.rules.is_subset(&situation.rules_run) {
            continue;
        }
        // Findings are overturned, a silence ends; and who looked for silences looked at all there are.
        let is_over = before.rules.iter().all(|rule| rule == route::SILENCE);
        if !situation.whole && !is_over {
            continue;
        }
        let gone = Gone { incident: id.to_owned(), severity: before.severity, subject: before.subject.clone() };
        items.push(Item {
            about: About::Gone(gone),
            change: if is_over { Change::Resolved } else { Change::Withdrawn },
            route: way_of(before, sink.takes),
            generation: before.generation,
            before: Some(before.clone()),
            keeps_records,
            moved: Vec::new(),
        });
    }
    items.retain(|item| takes(sink.takes, item.route));
    items.sort_by_key(|item| {
        let subject = item.subject(situation);
        let (severity, change) = (std::cmp::Reverse(subject.severity()), std::cmp::Reverse(item.change));
        (memory.is_begun(subject.id()), severity, change, subject.id().to_owned())
    });
    items
}

/// The findings of these items, one by one.
pub(super) fn records(items: &[Item], situation: &Situation) -> Records {
    let records = items.iter().flat_map(|item| item.records(situation)).collect();
    Records { settings_digest: situation.settings_digest.clone(), judged: situation.now, records }
}

/// True when an incident is worth telling and no sink would.
pub(super) fn is_lost(situation: &Situation, incident: &Incident) -> bool {
    let route = route::of_incident(incident, &situation.alerting, |_| true);
    let told = |sink: &AlertSink| takes(sink.takes, route) && wants(sink, incident);
    incident.tale.open
        && incident.tale.severity > Severity::Info
        && route != Route::Off
        && !situation.alerting.sinks.iter().any(told)
}

fn wants(sink: &AlertSink, incident: &Incident) -> bool {
    incident.tale.severity >= Severity::from(sink.min_severity)
        && incident.is_of(&sink.rules)
        && incident.is_in(&sink.accounts)
}

fn takes(takes: Takes, route: Route) -> bool {
    match (takes, route) {
        (_, Route::Off) => false,
        (Takes::All, _) | (Takes::Page, Route::Page) | (Takes::Digest, Route::Digest) => true,
        (Takes::Page, Route::Digest) | (Takes::Digest, Route::Page) => false,
    }
}

/// The end of a story goes where the story went; a sink without digests was told of it in its first summary.
fn way_of(before: &Told, takes: Takes) -> Route {
    if before.alone || takes == Takes::Page { Route::Page } else { Route::Digest }
}

/// How urgent it is that an incident got worse: by what is new in it, else by all that holds.
fn worse(incident: &Incident, before: &Told, alerting: &Alerting) -> Route {
    let risen =
        incident.tale.severity > before.severity || incident.tale.victims > before.victims || !before.status.is_open();
    route::of_incident(incident, alerting, |finding| {
        finding.status == FindingStatus::Open && (risen || !before.findings.contains(finding.id.as_str()))
    })
}

pub(super) fn minutes(count: u32) -> i64 {
    i64::from(count) * 60_000
}
