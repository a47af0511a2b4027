//! What a lake proves of alerting: who was told of what and when, and which test messages arrived.

use std::collections::BTreeSet;

use super::state;
use super::wire;
use crate::finding::Severity;
use crate::lake::{Lake, LakeError};
use crate::report::human;

/// What a sink was told of an incident.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Telling {
    /// When it was told first, milliseconds since the epoch.
    pub first_at: i64,
    /// When it was told last.
    pub last_at: i64,
    /// The incident.
    pub incident: String,
    /// Name of the sink.
    pub sink: String,
    /// What it was told last: sent, escalated, resolved or withdrawn.
    pub status: &'static str,
    /// Messages about it; those that a crash or a lost answer repeated count once.
    pub messages: u64,
    /// True when the last was a message of its own, and no digest or summary.
    pub alone: bool,
    /// Severity that was told last.
    pub severity: Severity,
    /// Rules of the incident.
    pub rules: BTreeSet<String>,
    /// Findings of the incident that were told.
    pub findings: BTreeSet<String>,
    /// What and where, in one line.
    pub subject: String,
}

/// One round of test messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drill {
    /// When, milliseconds since the epoch.
    pub at: i64,
    /// Each sink of the configuration, in its order.
    pub sinks: Vec<DrillSink>,
}

/// What came of the test message to one sink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrillSink {
    /// Name of the sink.
    pub sink: String,
    /// Its kind, as in the configuration.
    pub kind: String,
    /// Why it did not take the message; `None` when it took it.
    pub failed: Option<String>,
}

impl Drill {
    /// True when every sink took its message.
    pub fn is_passed(&self) -> bool {
        self.sinks.iter().all(|sink| sink.failed.is_none())
    }
}

/// Everything that a lake remembers of alerting.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// In the order of the first telling.
    pub tellings: Vec<Telling>,
    /// In the order of time.
    pub drills: Vec<Drill>,
    /// Files that could not be understood, with the reason: what they prove is not known.
    pub damaged: Vec<(String, String)>,
}

/// Where drills are.
const DRILLS: &str = "drills";

/// Where a drill of this moment is; a second of the same second takes its place.
pub(super) fn drill_path(at: i64) -> String {
    format!("{DRILLS}/{}.json", human::rfc3339(at).replace(':', ""))
}

/// Reads it. A lake that nobody was alerted from has none, which is no error.
///
/// # Errors
/// When the lake cannot be read.
pub fn evidence(lake: &Lake) -> Result<Evidence, LakeError> {
    let store = lake.store();
    let mut evidence = Evidence::default();
    for entry in store.list("alerts")? {
        let Some((bytes, _)) = store.get(&entry.path)? else { continue };
        let tellings = if entry.path.starts_with("alerts/sinks/") {
            wire::read_ledger(&bytes).map(|ledger| {
                ledger.told.iter().map(|(incident, told)| telling(incident, &ledger.sink, told)).collect()
            })
        } else {
            wire::read_state(&bytes).map(|state| {
                state.told.iter().map(|told| telling(&state.incident, &state.sink, told)).collect::<Vec<_>>()
            })
        };
        match tellings {
            Ok(tellings) => evidence.tellings.extend(tellings),
            Err(reason) => evidence.damaged.push((entry.path, reason)),
        }
    }
    last_word(&mut evidence.tellings);
    for entry in store.list(DRILLS)? {
        let Some((bytes, _)) = store.get(&entry.path)? else { continue };
        match wire::read_drill(&bytes) {
            Ok(drill) => evidence.drills.push(drill),
            Err(reason) => evidence.damaged.push((entry.path, reason)),
        }
    }
    evidence.drills.sort_by_key(|drill| drill.at);
    evidence.damaged.sort();
    Ok(evidence)
}

/// An incident may have been told to one sink alone and in bundles: that is one story.
fn last_word(tellings: &mut Vec<Telling>) {
    tellings.sort_by(|a, b| (&a.incident, &a.sink, a.messages).cmp(&(&b.incident, &b.sink, b.messages)));
    tellings.dedup_by(|later, earlier| {
        let is_same = later.incident == earlier.incident && later.sink == earlier.sink;
        if is_same {
            let first_at = earlier.first_at.min(later.first_at);
            *earlier = Telling { first_at, ..later.clone() };
        }
        is_same
    });
    tellings.sort();
}

fn telling(incident: &str, sink: &str, told: &state::Told) -> Telling {
    Telling {
        first_at: told.first_at,
        last_at: told.at,
        incident: incident.to_owned(),
        sink: sink.to_owned(),
        status: told.status.id(),
        messages: told.generation,
        alone: told.alone,
        severity: told.severity,
        rules: told.rules.clone(),
        findings: told.findings.clone(),
        subject: told.subject.clone(),
    }
}
