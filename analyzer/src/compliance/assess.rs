//! The status of each control, from findings and coverage.

use super::framework::{Control, Framework, Need};
use crate::finding::{Confidence, Finding, Severity, Status as FindingStatus};
use crate::view::Coverage;

/// Status of a control: the one vocabulary of every output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// The log shows that it does not hold.
    Contradicted,
    /// Nothing speaks against it, and something is not proved.
    Partial,
    /// The log cannot tell.
    NotDeterminable,
    /// The log shows that it holds, for the whole period.
    Satisfied,
    /// It asks for nothing here.
    NotApplicable,
}

impl Status {
    /// Name in outputs.
    pub fn id(self) -> &'static str {
        match self {
            Self::Contradicted => "contradicted",
            Self::Partial => "partial",
            Self::NotDeterminable => "not determinable",
            Self::Satisfied => "satisfied",
            Self::NotApplicable => "not applicable",
        }
    }

    /// Every status.
    pub const ALL: [Self; 5] =
        [Self::Contradicted, Self::Partial, Self::NotDeterminable, Self::Satisfied, Self::NotApplicable];
}

/// Whether the logs themselves were validated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Integrity {
    /// Nobody looked.
    Unverified,
    /// Every object of the period stands in a signed digest of an unbroken chain.
    Valid,
    /// Some of it does.
    Incomplete,
    /// Something was changed or is missing.
    Invalid,
}

/// Something that keeps a control from being satisfied.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Limit(pub String);

/// A finding that speaks against a control.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Index among the report's findings.
    pub finding: usize,
    /// True when it decides; false when it is only possible, closed or accepted.
    pub decides: bool,
}

/// What came of one control.
#[derive(Clone, Debug)]
pub struct Assessment {
    /// Status.
    pub status: Status,
    /// Why, in a sentence.
    pub because: String,
    /// Findings that speak against it.
    pub against: Vec<Evidence>,
    /// Events of its operation, by name, with their counts in the period.
    pub events: Vec<(String, u64)>,
    /// What shows that somebody is told, where the control asks for it.
    pub operated: Vec<String>,
    /// What is not proved.
    pub limits: Vec<Limit>,
}

