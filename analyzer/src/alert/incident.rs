//! Findings that share a cause, and what can be said of them at one moment.

use std::collections::{BTreeMap, BTreeSet};

use crate::finding::{Finding, Severity, Status};
use crate::rules::{self, Timing};

/// What is kept of an incident to see later whether it changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tale {
    /// The worst of its findings.
    pub severity: Severity,
    /// True while one of its findings holds.
    pub open: bool,
    /// True when the configuration accepts all of it.
    pub accepted: bool,
    /// Those who were hurt; 0 where the rules count none.
    pub victims: u64,
    /// Ids of its findings.
    pub findings: BTreeSet<String>,
    /// Earlier ids of its findings.
    pub supersedes: BTreeSet<String>,
    /// Rules that found it.
    pub rules: BTreeSet<String>,
}

/// Findings that share a cause; at least one.
#[derive(Clone, Debug, PartialEq)]
pub struct Incident {
    /// What they share: 32 hex digits.
    pub id: String,
    /// In the order of the report: open first, worst first.
    pub findings: Vec<Finding>,
    /// What can be said of it.
    pub tale: Tale,
}

impl Incident {
    /// Groups findings, in the order of the report. A finding that late events may overturn is left out until `settle`
    /// milliseconds have passed since its first event.
    pub fn group(findings: &[Finding], now: i64, settle: i64) -> Vec<Self> {
        let mut order: Vec<String> = Vec::new();
        let mut groups: BTreeMap<String, Vec<Finding>> = BTreeMap::new();
        for finding in findings.iter().filter(|finding| is_certain(finding, now, settle)) {
            let group = groups.entry(finding.incident.as_str().to_owned()).or_default();
            if group.is_empty() {
                order.push(finding.incident.as_str().to_owned());
            }
            group.push(finding.clone());
        }
        let mut incidents: Vec<Self> = order
            .into_iter()
            .filter_map(|id| groups.remove(&id).map(|findings| Self { tale: Tale::of(&findings), id, findings }))
            .collect();
        incidents.sort_by_key(|incident| (!incident.tale.open, std::cmp::Reverse(incident.tale.severity)));
        incidents
    }

    /// The finding that stands for it: the first that is not accepted.
    pub fn lead(&self) -> Option<&Finding> {
        let accepted = |finding: &&Finding| matches!(finding.status, Status::Suppressed { .. });
        self.findings.iter().find(|finding| !accepted(finding)).or_else(|| self.findings.first())
    }

    /// Accounts of its findings.
    pub fn is_in(&self, accounts: &BTreeSet<String>) -> bool {
        accounts.is_empty() || self.findings.iter().any(|finding| accounts.contains(&finding.account))
    }

    /// True when one of these rules found it.
    pub fn is_of(&self, rules: &BTreeSet<String>) -> bool {
        rules.is_empty() || self.tale.rules.iter().any(|rule| rules.contains(rule))
    }
}

fn is_certain(finding: &Finding, now: i64, settle: i64) -> bool {
    let settled = rules::find(finding.rule).is_some_and(|rule| rule.timing == Timing::Settled);
    !settled || finding.first_seen.saturating_add(settle) <= now
}

impl Tale {
    fn of(findings: &[Finding]) -> Self {
        let accepted = findings.iter().all(|finding| matches!(finding.status, Status::Suppressed { .. }));
        let told: Vec<&Finding> = findings
            .iter()
            .filter(|finding| accepted || !matches!(finding.status, Status::Suppressed { .. }))
            .collect();
        // What is over does not make what is open worse.
        let open = told.iter().any(|finding| finding.status == Status::Open);
        let weighs = |finding: &&&Finding| !open || finding.status == Status::Open;
        let severity = told.iter().filter(weighs).map(|finding| finding.severity).max();
        Self {
            severity: severity.unwrap_or(Severity::Info),
            open,
            accepted,
            victims: told.iter().map(|finding| victims(finding)).sum(),
            findings: told.iter().map(|finding| finding.id.as_str().to_owned()).collect(),
            supersedes: told.iter().flat_map(|finding| &finding.supersedes).map(|id| id.as_str().to_owned()).collect(),
            rules: told.iter().map(|finding| finding.rule.to_owned()).collect(),
        }
    }

    /// Everything that makes it this tale, as text.
    pub fn parts(&self) -> Vec<String> {
        let mut parts = vec![
            self.severity.id().to_owned(),
            if self.open { "open" } else { "over" }.to_owned(),
            self.victims.to_string(),
        ];
        parts.extend(self.findings.iter().cloned());
        parts
    }
}

/// How many the finding says were hurt.
fn victims(finding: &Finding) -> u64 {
    match finding.details.get("victims_total") {
        Some(crate::finding::Detail::Int(count)) => u64::try_from(*count).unwrap_or(0),
        _ => 0,
    }
}
