//! What JSON consumers read: the types behind `keytrail.scan/1` and `keytrail.coverage/1`, apart from the domain types so
//! that a refactoring cannot change the contract. Members are written in the order of the fields; every time is RFC 3339
//! in UTC; a member that is not known is `null`, never left out, unless its docs say so.

pub(super) mod asff;
mod coverage;
mod inventory;
pub(super) mod ocsf;
pub(super) mod oscal;
pub(super) mod sarif;

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Report, human};
use crate::finding::{self, Detail, Status, Vouched};
use crate::view;
pub(super) use coverage::Coverage;
pub(super) use inventory::Contradiction;

/// What ran. The sources are left out on purpose: the same objects give the same bytes, however they were named.
#[derive(Serialize)]
pub(super) struct Run<'r> {
    /// Version of keytrail.
    version: &'r str,
    /// Digest of the effective settings, hex.
    settings: &'r str,
    /// Instant that "overdue", "open" and "unused" count from.
    as_of: Option<String>,
    /// Start of the reported period, when one was asked for.
    from: Option<String>,
    /// End of the reported period, exclusive, when one was asked for.
    to: Option<String>,
}

impl<'r> Run<'r> {
    pub(super) fn of(report: &'r Report) -> Self {
        let run = &report.run;
        Self {
            version: run.version,
            settings: &run.settings_digest,
            as_of: run.as_of.map(human::rfc3339),
            from: run.from.map(human::rfc3339),
            to: run.to.map(human::rfc3339),
        }
    }
}

/// An object that gave no records.
#[derive(Serialize)]
pub(super) struct Skipped<'r> {
    /// URI or path.
    object: &'r str,
    /// Stable name of the reason.
    reason: &'static str,
    /// What the system or the service said about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'r str>,
}

impl<'r> Skipped<'r> {
    pub(super) fn of(skipped: &'r view::coverage::Skipped) -> Self {
        Self { object: &skipped.object, reason: skipped.reason.id(), detail: skipped.detail.as_deref() }
    }
}

/// One finding.
#[derive(Serialize)]
pub(super) struct Finding<'r> {
    /// Stable id, 32 hex digits.
    id: &'r str,
    /// Findings that share one cause share this.
    incident: &'r str,
    /// Rule id.
    rule: &'static str,
    /// info, low, medium, high or critical.
    severity: &'static str,
    /// low, medium or high.
    confidence: &'static str,
    /// One sentence.
    title: &'r str,
    /// Account of the key, else of the log.
    account: &'r str,
    /// Region of the key, else of the log.
    region: &'r str,
    /// The key, or `null` when the finding is about none.
    key: Option<Key<'r>>,
    /// Who acted, or `null`.
    principal: Option<Principal<'r>>,
    /// Time of the first event.
    first_seen: String,
    /// Time of the last event.
    last_seen: String,
    /// Events behind the finding, deduplicated.
    count: u64,
    /// Ordered detail for people.
    pub(super) facts: Vec<Fact<'r>>,
    /// Detail for machines; its members are documented on the rule's page.
    pub(super) details: BTreeMap<&'static str, serde_json::Value>,
    /// Bounded sample of the records.
    evidence: Vec<Evidence<'r>>,
    /// What to do.
    remediation: &'r str,
    /// Controls it speaks to.
    pub(super) controls: &'r [&'static str],
    /// ATT&CK techniques.
    attack: &'r [&'static str],
    /// open, closed or suppressed.
    status: &'static str,
    /// Ids under which it was known before late data moved its anchor.
    pub(super) supersedes: Vec<&'r str>,
    /// Why it is suppressed; only there when it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    suppression: Option<Suppression<'r>>,
}

/// A KMS key; `alias` is `null` when the log shows none.
#[derive(Serialize)]
struct Key<'r> {
    arn: &'r str,
    id: &'r str,
    alias: Option<&'r str>,
}

/// Who acted: a role rather than its session. `invoked_by` is the service through which the calls came.
#[derive(Serialize)]
struct Principal<'r> {
    arn: &'r str,
    r#type: &'r str,
    invoked_by: Option<&'r str>,
}

/// A label and a value.
#[derive(Serialize)]
pub(super) struct Fact<'r> {
    label: &'static str,
    value: &'r str,
}