/// Assesses every control of a framework, in its order. `period` is what was asked about: start, and end, exclusive.
pub fn assess(
    framework: &Framework,
    findings: &[Finding],
    coverage: &Coverage,
    (rules_run, keys): (&[&'static str], usize),
    integrity: Integrity,
    period: (Option<i64>, Option<i64>),
) -> Vec<Assessment> {
    let general = general_limits(coverage, integrity, period);
    framework
        .controls
        .iter()
        .map(|control| of_control(control, findings, coverage, (rules_run, keys), integrity, &general))
        .collect()
}

fn of_control(
    control: &Control,
    findings: &[Finding],
    coverage: &Coverage,
    (rules_run, keys): (&[&'static str], usize),
    integrity: Integrity,
    general: &[Limit],
) -> Assessment {
    let of_rules = |finding: &Finding| control.rules.iter().any(|rule| rule == finding.rule);
    let against: Vec<Evidence> = findings
        .iter()
        .enumerate()
        .filter(|(_, finding)| of_rules(finding))
        .map(|(index, finding)| Evidence { finding: index, decides: decides(finding) })
        .collect();
    let count = |name: &String| (name.clone(), coverage.operations.get(name).copied().unwrap_or(0));
    let events = control.events.iter().map(count).filter(|(_, count)| *count > 0).collect();
    let mut limits = general.to_vec();
    let silent: Vec<&str> = control.rules.iter().map(String::as_str).filter(|rule| !rules_run.contains(rule)).collect();
    if !silent.is_empty() {
        limits.push(Limit(format!("did not run: {}", silent.join(", "))));
    }
    let unsure = against.iter().filter(|evidence| findings[evidence.finding].severity == Severity::Info).count();
    if unsure > 0 {
        limits.push(Limit(format!("{unsure} of the findings say what the log cannot tell")));
    }
    let deciding = against.iter().filter(|evidence| evidence.decides).count();
    let nothing = coverage.records.kms == 0;
    let (status, because) = if deciding > 0 && control.watch {
        let them = if deciding == 1 { "1 open finding was".into() } else { format!("{deciding} open findings were") };
        (Status::Partial, format!("{them} there to be answered: ask how"))
    } else if deciding > 0 {
        let open =
            if deciding == 1 { "1 open finding speaks".into() } else { format!("{deciding} open findings speak") };
        (Status::Contradicted, format!("{open} against it"))
    } else if let Some(because) = contradiction(control, coverage, integrity) {
        (Status::Contradicted, because)
    } else if let Some(because) = unknown(control, integrity, keys, nothing) {
        (Status::NotDeterminable, because)
    } else if !control.rules.is_empty() && silent.len() == control.rules.len() {
        (Status::NotDeterminable, "none of its rules ran".into())
    } else if limits.is_empty() {
        (Status::Satisfied, "nothing in a complete and verified log speaks against it".into())
    } else {
        (Status::Partial, "nothing speaks against it; what is listed under limits is not proved".into())
    };
    Assessment { status, because, against, events, operated: Vec::new(), limits }
}

/// Open, at least low, and more than a guess. What is accepted with a reason, over, or a guess is listed and decides
/// nothing.
fn decides(finding: &Finding) -> bool {
    finding.status == FindingStatus::Open
        && finding.severity >= Severity::Low
        && finding.confidence >= Confidence::Medium
}

fn contradiction(control: &Control, coverage: &Coverage, integrity: Integrity) -> Option<String> {
    let needs = |need| control.needs.contains(&need);
    if needs(Need::Integrity) && integrity == Integrity::Invalid {
        return Some("log files or digests were changed, or are missing".into());
    }
    let blind = coverage.blind.len();
    (needs(Need::Logging) && blind > 0)
        .then(|| format!("logging was stopped or narrowed: {blind} window(s) in the log"))
}

fn unknown(control: &Control, integrity: Integrity, keys: usize, nothing: bool) -> Option<String> {
    let needs = |need| control.needs.contains(&need);
    if needs(Need::Integrity) && integrity == Integrity::Unverified {
        return Some("the log files were not validated against their digests".into());
    }
    if needs(Need::Keys) && keys == 0 {
        return Some("no key is known from the log".into());
    }
    nothing.then(|| "there is no KMS event in the period".into())
}

/// What keeps every control from being satisfied.
fn general_limits(coverage: &Coverage, integrity: Integrity, (from, to): (Option<i64>, Option<i64>)) -> Vec<Limit> {
    let mut limits = Vec::new();
    match integrity {
        Integrity::Valid => {}
        Integrity::Unverified => limits.push("the log files were not validated against their digests".to_string()),
        Integrity::Incomplete => limits.push("only a part of the log files could be validated".to_string()),
        Integrity::Invalid => limits.push("log files or digests were changed, or are missing".to_string()),
    }
    let unread = coverage.skipped.iter().filter(|skipped| !skipped.reason.is_expected()).count();
    if unread > 0 {
        limits.push(format!("{unread} object(s) could not be read"));
    }
    if coverage.records.rejected > 0 {
        limits.push(format!("{} record(s) could not be understood", coverage.records.rejected));
    }
    let gaps: i64 = coverage.gaps.iter().map(|gap| (gap.to - gap.from) / 3_600_000).sum();
    // A valid chain proves that an hour without a log was quiet.
    if gaps > 0 && integrity != Integrity::Valid {
        limits.push(format!("{gaps} hour(s) without any log are unproved: neither idle nor lost"));
    }
    let outside = coverage.days_outside(from, to);
    if outside > 0 && integrity != Integrity::Valid {
        limits.push(format!(
            "{outside} day(s) of the period, before the first or after the last log of an account and Region, are unproved"
        ));
    }
    if !coverage.blind.is_empty() {
        limits.push(format!("{} window(s) in which a trail did not log KMS", coverage.blind.len()));
    }
    limits.into_iter().map(Limit).collect()
}
