//! Whether the controls operated: who was told of what, how long that took, and whether a test message arrived.

pub(super) mod cite;
pub(super) mod csv;
mod delay;
pub(super) mod html;
pub(super) mod json;
mod told;

use std::collections::{BTreeMap, BTreeSet};

pub use delay::{Kind, Spread};
pub use told::{Drill, DrillSink, Record, Recorded, Telling, Unfinished};

use crate::finding::{Evidence, Finding, Severity, Status};
use crate::report::Report;
use crate::rules::{self, Timing};
use crate::source::Layout;

/// The event that an incident began with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Began {
    /// When, milliseconds since the epoch.
    pub at: i64,
    /// The record of that moment, where the findings rest on one: event id, object, number in it.
    pub record: Option<(String, String, u32)>,
    /// When that object was delivered, as far as its name tells: to the minute.
    pub delivered: Option<i64>,
}

/// Findings that share a cause, and who was told of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    /// What they share.
    pub id: String,
    /// `None` when the report has no finding of it any more.
    pub began: Option<Began>,
    /// How it stands in this report: open, closed, suppressed, or absent.
    pub status: &'static str,
    /// The worst of its findings; of an incident that is absent, what was told last.
    pub severity: Severity,
    /// Rules that found it.
    pub rules: BTreeSet<String>,
    /// What and where, in one line.
    pub subject: String,
    /// Sinks that were told, by name.
    pub tellings: Vec<Telling>,
    /// Sinks that somebody set out to tell.
    pub unfinished: Vec<Unfinished>,
}

impl Incident {
    /// True when it should have been told and nothing says that it was: open or over, and worth a message.
    pub fn is_untold(&self) -> bool {
        self.tellings.is_empty() && self.status != SUPPRESSED && self.severity > Severity::Info
    }

    /// How long after its first event a sink was told, milliseconds.
    pub fn since_event(&self, telling: &Telling) -> Option<i64> {
        since(self.began.as_ref()?.at, telling)
    }

    /// How long after the delivery of that event.
    pub fn since_delivery(&self, telling: &Telling) -> Option<i64> {
        since(self.began.as_ref()?.delivered?, telling)
    }

    /// True when its rules alert at once, whatever comes later.
    fn is_at_once(&self) -> bool {
        self.rules.iter().all(|rule| rules::find(rule).is_some_and(|rule| rule.timing == Timing::Monotone))
    }
}

/// A telling before the event is of an earlier story of the same incident: it has no delay.
fn since(moment: i64, telling: &Telling) -> Option<i64> {
    Some(telling.first_at.saturating_sub(moment)).filter(|delay| *delay >= 0)
}

const SUPPRESSED: &str = "suppressed";
const ABSENT: &str = "absent";

/// What lakes prove of alerting, for the period of a report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Operating {
    /// In the order of their first events; those that are absent last.
    pub incidents: Vec<Incident>,
    /// How long it took.
    pub spreads: BTreeMap<Kind, Spread>,
    /// Drills of the period, in the order of time.
    pub drills: Vec<Drill>,
    /// Files that could not be understood, with the reason.
    pub damaged: Vec<(String, String)>,
}

impl Operating {
    /// What was recorded of the incidents of this report, of others that were told of in its period, and drills in it.
    pub fn of(recorded: &Recorded, report: &Report) -> Self {
        let run = &report.run;
        let within = |from: i64, to: i64| run.from.is_none_or(|at| to >= at) && run.to.is_none_or(|at| from < at);
        let mut incidents: BTreeMap<String, Incident> = BTreeMap::new();
        let mut groups: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
        for finding in &report.findings {
            groups.entry(finding.incident.as_str()).or_default().push(finding);
        }
        for (id, findings) in groups {
            incidents.extend(of_findings(id, &findings).map(|incident| (id.to_owned(), incident)));
        }
        for telling in &recorded.tellings {
            if incidents.contains_key(&telling.incident) || within(telling.first_at, telling.last_at) {
                let incident = incidents.entry(telling.incident.clone()).or_insert_with(|| absent(telling));
                incident.tellings.push(telling.clone());
            }
        }
        for unfinished in &recorded.unfinished {
            // Nothing says of what time it is: without a finding it may be of any period.
            if let Some(incident) = incidents.get_mut(&unfinished.incident) {
                incident.unfinished.push(unfinished.clone());
            }
        }
        let mut incidents: Vec<Incident> = incidents.into_values().collect();
        for incident in &mut incidents {
            incident.tellings.sort_by(|a, b| (&a.sink, &a.record).cmp(&(&b.sink, &b.record)));
        }
        incidents.sort_by_key(|incident| {
            let began = incident.began.as_ref().map(|began| began.at);
            (began.is_none(), began, incident.id.clone())
        });
        let spreads = delay::spreads(&incidents);
        let drills = recorded.drills.iter().filter(|drill| within(drill.at, drill.at)).cloned().collect();
        Self { incidents, spreads, drills, damaged: recorded.damaged.clone() }
    }

    /// True when the lakes hold nothing that speaks of alerting.
    pub fn is_silent(&self) -> bool {
        self.drills.is_empty() && self.damaged.is_empty() && self.told().next().is_none()
    }

    /// Incidents that a sink was told of.
    pub fn told(&self) -> impl Iterator<Item = &Incident> {
        self.incidents.iter().filter(|incident| !incident.tellings.is_empty())
    }

    /// Incidents that no sink was told of, and nobody accepted.
    pub fn untold(&self) -> impl Iterator<Item = &Incident> {
        self.incidents.iter().filter(|incident| incident.is_untold())
    }
}

/// An incident of this report.
fn of_findings(id: &str, findings: &[&Finding]) -> Option<Incident> {
    let accepted = |finding: &Finding| matches!(finding.status, Status::Suppressed { .. });
    let all_accepted = findings.iter().all(|finding| accepted(finding));
    let told: Vec<&Finding> = findings.iter().copied().filter(|finding| all_accepted || !accepted(finding)).collect();
    // Findings stand in the order of the report: open before closed, the worst first.
    let lead = told.first()?;
    Some(Incident {
        id: id.to_owned(),
        began: began(&told),
        status: lead.status.id(),
        severity: told.iter().map(|finding| finding.severity).max().unwrap_or(lead.severity),
        rules: told.iter().map(|finding| finding.rule.to_owned()).collect(),
        subject: lead.title.clone(),
        tellings: Vec::new(),
        unfinished: Vec::new(),
    })
}

fn began(findings: &[&Finding]) -> Option<Began> {
    let at = findings.iter().map(|finding| finding.first_seen).min()?;
    let of_then = |evidence: &&Evidence| evidence.time == at && !evidence.object.is_empty();
    let record = findings.iter().flat_map(|finding| &finding.evidence).filter(of_then);
    let record = record.min_by_key(|evidence| (&evidence.object, evidence.record));
    Some(Began {
        at,
        delivered: record.and_then(|evidence| Layout::of(&evidence.object).delivered),
        record: record.map(|evidence| (evidence.event_id.clone(), evidence.object.clone(), evidence.record)),
    })
}

/// An incident that only its tellings speak of.
fn absent(telling: &Telling) -> Incident {
    Incident {
        id: telling.incident.clone(),
        began: None,
        status: ABSENT,
        severity: telling.severity,
        rules: telling.rules.clone(),
        subject: telling.subject.clone(),
        tellings: Vec::new(),
        unfinished: Vec::new(),
    }
}
