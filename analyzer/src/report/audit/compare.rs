//! What changed since an earlier report: findings by their ids, which no path and no window enters, and controls.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::previous::{Finding as Was, Previous};
use super::{Audit, json};
use crate::finding::{Finding, Status};
use crate::report::human;

/// Reports that a trend goes back.
const POINTS: usize = 24;

/// One report in the trend.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Point {
    /// Instant that it counted from.
    pub as_of: Option<String>,
    /// Start of its period.
    pub from: Option<String>,
    /// End of its period, exclusive.
    pub to: Option<String>,
    /// Version of keytrail.
    pub version: String,
    /// Open findings by severity.
    pub open: BTreeMap<String, u64>,
    /// Controls by status.
    pub controls: BTreeMap<String, u64>,
}

/// A finding that was open, and is not any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fixed {
    /// Its id then.
    pub id: String,
    /// Rule id.
    pub rule: String,
    /// Severity then.
    pub severity: String,
    /// Title then.
    pub title: String,
    /// Account.
    pub account: String,
    /// Region.
    pub region: String,
    /// `closed` or `suppressed`, or `absent` when this report has no such finding.
    pub now: &'static str,
}

/// A control whose status changed. A status is `null` in a report that does not have the control.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Moved {
    /// Framework.
    pub framework: String,
    /// Its id of the control.
    pub control: String,
    /// Status then.
    pub before: Option<String>,
    /// Status now.
    pub now: Option<String>,
}

/// What changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// What makes the two hard to compare.
    pub mismatches: Vec<String>,
    /// Open now and not then: indices of findings.
    pub new: Vec<usize>,
    /// Open then and now: indices of findings.
    pub persisting: Vec<usize>,
    /// Open then and not now.
    pub fixed: Vec<Fixed>,
    /// Controls that are not what they were.
    pub moved: Vec<Moved>,
    /// Reports from the first to this one.
    pub trend: Vec<Point>,
}

impl Comparison {
    pub(super) fn of(previous: &Previous, audit: &Audit) -> Self {
        let mut then: BTreeMap<&str, &Was> =
            previous.findings.iter().filter(|was| was.status == "open").map(|was| (was.id.as_str(), was)).collect();
        let (mut new, mut persisting, mut fixed) = (Vec::new(), Vec::new(), Vec::new());
        for (index, finding) in audit.report.findings.iter().enumerate() {
            // Late data may have moved its anchor: then it has another id, and knows the old one.
            let mut was = None;
            for id in std::iter::once(&finding.id).chain(&finding.supersedes) {
                was = then.remove(id.as_str()).or(was);
            }
            match (&finding.status, was) {
                (Status::Open, None) => new.push(index),
                (Status::Open, Some(_)) => persisting.push(index),
                (_, Some(was)) => fixed.push(ended(was, finding)),
                (_, None) => {}
            }
        }
        fixed.extend(then.into_values().map(|was| gone(was, "absent")));
        fixed.sort_by(|a, b| (&a.account, &a.region, &a.rule, &a.id).cmp(&(&b.account, &b.region, &b.rule, &b.id)));
        let mut trend = previous.comparison.as_ref().map(|earlier| earlier.trend.clone()).unwrap_or_default();
        // The last point of the earlier report is that report itself.
        trend.pop();
        trend.push(previous.point());
        trend.push(point(audit));
        trend.drain(..trend.len().saturating_sub(POINTS));
        Self { mismatches: mismatches(previous, audit), new, persisting, fixed, moved: moved(previous, audit), trend }
    }
}

fn ended(was: &Was, finding: &Finding) -> Fixed {
    gone(was, finding.status.id())
}

fn gone(was: &Was, now: &'static str) -> Fixed {
    let Was { id, rule, severity, title, account, region, .. } = was.clone();
    Fixed { id, rule, severity, title, account, region, now }
}

