//! What lakes keep of alerting, as it was read.

use std::collections::BTreeSet;

use sha2::{Digest as _, Sha256};

use crate::finding::Severity;
use crate::report::human::hex;

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
    /// True when the first was a message of its own, and no digest or summary.
    pub first_alone: bool,
    /// The same of the last.
    pub alone: bool,
    /// Severity that was told last.
    pub severity: Severity,
    /// Rules of the incident.
    pub rules: BTreeSet<String>,
    /// Findings of the incident that were told.
    pub findings: BTreeSet<String>,
    /// What and where, in one line.
    pub subject: String,
    /// The file that says so.
    pub record: Record,
}

/// A message that somebody set out to send, of which nothing says that it was taken.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unfinished {
    /// The incident.
    pub incident: String,
    /// Name of the sink.
    pub sink: String,
    /// The file that says so.
    pub record: Record,
}

/// A file of a lake.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Record {
    /// Folder or address of the lake, and path in it.
    pub path: String,
    /// SHA-256 of what was read, hex.
    pub sha256: String,
}

impl Record {
    /// A file with this content.
    pub fn of(path: String, content: &[u8]) -> Self {
        Self { path, sha256: hex(&Sha256::digest(content)) }
    }
}

/// One round of test messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drill {
    /// When, milliseconds since the epoch.
    pub at: i64,
    /// Each sink of the configuration, in its order.
    pub sinks: Vec<DrillSink>,
    /// The file that says so; of none yet while it is being written.
    pub record: Record,
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
    /// True when there was a sink, and every sink took its message: where nobody was asked nothing is proven.
    pub fn is_passed(&self) -> bool {
        !self.sinks.is_empty() && self.taken() == self.sinks.len()
    }

    /// Sinks that took it.
    pub fn taken(&self) -> usize {
        self.sinks.iter().filter(|sink| sink.failed.is_none()).count()
    }
}

/// Everything that lakes remember of alerting.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recorded {
    /// In the order of the first telling.
    pub tellings: Vec<Telling>,
    /// What was set out to be told, and is not known to be.
    pub unfinished: Vec<Unfinished>,
    /// In the order of time.
    pub drills: Vec<Drill>,
    /// Files that could not be understood, with the reason: what they prove is not known.
    pub damaged: Vec<(String, String)>,
}

impl Recorded {
    /// Leaves out the words of what was told: a lake keeps them with the values of encryption contexts. Rules stay.
    pub fn redact(&mut self) {
        for telling in &mut self.tellings {
            telling.subject = telling.rules.iter().cloned().collect::<Vec<_>>().join(", ");
        }
    }

    /// Takes what another lake remembers.
    pub fn add(&mut self, other: Self) {
        self.tellings.extend(other.tellings);
        self.unfinished.extend(other.unfinished);
        self.drills.extend(other.drills);
        self.damaged.extend(other.damaged);
        self.tellings.sort();
        self.unfinished.sort();
        self.drills.sort_by(|a, b| (a.at, &a.record).cmp(&(b.at, &b.record)));
        self.damaged.sort();
    }
}
