//! What a configuration would have told: the same decisions and the same state as in earnest, and nothing leaves.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::clock::Clock;
use super::deliver;
use super::message::Alert;
use super::plan::{self, Situation};
use super::post::Post;
use super::transport::{SendError, Transport};
use super::{Notify, route};
use crate::config::{Route, Settings};
use crate::finding::Severity;
use crate::lake::Lake;
use crate::report::Report;

/// A message that a sink would have got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// When, milliseconds since the epoch.
    pub at: i64,
    /// Name of the sink.
    pub sink: String,
    /// new, worse, resolved, withdrawn, summary, digest or overflow.
    pub kind: &'static str,
    /// The worst that it speaks of.
    pub severity: Severity,
    /// The incident, when it is about one.
    pub incident: Option<String>,
    /// Incidents that it is about.
    pub incidents: u64,
    /// Rules of its incident; empty for messages about many.
    pub rules: Vec<String>,
    /// Its one line.
    pub subject: String,
}

impl Sent {
    /// True when it says that something is wrong now, in a message of its own.
    pub fn is_page(&self) -> bool {
        matches!(self.kind, "new" | "worse")
    }
}

/// Sinks that keep what they are told, and the state of each.
pub(crate) struct Rehearsal {
    settings: Settings,
    lake: Lake,
    sent: Vec<Sent>,
    rules: BTreeMap<String, Vec<String>>,
    accepted: BTreeSet<String>,
    off: BTreeSet<String>,
    unrouted: BTreeSet<String>,
}

/// What came of all evaluations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// In the order of time, then of the sinks of the configuration.
    pub sent: Vec<Sent>,
    /// Incidents that the configuration accepts (`[[suppress]]`).
    pub accepted: u64,
    /// Incidents whose route is `off`.
    pub off: u64,
    /// Open incidents that no sink takes, without those of severity info.
    pub unrouted: u64,
}

impl Rehearsal {
    /// `lake` holds the state of the sinks: an empty one, that nobody else uses.
    pub(crate) fn new(settings: &Settings, lake: Lake) -> Self {
        Self {
            settings: settings.clone(),
            lake,
            sent: Vec::new(),
            rules: BTreeMap::new(),
            accepted: BTreeSet::new(),
            off: BTreeSet::new(),
            unrouted: BTreeSet::new(),
        }
    }

    /// One evaluation, at its time.
    ///
    /// # Errors
    /// When the state cannot be written.
    pub(crate) fn evaluate(&mut self, report: &Report, now: i64) -> Result<(), String> {
        let how = Notify { whole: report.coverage.is_complete(), ..Notify::at(now) };
        let situation = super::situation(report, &self.settings, how);
        self.look(&situation);
        for sink in &self.settings.alert.sinks {
            let taken = Arc::new(Mutex::new(Vec::new()));
            let clock = Clock::start(now, Duration::from_secs(600));
            let post = Post::to(sink, clock, Box::new(Keeper(Arc::clone(&taken))));
            let outcome = deliver::with_state(sink, &situation, clock, &self.lake, how.first_is_summary, post);
            if let Some(reason) = outcome.failed {
                return Err(reason);
            }
            for alert in taken.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
                let rules = alert.incident.as_ref().and_then(|incident| self.rules.get(incident));
                self.sent.push(Sent {
                    at: now,
                    sink: sink.name.clone(),
                    kind: alert.kind,
                    severity: alert.severity,
                    rules: rules.cloned().unwrap_or_default(),
                    incident: alert.incident,
                    incidents: alert.incidents,
                    subject: alert.subject,
                });
            }
        }
        Ok(())
    }

    /// Who tells of an incident that is gone asks for its rules here, too.
    fn look(&mut self, situation: &Situation) {
        for incident in &situation.incidents {
            let id = incident.id.clone();
            self.rules.insert(id.clone(), incident.tale.rules.iter().cloned().collect());
            if incident.tale.accepted {
                self.accepted.insert(id.clone());
            } else if route::of_incident(incident, &situation.alerting, |_| true) == Route::Off {
                self.off.insert(id.clone());
            }
            if plan::is_lost(situation, incident) {
                self.unrouted.insert(id);
            }
        }
    }

    /// What came of it.
    pub(crate) fn finish(self) -> Outcome {
        let count = |set: &BTreeSet<String>| set.len() as u64;
        Outcome {
            accepted: count(&self.accepted),
            off: count(&self.off),
            unrouted: count(&self.unrouted),
            sent: self.sent,
        }
    }
}

/// Takes everything.
struct Keeper(Arc<Mutex<Vec<Alert>>>);

impl Transport for Keeper {
    fn send(&mut self, alert: &Alert, _: Duration) -> Result<(), SendError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(alert.clone());
        Ok(())
    }
}