/// A record that backs the finding; `record` is its index in `object`, from 0.
#[derive(Serialize)]
pub(super) struct Evidence<'r> {
    event_id: &'r str,
    time: String,
    event_name: &'r str,
    error_code: Option<&'r str>,
    object: &'r str,
    record: u32,
    role: &'static str,
    /// SHA-256 of the object as stored, hex, of the bytes that the record was read from; only there when the run took it.
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<&'r str>,
    /// What the digests say of the object; only there when the logs were validated.
    #[serde(skip_serializing_if = "Option::is_none")]
    integrity: Option<&'static str>,
}

/// Entry of the configuration that accepts the finding; `until` is a date.
#[derive(Serialize)]
struct Suppression<'r> {
    reason: &'r str,
    until: Option<&'r str>,
}

impl<'r> Finding<'r> {
    pub(super) fn of(finding: &'r finding::Finding) -> Self {
        Self {
            id: finding.id.as_str(),
            incident: finding.incident.as_str(),
            rule: finding.rule,
            severity: finding.severity.id(),
            confidence: finding.confidence.id(),
            title: &finding.title,
            account: &finding.account,
            region: &finding.region,
            key: finding.key.as_ref().map(|key| Key { arn: &key.arn, id: &key.id, alias: key.alias.as_deref() }),
            principal: finding.principal.as_ref().map(|principal| Principal {
                arn: &principal.arn,
                r#type: &principal.kind,
                invoked_by: principal.invoked_by.as_deref(),
            }),
            first_seen: human::rfc3339(finding.first_seen),
            last_seen: human::rfc3339(finding.last_seen),
            count: finding.count,
            facts: finding.facts.iter().map(|fact| Fact { label: fact.label, value: &fact.value }).collect(),
            details: finding.details.iter().map(|(name, detail)| (*name, value(detail))).collect(),
            evidence: finding.evidence.iter().map(Evidence::of).collect(),
            remediation: &finding.remediation,
            controls: &finding.controls,
            attack: &finding.attack,
            status: finding.status.id(),
            supersedes: finding.supersedes.iter().map(finding::Fingerprint::as_str).collect(),
            suppression: match &finding.status {
                Status::Suppressed { reason, until } => Some(Suppression { reason, until: until.as_deref() }),
                Status::Open | Status::Closed => None,
            },
        }
    }

    /// The members that flat formats hold as JSON text.
    pub(super) fn json_members(&self) -> [String; 3] {
        [to_json(&self.facts), to_json(&self.details), to_json(&self.evidence)]
    }
}

impl<'r> Evidence<'r> {
    pub(super) fn of(evidence: &'r finding::Evidence) -> Self {
        Self {
            event_id: &evidence.event_id,
            time: human::rfc3339(evidence.time),
            event_name: &evidence.event_name,
            error_code: evidence.error_code.as_deref(),
            object: &evidence.object,
            record: evidence.record,
            role: evidence.role.id(),
            sha256: evidence.proof.as_ref().and_then(|proof| proof.sha256.as_deref()),
            integrity: evidence
                .proof
                .as_ref()
                .map(|proof| proof.vouched)
                .filter(|vouched| *vouched != Vouched::Unverified)
                .map(Vouched::id),
        }
    }
}

/// A detail as JSON. Numbers that JSON cannot hold become `null`.
fn value(detail: &Detail) -> serde_json::Value {
    match detail {
        Detail::Text(text) => text.as_str().into(),
        Detail::Int(n) => (*n).into(),
        Detail::Float(n) => (*n).into(),
        Detail::Bool(b) => (*b).into(),
        Detail::Time(ms) => human::rfc3339(*ms).into(),
        Detail::List(items) => items.iter().map(value).collect::<Vec<_>>().into(),
        Detail::Map(members) => serde_json::Value::Object(
            members.iter().map(|(name, detail)| ((*name).to_string(), value(detail))).collect(),
        ),
        Detail::Null => serde_json::Value::Null,
    }
}

/// Compact JSON that is safe to print.
pub(super) fn to_json(value: &impl Serialize) -> String {
    // Wire types hold strings, numbers and string-keyed maps only, which cannot fail to serialize.
    super::escape::json_document(serde_json::to_string(value).unwrap_or_default())
}
