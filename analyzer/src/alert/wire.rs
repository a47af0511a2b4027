//! The files of [`super::state`] as JSON.

use std::collections::{BTreeMap, BTreeSet};

use chrono::DateTime;
use serde::{Deserialize, Serialize};

use super::message;
use super::record;
use super::state::{self, Status};
use crate::finding::Severity;
use crate::report::{audit, human};

/// Version of both files.
const SCHEMA: &str = "keytrail.alert-state/1";

/// `alerts/<incident>/<sink>.json`.
#[derive(Serialize, Deserialize)]
struct State {
    schema: String,
    incident: String,
    sink: String,
    /// leased, sent, escalated, resolved or withdrawn.
    status: String,
    generation: u64,
    lease_until: Option<String>,
    /// Id of the message with this generation.
    message: String,
    told: Option<Told>,
}

/// `alerts/sinks/<sink>.json`.
#[derive(Serialize, Deserialize)]
struct Ledger {
    schema: String,
    sink: String,
    adopted: bool,
    generation: u64,
    lease_until: Option<String>,
    digest_at: Option<String>,
    told: BTreeMap<String, Told>,
}

/// What was told last.
#[derive(Serialize, Deserialize)]
struct Told {
    status: String,
    at: String,
    /// Of files from before it was kept: `at`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    first_at: Option<String>,
    generation: u64,
    alone: bool,
    severity: String,
    victims: u64,
    findings: BTreeSet<String>,
    rules: BTreeSet<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    records: BTreeMap<String, Place>,
    subject: String,
}

/// What is kept of a finding, for sinks that keep a record of each.
#[derive(Serialize, Deserialize)]
struct Place {
    rule: String,
    account: String,
    region: String,
    key: Option<String>,
    first_seen: String,
    severity: String,
    title: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<String>,
}

fn time(text: &str) -> Result<i64, String> {
    let parsed = DateTime::parse_from_rfc3339(text).map_err(|error| format!("`{text}` is no time: {error}"))?;
    Ok(parsed.timestamp_millis())
}

fn to_json(value: &impl Serialize) -> Vec<u8> {
    // Strings, numbers and string-keyed maps only, which cannot fail to serialize.
    serde_json::to_vec_pretty(value).unwrap_or_default()
}

fn check(schema: &str) -> Result<(), String> {
    if schema == SCHEMA { Ok(()) } else { Err(format!("it is `{schema}`, and this keytrail knows `{SCHEMA}`")) }
}

impl Told {
    fn of(told: &state::Told) -> Self {
        Self {
            status: told.status.id().into(),
            at: human::rfc3339(told.at),
            first_at: Some(human::rfc3339(told.first_at)),
            generation: told.generation,
            alone: told.alone,
            severity: told.severity.id().into(),
            victims: told.victims,
            findings: told.findings.clone(),
            rules: told.rules.clone(),
            records: told.places.iter().map(|(id, place)| (id.clone(), Place::of(place))).collect(),
            subject: told.subject.clone(),
        }
    }

    fn read(self) -> Result<state::Told, String> {
        let status = Status::ALL.into_iter().find(|status| status.id() == self.status);
        Ok(state::Told {
            status: status.ok_or_else(|| format!("`{}` is no status", self.status))?,
            severity: severity(&self.severity)?,
            at: time(&self.at)?,
            first_at: time(self.first_at.as_ref().unwrap_or(&self.at))?,
            generation: self.generation,
            alone: self.alone,
            victims: self.victims,
            findings: self.findings,
            rules: self.rules,
            places: self
                .records
                .into_iter()
                .map(|(id, place)| Ok((id, place.read()?)))
                .collect::<Result<_, String>>()?,
            subject: self.subject,
        })
    }
}

impl Place {
    fn of(place: &record::Place) -> Self {
        Self {
            rule: place.rule.clone(),
            account: place.account.clone(),
            region: place.region.clone(),
            key: place.key.clone(),
            first_seen: human::rfc3339(place.first_seen),
            severity: place.severity.id().into(),
            title: place.title.clone(),
            status: place.status.clone(),
        }
    }

