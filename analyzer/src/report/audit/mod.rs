//! `keytrail report`: controls of frameworks against what the log proves, for auditors.

mod asked;
mod compare;
mod csv;
mod expected;
mod html;
mod inventoried;
mod json;
mod operating;
mod oscal;
#[cfg(feature = "pdf")]
mod pdf;
mod previous;
mod sample;
mod since;
mod style;

use std::collections::BTreeMap;

pub use compare::{Comparison, Fixed, Moved, Point};
pub use csv::{changes as changes_csv, controls as controls_csv, evidence as evidence_csv, sample as sample_csv};
use expected::reconcile;
pub use expected::{Expected, Reconciled, Reconciliation};
pub use html::render as html;
use inventoried::Inventoried;
pub use json::{SCHEMA, render as json};
use operating::cite::cite;
pub use operating::csv::{alerts as alerts_csv, suppressions as suppressions_csv};
pub use operating::{
    Began, Drill, DrillSink, Incident, Kind, Operating, Record, Recorded, Spread, Telling, Unfinished,
};
pub use oscal::render as oscal;
#[cfg(feature = "pdf")]
pub use pdf::render as pdf;
pub use previous::Previous;
pub use sample::{METHOD, Sample};

use super::Report;
use super::timeline::{self, Entry};
use crate::compliance::{Assessment, Framework, Integrity, Status, assess};
use crate::finding::Proof;
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
    /// What must be there, against what the logs speak of.
    pub expected: Reconciliation,
    /// What lakes prove of alerting; `None` when no source is a lake.
    pub operating: Option<Operating>,
    /// Calls that were drawn from the population.
    pub sample: Option<Sample>,
    /// What changed since an earlier report.
    pub comparison: Option<Comparison>,
}

/// What else a report is asked for.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// What must be there.
    pub expected: Expected,
    /// What the lakes among the sources remember of alerting; `None` when there is none.
    pub recorded: Option<Recorded>,
    /// Calls to draw from the population, and the seed.
    pub sample: Option<(usize, String)>,
    /// An earlier report.
    pub previous: Option<Previous>,
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
        asked: &Asked,
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
        let operating = asked.recorded.as_ref().map(|recorded| Operating::of(recorded, &report));
        let inventoried = Inventoried::of(&report, &keys);
        let mut must_be = asked.expected.clone();
        if must_be.keys.is_empty() {
            must_be.keys = inventoried.keys.clone().unwrap_or_default();
        }
        let expected = Reconciliation::of(&must_be, &report, &keys);
        let sample = asked.sample.as_ref().map(|(count, seed)| Sample::draw(seed, *count, &changes));
        let rules: Vec<&'static str> = report.run.rules_run.clone();
        let period = (report.run.from, report.run.to);
        let assessed = |framework: Framework| {
            let mut assessments =
                assess(&framework, &report.findings, &report.coverage, (&rules, keys.len()), integrity, period);
            for (assessment, control) in assessments.iter_mut().zip(&framework.controls) {
                reconcile(assessment, control, &report, (&expected, &inventoried.missing));
                cite(assessment, control, operating.as_ref(), report.run.as_of);
            }
            (framework, assessments)
        };
        let frameworks = frameworks.into_iter().map(assessed).collect();
        let mut audit =
            Self { report, keys, changes, frameworks, integrity, expected, operating, sample, comparison: None };
        audit.comparison = asked.previous.as_ref().map(|previous| Comparison::of(previous, &audit));
        audit
    }

    /// What vouches for an object.
    pub fn proof(&self, object: &str) -> Option<&Proof> {
        self.report.inputs.as_ref()?.get(object).map(|input| &input.proof)
    }

    /// When the report was made, for formats that must say it: the as-of instant, and of nothing the period.
    fn made(&self) -> i64 {
        let run = &self.report.run;
        run.as_of.or(run.to).or(run.from).unwrap_or(0)
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
