//! What a run says: findings with their evidence, and the ids that keep them the same from run to run.

mod command;
mod fingerprint;
mod proof;

use std::collections::BTreeMap;

pub use command::{plain, word};
pub use fingerprint::{Fingerprint, fingerprint};
pub use proof::{Proof, Vouched};

/// How bad it is. Every rule page says why it chose its severity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing; nothing to do.
    Info,
    /// Hygiene.
    Low,
    /// Should be looked at this week.
    Medium,
    /// Should be looked at today.
    High,
    /// Data or service is at risk now.
    Critical,
}

impl Severity {
    /// Every severity, lowest first.
    pub const ALL: [Self; 5] = [Self::Info, Self::Low, Self::Medium, Self::High, Self::Critical];

    /// Name in outputs and in the configuration.
    pub fn id(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl From<crate::config::Level> for Severity {
    fn from(level: crate::config::Level) -> Self {
        use crate::config::Level;
        match level {
            Level::Info => Self::Info,
            Level::Low => Self::Low,
            Level::Medium => Self::Medium,
            Level::High => Self::High,
            Level::Critical => Self::Critical,
        }
    }
}

/// How sure it is, apart from how bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// Hints only.
    Low,
    /// Likely; other readings exist.
    Medium,
    /// The records say so.
    High,
}

impl Confidence {
    /// Name in outputs.
    pub fn id(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// State of a finding as of the end of the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// It still holds.
    Open,
    /// It is over.
    Closed,
    /// The configuration accepts it, for this reason.
    Suppressed {
        /// Reason given in the configuration.
        reason: String,
        /// When the suppression ends, RFC 3339 date.
        until: Option<String>,
    },
}

impl Status {
    /// Name in outputs.
    pub fn id(&self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Suppressed { .. } => "suppressed",
        }
    }
}

/// The key that a finding is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyRef {
    /// Key ARN.
    pub arn: String,
    /// Key id: a UUID or `mrk-...`.
    pub id: String,
    /// Alias name (`alias/payments`) that pointed at the key last, when the log shows one.
    pub alias: Option<String>,
}

/// Who acted.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Principal {
    /// Stable identity: role or user ARN, service name, account.
    pub arn: String,
    /// `userIdentity.type`.
    pub kind: String,
    /// Service through which the calls came.
    pub invoked_by: Option<String>,
}

/// What a piece of evidence shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// The event that caused it.
    Cause,
    /// A sample of the events that are the finding.
    Primary,
    /// The event that ended it.
    Resolution,
    /// Helps to read the others.
    Context,
}

impl Role {
    /// Name in outputs.
    pub fn id(self) -> &'static str {
        match self {
            Self::Cause => "cause",
            Self::Primary => "primary",
            Self::Resolution => "resolution",
            Self::Context => "context",
        }
    }
}

/// One record that backs a finding: enough to open it again in its object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// `eventID`; `inventory:CALL` for an answer of KMS in an inventory: `object` is its file then, and `record` is 0.
    pub event_id: String,
    /// Event time, or when KMS gave the answer; milliseconds since the epoch.
    pub time: i64,
    /// `eventName`.
    pub event_name: String,
    /// `errorCode`.
    pub error_code: Option<String>,
    /// URI or path of the object.
    pub object: String,
    /// Index of the record in the object, from 0.
    pub record: u32,
    /// What it shows.
    pub role: Role,
    /// The object as it was read, where the run remembers what it read.
    pub proof: Option<Proof>,
}

impl Evidence {
    /// How the id of an answer of KMS begins. Event ids of CloudTrail are hexadecimal.
    pub const ANSWER: &str = "inventory:";

    /// True for what KMS answered, as an inventory has it: no record of a log.
    pub fn is_answer(&self) -> bool {
        self.event_id.starts_with(Self::ANSWER)
    }
}

/// One line of detail for people: a label and a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// Lower-case label, for example `pending window`.
    pub label: &'static str,
    /// Value, for example `7 days`.
    pub value: String,
}

/// Rule-specific detail for machines, documented on the rule's page. Keys are sorted.
#[derive(Clone, Debug, PartialEq)]
pub enum Detail {
    /// Text.
    Text(String),
    /// Whole number.
    Int(i64),
    /// Decimal number.
    Float(f64),
    /// Yes or no.
    Bool(bool),
    /// Milliseconds since the epoch; printed as RFC 3339.
    Time(i64),
    /// In order.
    List(Vec<Self>),
    /// Named members.
    Map(BTreeMap<&'static str, Self>),
    /// Not known.
    Null,
}

/// What a rule found.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Stable id: rule, subject and anchor, never an object name or a window edge.
    pub id: Fingerprint,
    /// Findings that share one cause share an incident.
    pub incident: Fingerprint,
    /// Rule id.
    pub rule: &'static str,
    /// Severity after the rule's own reasoning and the configuration.
    pub severity: Severity,
    /// Confidence.
    pub confidence: Confidence,
    /// One sentence.
    pub title: String,
    /// Account of the key, else of the log.
    pub account: String,
    /// Region of the key, else of the log.
    pub region: String,
    /// The key, when it is about one.
    pub key: Option<KeyRef>,
    /// Who acted, when it is about one.
    pub principal: Option<Principal>,
    /// First event, milliseconds since the epoch.
    pub first_seen: i64,
    /// Last event, milliseconds since the epoch.
    pub last_seen: i64,
    /// Events behind it (deduplicated); 1 for findings that are not a count.
    pub count: u64,
    /// Ordered detail for people.
    pub facts: Vec<Fact>,
    /// Detail for machines.
    pub details: BTreeMap<&'static str, Detail>,
    /// Bounded sample of records, causes first, then by time.
    pub evidence: Vec<Evidence>,
    /// What to do, with commands.
    pub remediation: String,
    /// Controls it speaks to, for example `CIS AWS 5.0 3.6`.
    pub controls: Vec<&'static str>,
    /// ATT&CK technique ids.
    pub attack: Vec<&'static str>,
    /// Open, closed or suppressed.
    pub status: Status,
    /// Ids under which the same finding was known before late data moved its anchor.
    pub supersedes: Vec<Fingerprint>,
}

impl Finding {
    /// Order of every output: open before closed before suppressed, worst first, then where and when.
    pub fn sort_key(&self) -> impl Ord + use<> {
        let status = match self.status {
            Status::Open => 0,
            Status::Closed => 1,
            Status::Suppressed { .. } => 2,
        };
        (
            status,
            std::cmp::Reverse(self.severity),
            std::cmp::Reverse(self.confidence),
            self.rule,
            self.account.clone(),
            self.region.clone(),
            self.key.as_ref().map(|key| key.arn.clone()),
            self.first_seen,
            self.id.clone(),
        )
    }
}