    fn read(self) -> Result<record::Place, String> {
        Ok(record::Place {
            rule: self.rule,
            account: self.account,
            region: self.region,
            key: self.key,
            first_seen: time(&self.first_seen)?,
            severity: severity(&self.severity)?,
            title: self.title,
            status: self.status,
        })
    }
}

fn severity(text: &str) -> Result<Severity, String> {
    let severity = Severity::ALL.into_iter().find(|severity| severity.id() == text);
    severity.ok_or_else(|| format!("`{text}` is no severity"))
}

pub(super) fn write_state(state: &state::State) -> Vec<u8> {
    let told = state.told.as_ref().map(|told| told.status.id());
    to_json(&State {
        schema: SCHEMA.into(),
        incident: state.incident.clone(),
        sink: state.sink.clone(),
        status: if state.lease_until.is_some() { "leased" } else { told.unwrap_or("pending") }.into(),
        generation: state.generation,
        lease_until: state.lease_until.map(human::rfc3339),
        message: message::dedup(&state.incident, state.generation),
        told: state.told.as_ref().map(Told::of),
    })
}

pub(super) fn read_state(bytes: &[u8]) -> Result<state::State, String> {
    let State { schema, incident, sink, generation, lease_until, told, status: _, message: _ } =
        serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    check(&schema)?;
    let lease_until = lease_until.as_deref().map(time).transpose()?;
    Ok(state::State { incident, sink, generation, lease_until, told: told.map(Told::read).transpose()? })
}

pub(super) fn write_ledger(ledger: &state::Ledger) -> Vec<u8> {
    to_json(&Ledger {
        schema: SCHEMA.into(),
        sink: ledger.sink.clone(),
        adopted: ledger.adopted,
        generation: ledger.generation,
        lease_until: ledger.lease_until.map(human::rfc3339),
        digest_at: ledger.digest_at.map(human::rfc3339),
        told: ledger.told.iter().map(|(incident, told)| (incident.clone(), Told::of(told))).collect(),
    })
}

pub(super) fn read_ledger(bytes: &[u8]) -> Result<state::Ledger, String> {
    let Ledger { schema, sink, adopted, generation, lease_until, digest_at, told } =
        serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    check(&schema)?;
    Ok(state::Ledger {
        sink,
        adopted,
        generation,
        lease_until: lease_until.as_deref().map(time).transpose()?,
        digest_at: digest_at.as_deref().map(time).transpose()?,
        told: told
            .into_iter()
            .map(|(incident, told)| told.read().map(|told| (incident, told)))
            .collect::<Result<_, _>>()?,
    })
}

/// Version of the files of drills.
const DRILL: &str = "keytrail.drill/1";

/// `drills/<time>.json`.
#[derive(Serialize, Deserialize)]
struct Drill {
    schema: String,
    at: String,
    sinks: Vec<DrillSink>,
}

#[derive(Serialize, Deserialize)]
struct DrillSink {
    sink: String,
    kind: String,
    took: bool,
    reason: Option<String>,
}

pub(super) fn write_drill(drill: &audit::Drill) -> Vec<u8> {
    let sinks = drill.sinks.iter().map(|sink| DrillSink {
        sink: sink.sink.clone(),
        kind: sink.kind.clone(),
        took: sink.failed.is_none(),
        reason: sink.failed.clone(),
    });
    to_json(&Drill { schema: DRILL.into(), at: human::rfc3339(drill.at), sinks: sinks.collect() })
}

pub(super) fn read_drill(bytes: &[u8]) -> Result<audit::Drill, String> {
    let Drill { schema, at, sinks } = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    if schema != DRILL {
        return Err(format!("it is `{schema}`, and this keytrail knows `{DRILL}`"));
    }
    let sinks = sinks.into_iter().map(|DrillSink { sink, kind, took, reason }| audit::DrillSink {
        sink,
        kind,
        failed: (!took).then(|| reason.unwrap_or_default()),
    });
    Ok(audit::Drill { at: time(&at)?, sinks: sinks.collect(), record: audit::Record::default() })
}
