//! `--format json`: one document, `keytrail.report/1`.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Audit;
use super::operating::json::{Alerting, Suppression};
use super::since::{Compared, Kinds, OfSample};
use crate::compliance::{Assessment, Control, Framework, Integrity};
use crate::report::{escape, human, wire};

/// Name and version of the document.
pub const SCHEMA: &str = "keytrail.report/1";

/// The document, indented, with a line break at its end.
pub fn render(audit: &Audit) -> String {
    // Wire types hold strings, numbers and lists only, which cannot fail to serialize.
    let mut text = escape::json_document(serde_json::to_string_pretty(&Document::of(audit)).unwrap_or_default());
    text.push('\n');
    text
}

/// Name of the verdict over the logs.
pub(super) fn integrity(integrity: Integrity) -> &'static str {
    match integrity {
        Integrity::Unverified => "unverified",
        Integrity::Valid => "valid",
        Integrity::Incomplete => "incomplete",
        Integrity::Invalid => "invalid",
    }
}

/// The document, which the PDF is made from, too.
#[derive(Serialize)]
pub(super) struct Document<'r> {
    schema: &'static str,
    run: wire::Run<'r>,
    integrity: &'static str,
    /// What was read, in one hash.
    inputs: Option<OfInputs>,
    frameworks: Vec<Assessed<'r>>,
    findings: Vec<wire::Finding<'r>>,
    keys: usize,
    changes: usize,
    /// What must be there, against what the logs speak of.
    expected: Kinds<'r>,
    /// What the lakes among the sources keep of alerting; `null` when no source is one.
    alerting: Option<Alerting<'r>>,
    /// Suppressions of the configuration, in their order.
    suppressions: Vec<Suppression<'r>>,
    /// Calls that were drawn from the population of changes; `null` when none were asked for.
    sample: Option<OfSample<'r>>,
    /// What changed since an earlier report; `null` when none was given.
    comparison: Option<Compared<'r>>,
    coverage: wire::Coverage<'r>,
    hours: Vec<Hours<'r>>,
    skipped: Vec<wire::Skipped<'r>>,
    notices: &'r [String],
}

impl<'r> Document<'r> {
    pub(super) fn of(audit: &'r Audit) -> Self {
        let report = &audit.report;
        Self {
            schema: SCHEMA,
            run: wire::Run::of(report),
            integrity: integrity(audit.integrity),
            inputs: report
                .inputs
                .as_ref()
                .map(|inputs| OfInputs { objects: inputs.all().len(), manifest_sha256: inputs.digest() }),
            frameworks: audit.frameworks.iter().map(|(framework, all)| Assessed::of(audit, framework, all)).collect(),
            findings: report.findings.iter().map(wire::Finding::of).collect(),
            keys: audit.keys.len(),
            changes: audit.changes.len(),
            expected: Kinds::of(&audit.expected),
            alerting: audit.operating.as_ref().map(Alerting::of),
            suppressions: report.suppressions.iter().map(Suppression::of).collect(),
            sample: audit.sample.as_ref().map(|sample| OfSample::of(audit, sample)),
            comparison: audit.comparison.as_ref().map(|comparison| Compared::of(audit, comparison)),
            coverage: wire::Coverage::of(report),
            hours: report.coverage.days.iter().map(Hours::of).collect(),
            skipped: report.coverage.skipped.iter().map(wire::Skipped::of).collect(),
            notices: &report.notices,
        }
    }
}

/// The manifest of what was read: `inputs.ndjson` of the evidence pack.
#[derive(Serialize)]
struct OfInputs {
    objects: usize,
    /// SHA-256 of the manifest, hex.
    manifest_sha256: String,
}

/// Hours with a log on each day of one account and Region.
#[derive(Serialize)]
struct Hours<'r> {
    account: &'r str,
    region: &'r str,
    days: BTreeMap<String, u32>,
}

impl<'r> Hours<'r> {
    fn of(((account, region), days): (&'r (String, String), &'r BTreeMap<i64, u32>)) -> Self {
        let date = |day: i64| human::time(day * 86_400_000).chars().take(10).collect();
        Self { account, region, days: days.iter().map(|(&day, &hours)| (date(day), hours)).collect() }
    }
}

#[derive(Serialize)]
struct Assessed<'r> {
    id: &'r str,
    name: &'r str,
    mapping: &'r str,
    source: &'r str,
    controls: Vec<OfControl<'r>>,
}

impl<'r> Assessed<'r> {
    fn of(audit: &'r Audit, framework: &'r Framework, all: &'r [Assessment]) -> Self {
        Self {
            id: &framework.id,
            name: &framework.name,
            mapping: &framework.mapping,
            source: &framework.source,
            controls: framework
                .controls
                .iter()
                .zip(all)
                .map(|(control, one)| OfControl::of(audit, control, one))
                .collect(),
        }
    }
}

#[derive(Serialize)]
struct OfControl<'r> {
    id: &'r str,
    title: &'r str,
    status: &'static str,
    because: &'r str,
    findings: Vec<OfFinding>,
    events: Vec<OfEvent<'r>>,
    /// What shows that somebody is told, of controls that ask for it.
    operated: &'r [String],
    limits: Vec<&'r str>,
    cannot: &'r str,
    ask: &'r [String],
}

#[derive(Serialize)]
struct OfFinding {
    id: String,
    decides: bool,
}

#[derive(Serialize)]
struct OfEvent<'r> {
    name: &'r str,
    count: u64,
}

impl<'r> OfControl<'r> {
    fn of(audit: &'r Audit, control: &'r Control, assessment: &'r Assessment) -> Self {
        let finding = |index: usize| audit.report.findings[index].id.to_string();
        Self {
            id: &control.id,
            title: &control.title,
            status: assessment.status.id(),
            because: &assessment.because,
            findings: assessment
                .against
                .iter()
                .map(|evidence| OfFinding { id: finding(evidence.finding), decides: evidence.decides })
                .collect(),
            events: assessment.events.iter().map(|(name, count)| OfEvent { name, count: *count }).collect(),
            operated: &assessment.operated,
            limits: assessment.limits.iter().map(|limit| limit.0.as_str()).collect(),
            cannot: &control.cannot,
            ask: &control.ask,
        }
    }
}
