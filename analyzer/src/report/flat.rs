//! Findings as rows: the one table of columns behind CSV, Parquet and `keytrail schema findings`.

use super::wire;
use crate::finding::{Finding, Status};

/// Version of the table, written into every Parquet file. Raised when a column changes its meaning or goes away.
pub const VERSION: u32 = 1;

/// One column of the table.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Name in CSV and Parquet.
    pub name: &'static str,
    /// Type in Parquet. CSV writes times as RFC 3339.
    pub kind: Kind,
    /// What it holds, and when it is empty.
    pub doc: &'static str,
}

/// Type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text,
    /// Milliseconds since the epoch, UTC.
    Time,
    /// Whole number.
    Count,
}

impl Kind {
    /// Name of the type as `keytrail schema` prints it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "string",
            Self::Time => "timestamp[ms, UTC]",
            Self::Count => "uint64",
        }
    }
}

const fn column(name: &'static str, kind: Kind, doc: &'static str) -> Column {
    Column { name, kind, doc }
}

/// Every column, in file order.
pub static COLUMNS: [Column; 28] = [
    column("id", Kind::Text, "stable id of the finding"),
    column("incident", Kind::Text, "shared by findings that have one cause"),
    column("rule", Kind::Text, "rule id"),
    column("severity", Kind::Text, "info, low, medium, high or critical"),
    column("confidence", Kind::Text, "low, medium or high"),
    column("status", Kind::Text, "open, closed or suppressed"),
    column("title", Kind::Text, "one sentence"),
    column("account", Kind::Text, "account of the key, else of the log"),
    column("region", Kind::Text, "Region of the key, else of the log"),
    column("key_arn", Kind::Text, "key ARN; empty when the finding is about no key"),
    column("key_id", Kind::Text, "key id"),
    column("key_alias", Kind::Text, "alias that pointed at the key last; empty when the log shows none"),
    column("principal_arn", Kind::Text, "who acted: role, user, service or account; empty when it is about no one"),
    column("principal_type", Kind::Text, "userIdentity.type"),
    column("invoked_by", Kind::Text, "service through which the calls came; empty for direct calls"),
    column("first_seen", Kind::Time, "first event"),
    column("last_seen", Kind::Time, "last event"),
    column("count", Kind::Count, "events behind the finding, deduplicated"),
    column("facts", Kind::Text, "JSON array of {label, value}, in order"),
    column("details", Kind::Text, "JSON object, documented on the rule's page"),
    column(
        "evidence",
        Kind::Text,
        "JSON array of {event_id, time, event_name, error_code, object, record, role}; with --verify also sha256 and integrity",
    ),
    column("remediation", Kind::Text, "what to do, with commands"),
    column("controls", Kind::Text, "controls, separated by `; `"),
    column("attack", Kind::Text, "ATT&CK technique ids, separated by `; `"),
    column("supersedes", Kind::Text, "earlier ids of the finding, separated by `; `"),
    column("suppression_reason", Kind::Text, "reason given in the configuration; empty unless suppressed"),
    column("suppression_until", Kind::Text, "date on which the suppression ends; empty when it has no end"),
    column("run", Kind::Text, "version and settings digest of the run, for files that are appended to one another"),
];

/// A value of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cell {
    Text(Option<String>),
    Time(i64),
    Count(u64),
}

/// The finding's cells, one per column of [`COLUMNS`].
pub(super) fn row(finding: &Finding, run: &super::Run) -> [Cell; COLUMNS.len()] {
    let text = |text: &str| Cell::Text(Some(text.to_string()));
    let maybe = |text: Option<&str>| Cell::Text(text.map(str::to_string));
    let key = finding.key.as_ref();
    let principal = finding.principal.as_ref();
    let (reason, until) = match &finding.status {
        Status::Suppressed { reason, until } => (Some(reason.as_str()), until.as_deref()),
        Status::Open | Status::Closed => (None, None),
    };
    let supersedes: Vec<&str> = finding.supersedes.iter().map(|id| id.as_str()).collect();
    let [facts, details, evidence] = wire::Finding::of(finding).json_members();
    [
        text(finding.id.as_str()),
        text(finding.incident.as_str()),
        text(finding.rule),
        text(finding.severity.id()),
        text(finding.confidence.id()),
        text(finding.status.id()),
        text(&finding.title),
        text(&finding.account),
        text(&finding.region),
        maybe(key.map(|key| key.arn.as_str())),
        maybe(key.map(|key| key.id.as_str())),
        maybe(key.and_then(|key| key.alias.as_deref())),
        maybe(principal.map(|principal| principal.arn.as_str())),
        maybe(principal.map(|principal| principal.kind.as_str())),
        maybe(principal.and_then(|principal| principal.invoked_by.as_deref())),
        Cell::Time(finding.first_seen),
        Cell::Time(finding.last_seen),
        Cell::Count(finding.count),
        Cell::Text(Some(facts)),
        Cell::Text(Some(details)),
        Cell::Text(Some(evidence)),
        text(&finding.remediation),
        text(&finding.controls.join("; ")),
        text(&finding.attack.join("; ")),
        text(&supersedes.join("; ")),
        maybe(reason),
        maybe(until),
        text(&format!("keytrail {} {}", run.version, run.settings_digest)),
    ]
}