fn point(audit: &Audit) -> Point {
    let run = &audit.report.run;
    let mut open: BTreeMap<String, u64> = BTreeMap::new();
    for finding in audit.report.findings.iter().filter(|finding| finding.status == Status::Open) {
        *open.entry(finding.severity.id().into()).or_default() += 1;
    }
    let controls = audit.tally().into_iter().filter(|(_, count)| *count > 0);
    Point {
        as_of: run.as_of.map(human::rfc3339),
        from: run.from.map(human::rfc3339),
        to: run.to.map(human::rfc3339),
        version: run.version.into(),
        open,
        controls: controls.map(|(status, count)| (status.id().to_owned(), count as u64)).collect(),
    }
}

fn moved(previous: &Previous, audit: &Audit) -> Vec<Moved> {
    let mut all: BTreeMap<(String, String), (Option<String>, Option<String>)> = BTreeMap::new();
    for framework in &previous.frameworks {
        for control in &framework.controls {
            all.entry((framework.id.clone(), control.id.clone())).or_default().0 = Some(control.status.clone());
        }
    }
    for (framework, assessments) in &audit.frameworks {
        for (control, assessment) in framework.controls.iter().zip(assessments) {
            let now = assessment.status.id().to_owned();
            all.entry((framework.id.clone(), control.id.clone())).or_default().1 = Some(now);
        }
    }
    // Of a framework that only one of them has, nothing moved: a mismatch says so.
    let both = |id: &str| {
        previous.frameworks.iter().any(|framework| framework.id == id)
            && audit.frameworks.iter().any(|(framework, _)| framework.id == id)
    };
    all.into_iter()
        .filter(|((framework, _), (before, now))| before != now && both(framework))
        .map(|((framework, control), (before, now))| Moved { framework, control, before, now })
        .collect()
}

/// What differs beside what was found.
fn mismatches(previous: &Previous, audit: &Audit) -> Vec<String> {
    let run = &audit.report.run;
    let mut told = Vec::new();
    let mut differs = |what: &str, then: &str, now: &str| {
        if then != now {
            told.push(format!("{what}: {then} then, {now} now"));
        }
    };
    differs("version of keytrail", &previous.run.version, run.version);
    differs("settings", &previous.run.settings, &run.settings_digest);
    differs("integrity of the logs", &previous.integrity, json::integrity(audit.integrity));
    for framework in &previous.frameworks {
        if let Some((own, _)) = audit.frameworks.iter().find(|(own, _)| own.id == framework.id) {
            differs(&format!("mapping of {}", own.id), &framework.mapping, &own.mapping);
        }
    }
    let coverage = &audit.report.coverage;
    let mut sides = |what: &str, then: BTreeSet<&str>, now: BTreeSet<&str>| {
        let names = |of: Vec<&&str>| of.into_iter().copied().collect::<Vec<_>>().join(", ");
        let (only_then, only_now) = (names(then.difference(&now).collect()), names(now.difference(&then).collect()));
        for (only, when) in [(only_then, "then"), (only_now, "now")] {
            if !only.is_empty() {
                told.push(format!("{what} only {when}: {only}"));
            }
        }
    };
    let texts = |list: &'_ [String]| -> BTreeSet<String> { list.iter().cloned().collect() };
    let (accounts, regions) = (texts(&previous.coverage.accounts), texts(&previous.coverage.regions));
    sides(
        "accounts",
        accounts.iter().map(String::as_str).collect(),
        coverage.accounts.iter().map(String::as_str).collect(),
    );
    sides(
        "Regions",
        regions.iter().map(String::as_str).collect(),
        coverage.regions.iter().map(String::as_str).collect(),
    );
    let rules = texts(&previous.coverage.rules.run);
    sides("rules", rules.iter().map(String::as_str).collect(), run.rules_run.iter().copied().collect());
    let then = previous.frameworks.iter().map(|framework| framework.id.as_str()).collect();
    sides("frameworks", then, audit.frameworks.iter().map(|(framework, _)| framework.id.as_str()).collect());
    let (then, now) = (previous.run.as_of.as_deref(), run.as_of.map(human::rfc3339));
    if then.is_some() && then >= now.as_deref() {
        told.push("the earlier report is not the earlier one: it counts from the same instant or a later one".into());
    }
    told
}
