//! Findings one by one: for sinks that keep a record of each, and not a message about an incident.

use std::collections::{BTreeMap, BTreeSet};

use super::incident::Incident;
use super::message::Change;
use super::route::SILENCE;
use crate::finding::{Confidence, Fact, Finding, Fingerprint, KeyRef, Severity, Status};
use crate::rules;

/// One finding of a message.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// What happened to its incident, or to itself when it alone is gone.
    pub change: Change,
    /// The finding as it is now.
    pub finding: Finding,
}

/// The records of a message.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Records {
    /// Digest of the settings that the findings were judged by, hex.
    pub settings_digest: String,
    /// When they were judged, milliseconds since the epoch.
    pub judged: i64,
    /// One for each finding, an id at most once.
    pub records: Vec<Record>,
}

/// What is kept of a finding that was told: enough to close its record once it is gone from the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) rule: String,
    pub(super) account: String,
    pub(super) region: String,
    /// ARN of the key.
    pub(super) key: Option<String>,
    /// Milliseconds since the epoch.
    pub(super) first_seen: i64,
    pub(super) severity: Severity,
    pub(super) title: String,
    /// Status that was told: open, closed or suppressed. `None` in files from before it was kept.
    pub(super) status: Option<String>,
}

/// What is to be kept of the findings of an incident, by id.
pub(super) fn places(incident: &Incident) -> BTreeMap<String, Place> {
    let place = |finding: &Finding| Place {
        rule: finding.rule.to_owned(),
        account: finding.account.clone(),
        region: finding.region.clone(),
        key: finding.key.as_ref().map(|key| key.arn.clone()),
        first_seen: finding.first_seen,
        severity: finding.severity,
        title: finding.title.clone(),
        status: Some(finding.status.id().to_owned()),
    };
    incident.findings.iter().map(|finding| (finding.id.as_str().to_owned(), place(finding))).collect()
}

/// The findings of an incident, and those of its findings that were told before and are not there any more.
pub(super) fn of_incident(incident: &Incident, change: Change, before: &BTreeMap<String, Place>) -> Vec<Record> {
    let there: BTreeSet<&str> = incident.findings.iter().map(|finding| finding.id.as_str()).collect();
    let mut records: Vec<Record> =
        incident.findings.iter().map(|finding| Record { change, finding: finding.clone() }).collect();
    let gone = before.iter().filter(|(id, _)| !there.contains(id.as_str()));
    records.extend(gone.filter_map(|(id, place)| withdrawn(&incident.id, id, place)));
    records
}

/// Findings that have another status than the one that was told, whatever their incident came to.
pub(super) fn moved(incident: &Incident, before: &BTreeMap<String, Place>) -> Vec<Record> {
    let has_moved = |finding: &&Finding| {
        let told = before.get(finding.id.as_str()).and_then(|place| place.status.as_deref());
        told.is_some_and(|told| told != finding.status.id())
    };
    let record = |finding: &Finding| Record {
        change: if finding.status == Status::Open { Change::Worse } else { Change::Resolved },
        finding: finding.clone(),
    };
    incident.findings.iter().filter(has_moved).map(record).collect()
}

/// What was told of an incident that is gone, as withdrawn.
pub(super) fn of_gone(incident: &str, before: &BTreeMap<String, Place>) -> Vec<Record> {
    before.iter().filter_map(|(id, place)| withdrawn(incident, id, place)).collect()
}

/// `None` for a rule that this keytrail does not have any more.
fn withdrawn(incident: &str, id: &str, place: &Place) -> Option<Record> {
    let (rule, attack, change, said) = match rules::find(&place.rule) {
        Some(rule) => (rule.id, rule.attack, Change::Withdrawn, "later events show that it was none"),
        None if place.rule == SILENCE => (SILENCE, &[][..], Change::Resolved, "logs are delivered again"),
        None => return None,
    };
    let key = place.key.as_ref().map(|arn| KeyRef {
        id: arn.rsplit('/').next().unwrap_or_default().to_owned(),
        arn: arn.clone(),
        alias: None,
    });
    let finding = Finding {
        id: Fingerprint::parse(id)?,
        incident: Fingerprint::parse(incident)?,
        rule,
        severity: place.severity,
        confidence: Confidence::High,
        title: place.title.clone(),
        account: place.account.clone(),
        region: place.region.clone(),
        key,
        principal: None,
        first_seen: place.first_seen,
        last_seen: place.first_seen,
        count: 0,
        facts: vec![Fact { label: "now", value: said.to_owned() }],
        details: BTreeMap::new(),
        evidence: Vec::new(),
        remediation: String::new(),
        controls: Vec::new(),
        attack: attack.to_vec(),
        status: Status::Closed,
        supersedes: Vec::new(),
    };
    Some(Record { change, finding })
}

/// The record of a test message: closed, so that nobody works on it.
pub(super) fn of_test(sink: &str, title: &str, now: i64) -> Record {
    let id = crate::finding::fingerprint(&["test", sink]);
    let finding = Finding {
        incident: id.clone(),
        id,
        rule: "alert-test",
        severity: Severity::Info,
        confidence: Confidence::High,
        title: title.to_owned(),
        account: String::new(),
        region: String::new(),
        key: None,
        principal: None,
        first_seen: now,
        last_seen: now,
        count: 1,
        facts: Vec::new(),
        details: BTreeMap::new(),
        evidence: Vec::new(),
        remediation: String::new(),
        controls: Vec::new(),
        attack: Vec::new(),
        status: Status::Closed,
        supersedes: Vec::new(),
    };
    Record { change: Change::New, finding }
}
