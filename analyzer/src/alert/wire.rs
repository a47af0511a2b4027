//! The files of [`super::state`] as JSON.

use std::collections::{BTreeMap, BTreeSet};

use chrono::DateTime;
use serde::{Deserialize, Serialize};

use super::message;
use super::state::{self, Status};
use crate::finding::Severity;
use crate::report::human;

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
    generation: u64,
    alone: bool,
    severity: String,
    victims: u64,
    findings: BTreeSet<String>,
    rules: BTreeSet<String>,
    subject: String,
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
            generation: told.generation,
            alone: told.alone,
            severity: told.severity.id().into(),
            victims: told.victims,
            findings: told.findings.clone(),
            rules: told.rules.clone(),
            subject: told.subject.clone(),
        }
    }

    fn read(self) -> Result<state::Told, String> {
        let status = Status::ALL.into_iter().find(|status| status.id() == self.status);
        let severity = Severity::ALL.into_iter().find(|severity| severity.id() == self.severity);
        Ok(state::Told {
            status: status.ok_or_else(|| format!("`{}` is no status", self.status))?,
            severity: severity.ok_or_else(|| format!("`{}` is no severity", self.severity))?,
            at: time(&self.at)?,
            generation: self.generation,
            alone: self.alone,
            victims: self.victims,
            findings: self.findings,
            rules: self.rules,
            subject: self.subject,
        })
    }
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
