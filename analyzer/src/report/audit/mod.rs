//! `keytrail report`: controls of frameworks against what the log proves, for auditors.

mod csv;
mod html;
mod json;
mod style;

use std::collections::{BTreeMap, BTreeSet};

pub use csv::{changes as changes_csv, controls as controls_csv, evidence as evidence_csv};
pub use html::render as html;
pub use json::{SCHEMA, render as json};

use super::Report;
use super::human;
use super::timeline::{self, Entry};
use crate::compliance::{Assessment, Framework, Integrity, Limit, Status, assess};
use crate::finding::{Proof, Vouched};
use crate::integrity::Verdict;
use crate::rules::Context;
use crate::view::KeyView;
use crate::view::inventory::KeyRow;

/// Everything that a renderer of an audit report may show.
#[derive(Clone, Debug)]
pub struct Audit {
    /// What ran, what was looked at, what was found.
    pub report: Report,
    /// Keys by ARN.
    pub keys: Vec<KeyRow>,
    /// Every call that changed a key, or tried to, with the key's ARN, in order of time.
    pub changes: Vec<(String, Entry)>,
    /// Frameworks with their controls assessed.
    pub frameworks: Vec<(Framework, Vec<Assessment>)>,
    /// Whether the logs were validated.
    pub integrity: Integrity,
}

/// Accounts and Regions that must be there, from outside of the logs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// Account ids.
    pub accounts: BTreeSet<String>,
    /// Region names.
    pub regions: BTreeSet<String>,
}

impl Expected {
    /// What of it no log speaks of; `None` when nothing was expected.
    fn missing(&self, report: &Report) -> Option<Vec<String>> {
        if self.accounts.is_empty() {
            return None;
        }
        let seen = &report.coverage.days;
        let mut missing = Vec::new();
        for account in &self.accounts {
            if self.regions.is_empty() && !seen.keys().any(|(known, _)| known == account) {
                missing.push(account.clone());
            }
            for region in &self.regions {
                if !seen.contains_key(&(account.clone(), region.clone())) {
                    missing.push(format!("{account} {region}"));
                }
            }
        }
        Some(missing)
    }

    /// What the log speaks of and nobody expected.
    fn surplus(&self, report: &Report) -> Vec<String> {
        let known = |account: &String| self.accounts.is_empty() || self.accounts.contains(account);
        report.coverage.accounts.iter().filter(|account| !known(account)).cloned().collect()
    }
}

/// The calls that changed a key, for the population that an auditor draws from. Grants that a service makes and lets go
/// for each volume and database are left out: they are use, and there may be millions.
pub fn population(key: &KeyView, cx: &Context<'_>) -> Vec<Entry> {
    let mut entries = timeline::changes(key, cx);
    let grant = |entry: &Entry| entry.operations.iter().all(|(name, _)| name.ends_with("Grant"));
    entries.retain(|entry| entry.via.is_none() || !grant(entry));
    entries
}

impl Audit {
    /// Assesses the frameworks.
    pub fn new(
        report: Report,
        looked_at: Vec<(KeyRow, Vec<Entry>)>,
        frameworks: Vec<Framework>,
        expected: &Expected,
    ) -> Self {
        let integrity = match report.integrity.as_ref().map(|integrity| integrity.verdict) {
            None => Integrity::Unverified,
            Some(Verdict::Valid) => Integrity::Valid,
            Some(Verdict::Incomplete) => Integrity::Incomplete,
            Some(Verdict::Invalid) => Integrity::Invalid,
        };
        let mut keys = Vec::with_capacity(looked_at.len());
        let mut changes = Vec::new();
        for (row, entries) in looked_at {
            changes.extend(entries.into_iter().map(|entry| (row.arn.clone(), entry)));
            keys.push(row);
        }
        keys.sort_by(|a, b| a.arn.cmp(&b.arn));
        let within = |at: i64| report.run.from.is_none_or(|from| at >= from) && report.run.to.is_none_or(|to| at < to);
        changes.retain(|(_, entry)| within(entry.from));
        changes.sort_by(|a, b| (a.1.from, &a.1.event_id, &a.0).cmp(&(b.1.from, &b.1.event_id, &b.0)));
        let rules: Vec<&'static str> = report.run.rules_run.clone();
        let assessed = |framework: Framework| {
            let mut assessments =
                assess(&framework, &report.findings, &report.coverage, (&rules, keys.len()), integrity);
            for assessment in &mut assessments {
                reconcile(assessment, &report, expected);
            }
            (framework, assessments)
        };
        let frameworks = frameworks.into_iter().map(assessed).collect();
        Self { report, keys, changes, frameworks, integrity }
    }

    /// What vouches for an object.
    pub fn proof(&self, object: &str) -> Option<&Proof> {
        self.report.inputs.as_ref()?.get(object).map(|input| &input.proof)
    }

    /// Controls of all frameworks by status.
    pub fn tally(&self) -> BTreeMap<Status, usize> {
        let mut tally: BTreeMap<Status, usize> = Status::ALL.into_iter().map(|status| (status, 0)).collect();
        for assessment in self.frameworks.iter().flat_map(|(_, assessments)| assessments) {
            *tally.entry(assessment.status).or_default() += 1;
        }
        tally
    }
}

/// What was expected, against what the log speaks of, both ways.
fn reconcile(assessment: &mut Assessment, report: &Report, expected: &Expected) {
    match expected.missing(report) {
        None => assessment.limits.push(Limit(
            "accounts and Regions are those that the log names: nothing was said about which there are".into(),
        )),
        Some(missing) if !missing.is_empty() => {
            let shown: Vec<&str> = missing.iter().take(5).map(String::as_str).collect();
            let more = missing.len() - shown.len();
            let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
            assessment.limits.push(Limit(format!("expected, and without any log: {}{rest}", shown.join(", "))));
        }
        Some(_) => {}
    }
    // A verdict over the period says nothing of what was read from outside of it.
    if report.integrity.is_some() {
        let vouched = report.vouched();
        let all: u64 = vouched.values().sum();
        let proven = vouched.get(&Vouched::Valid).copied().unwrap_or(0);
        if proven < all {
            let few = human::count(all - proven, "object");
            assessment.limits.push(Limit(format!("no signed digest proves {few} of the {all} that were read")));
        }
    }
    let surplus = expected.surplus(report);
    if !surplus.is_empty() {
        assessment.limits.push(Limit(format!("in the log, and not expected: {}", surplus.join(", "))));
    }
    if assessment.status == Status::Satisfied && !assessment.limits.is_empty() {
        assessment.status = Status::Partial;
        assessment.because = "nothing speaks against it; what is listed under limits is not proved".into();
    }
}
