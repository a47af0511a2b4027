//! What a sink was told, and who is telling it right now.
//!
//! One small file per incident and sink, `alerts/<incident>/<sink>.json`, changed by conditional writes: whoever wants to
//! tell takes a lease first, and only then sends. Whoever dies in between leaves a lease that runs out; the next one sends
//! the same message under the same id. So a message is sent at least once, and a repeat can be recognized.
//!
//! Bundles (first summary, digest, overflow) are told of many incidents at once: then one swap of the sink's ledger,
//! `alerts/sinks/<sink>.json`, marks them all.

use std::collections::{BTreeMap, BTreeSet};

use super::incident::Tale;
use super::message::Change;
use super::record::Place;
use crate::finding::Severity;

/// Where the ledgers of the sinks are.
pub(super) fn ledger_path(sink: &str) -> String {
    format!("alerts/sinks/{sink}.json")
}

/// Where the state of an incident is.
pub(super) fn state_path(incident: &str, sink: &str) -> String {
    format!("alerts/{incident}/{sink}.json")
}

/// Incident of a path of this sink.
pub(super) fn incident_of<'p>(path: &'p str, sink: &str) -> Option<&'p str> {
    let (incident, file) = path.strip_prefix("alerts/")?.split_once('/')?;
    (incident != "sinks" && file.strip_suffix(".json") == Some(sink)).then_some(incident)
}

/// What was told last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    /// That it is there.
    Sent,
    /// That it got worse.
    Escalated,
    /// That it is over.
    Resolved,
    /// That it was none.
    Withdrawn,
}

impl Status {
    pub(super) const ALL: [Self; 4] = [Self::Sent, Self::Escalated, Self::Resolved, Self::Withdrawn];

    /// Name in the file.
    pub(super) fn id(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Escalated => "escalated",
            Self::Resolved => "resolved",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// True while the sink believes that it holds.
    pub(super) fn is_open(self) -> bool {
        matches!(self, Self::Sent | Self::Escalated)
    }

    /// What a message about a change tells.
    pub(super) fn after(change: Change) -> Self {
        match change {
            Change::New => Self::Sent,
            Change::Worse => Self::Escalated,
            Change::Resolved => Self::Resolved,
            Change::Withdrawn => Self::Withdrawn,
        }
    }
}

/// What a sink was told about an incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) status: Status,
    /// When, milliseconds since the epoch.
    pub(super) at: i64,
    /// When it was told of the incident first.
    pub(super) first_at: i64,
    /// Number of the message among those about this incident.
    pub(super) generation: u64,
    /// True when it was told in a message of its own.
    pub(super) alone: bool,
    pub(super) severity: Severity,
    pub(super) victims: u64,
    pub(super) findings: BTreeSet<String>,
    pub(super) rules: BTreeSet<String>,
    /// Its findings by id, for sinks that keep a record of each; empty for others.
    pub(super) places: BTreeMap<String, Place>,
    /// What and where, in one line: for the day on which it is gone from the report.
    pub(super) subject: String,
}

impl Told {
    /// What is different now and worth telling; `repeat` milliseconds must lie between two messages about more victims.
    pub(super) fn change(&self, tale: &Tale, now: i64, repeat: i64) -> Option<Change> {
        match (self.status.is_open(), tale.open) {
            (true, false) => Some(Change::Resolved),
            (false, false) => None,
            (false, true) if self.status == Status::Withdrawn => Some(Change::New),
            (false, true) => Some(Change::Worse),
            (true, true) => {
                let rested = now >= self.at.saturating_add(repeat);
                let worse = tale.severity > self.severity
                    || self.has_new_findings(tale)
                    || (tale.victims > self.victims && rested);
                worse.then_some(Change::Worse)
            }
        }
    }

    /// True when a finding is in the incident that was not told, under no earlier id either.
    pub(super) fn has_new_findings(&self, tale: &Tale) -> bool {
        // Ids that moved: as many findings as before say that none came.
        let moved = tale.supersedes.iter().filter(|id| self.findings.contains(*id)).count();
        tale.findings.iter().filter(|id| !self.findings.contains(*id)).count() > moved
    }
}

/// What is kept of one incident for one sink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct State {
    pub(super) incident: String,
    pub(super) sink: String,
    /// Number of the message that was sent last, or is being sent.
    pub(super) generation: u64,
    /// While somebody is sending: until when nobody else shall, milliseconds since the epoch.
    pub(super) lease_until: Option<i64>,
    pub(super) told: Option<Told>,
}

/// What is kept of one sink.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ledger {
    pub(super) sink: String,
    /// True when the first summary was sent, or there was nothing to send.
    pub(super) adopted: bool,
    /// Number of the bundle that was sent last, or is being sent.
    pub(super) generation: u64,
    /// While somebody is sending a bundle.
    pub(super) lease_until: Option<i64>,
    /// When the last digest was sent.
    pub(super) digest_at: Option<i64>,
    /// What was told in bundles, by incident.
    pub(super) told: BTreeMap<String, Told>,
}

/// How long a ledger remembers what is over and gone from the report.
const REMEMBERED: i64 = 90 * 86_400_000;

impl Ledger {
    /// Forgets what is long over.
    pub(super) fn prune(&mut self, now: i64, there: impl Fn(&str) -> bool) {
        self.told.retain(|incident, told| {
            told.status.is_open() || there(incident) || now.saturating_sub(told.at) < REMEMBERED
        });
    }
}
