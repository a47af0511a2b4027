//! The coverage member.

use std::collections::BTreeMap;

use serde::Serialize;

use super::inventory::Inventory;
use crate::report::{Report, human};
use crate::view::coverage;

/// What was looked at, and what was not.
#[derive(Serialize)]
pub(in crate::report) struct Coverage<'r> {
    /// False when something that should have been read could not be; such a run ends with exit code 4 or 14.
    complete: bool,
    /// Objects of the sources.
    objects: Objects,
    /// Records in the objects.
    records: Records,
    /// Deduplicated KMS events per operation.
    operations: &'r BTreeMap<String, u64>,
    /// Bytes of the objects that were opened.
    bytes: Bytes,
    /// Time of the first kept event.
    from: Option<String>,
    /// Time of the last kept event.
    to: Option<String>,
    /// Accounts in whose logs events were found.
    accounts: Vec<&'r str>,
    /// Regions in whose logs events were found.
    regions: Vec<&'r str>,
    /// Rules of the run.
    rules: Rules<'r>,
    /// Hours with and without logs.
    hours: Hours<'r>,
    /// Rejected records per reason.
    rejected: BTreeMap<&'static str, u64>,
    /// The first few rejected records of each object.
    rejected_at: Vec<RejectedAt<'r>>,
    /// Objects per remark about something that did not keep them from being read.
    notes: BTreeMap<&'static str, u64>,
    /// Windows in which a trail did not log KMS.
    blind: Vec<Blind<'r>>,
    /// What the digests say of the logs; only there when they were validated.
    #[serde(skip_serializing_if = "Option::is_none")]
    integrity: Option<Integrity<'r>>,
    /// What KMS itself said of keys; only with `--inventory`.
    #[serde(skip_serializing_if = "Option::is_none")]
    inventory: Option<Inventory<'r>>,
}

/// The verdict over the period, and over the objects whose records were read.
#[derive(Serialize)]
struct Integrity<'r> {
    /// valid, incomplete or invalid: as `keytrail verify` says it.
    verdict: &'static str,
    /// Objects that were read, per verdict of their own.
    objects: BTreeMap<&'static str, u64>,
    /// How many things are wrong.
    problems: u64,
    /// The first of them.
    first: &'r [String],
    /// Objects that were read from a lake: their verdicts are about what they were when it was filled.
    #[serde(skip_serializing_if = "Option::is_none")]
    from_lake: Option<u64>,
}

/// Counts of objects: `seen` = `read` + `skipped`; `pruned` were never opened.
#[derive(Serialize)]
struct Objects {
    seen: u64,
    read: u64,
    skipped: u64,
    pruned: u64,
}

/// Counts of records: `seen` before deduplication, `kms` and `related` after it.
#[derive(Serialize)]
struct Records {
    seen: u64,
    kms: u64,
    related: u64,
    rejected: u64,
    duplicates: u64,
}

/// Bytes as stored and after decompression.
#[derive(Serialize)]
struct Bytes {
    compressed: u64,
    inflated: u64,
}

/// Rule ids.
#[derive(Serialize)]
struct Rules<'r> {
    run: Vec<&'static str>,
    skipped: Vec<SkippedRule<'r>>,
}

/// A rule that could not run.
#[derive(Serialize)]
struct SkippedRule<'r> {
    rule: &'static str,
    reason: &'r str,
}

/// Hours per account and Region, summed.
#[derive(Serialize)]
struct Hours<'r> {
    /// Hours with at least one log.
    logged: u64,
    /// Runs of hours without a log between the first and the last: unproved, neither idle nor lost.
    gaps: Vec<Gap<'r>>,
}

/// A run of hours without a log; `to` is exclusive.
#[derive(Serialize)]
struct Gap<'r> {
    account: &'r str,
    region: &'r str,
    from: String,
    to: String,
}

/// Where a rejected record stands; `record` counts from 0.
#[derive(Serialize)]
struct RejectedAt<'r> {
    object: &'r str,
    record: u32,
    reason: &'static str,
}

/// A window in which a trail did not log KMS; `to` is `null` when nothing in the log ended it.
#[derive(Serialize)]
struct Blind<'r> {
    account: &'r str,
    region: &'r str,
    trail: &'r str,
    what: &'static str,
    from: String,
    to: Option<String>,
    by: &'r str,
}

impl<'r> Coverage<'r> {
    pub(in crate::report) fn of(report: &'r Report) -> Self {
        let coverage::Coverage {
            objects,
            records,
            operations,
            bytes,
            span,
            accounts,
            regions,
            skipped: _, // a top-level member of its own
            rejected,
            rejected_at,
            notes,
            gaps,
            hours_logged,
            blind,
            inventory: _, // below, with the two after it
            contradictions: _,
            not_in_log: _,
            // The matrix stands in reports.
            last: _,
            days: _,
        } = &report.coverage;
        let skipped_rules = report.run.rules_skipped.iter();
        Self {
            complete: report.coverage.is_complete(),
            objects: Objects {
                seen: objects.seen,
                read: objects.read,
                skipped: objects.skipped,
                pruned: objects.pruned,
            },
            records: Records {
                seen: records.seen,
                kms: records.kms,
                related: records.related,
                rejected: records.rejected,
                duplicates: records.duplicates,
            },
            operations,
            bytes: Bytes { compressed: bytes.compressed, inflated: bytes.inflated },
            from: span.map(|(from, _)| human::rfc3339(from)),
            to: span.map(|(_, to)| human::rfc3339(to)),
            accounts: accounts.iter().map(String::as_str).collect(),
            regions: regions.iter().map(String::as_str).collect(),
            rules: Rules {
                run: report.run.rules_run.clone(),
                skipped: skipped_rules.map(|(rule, reason)| SkippedRule { rule, reason }).collect(),
            },
            hours: Hours { logged: *hours_logged, gaps: gaps.iter().map(Gap::of).collect() },
            rejected: rejected.iter().map(|(reason, n)| (reason.id(), *n)).collect(),
            rejected_at: rejected_at.iter().map(RejectedAt::of).collect(),
            notes: notes.iter().map(|(note, n)| (note.id(), *n)).collect(),
            blind: blind.iter().map(Blind::of).collect(),
            integrity: report.integrity.as_ref().map(|integrity| Integrity {
                verdict: integrity.verdict.id(),
                objects: report.vouched().into_iter().map(|(vouched, count)| (vouched.id(), count)).collect(),
                problems: integrity.problems,
                first: &integrity.first,
                from_lake: Some(integrity.from_lake).filter(|count| *count > 0),
            }),
            inventory: Inventory::of(&report.coverage),
        }
    }
}

impl<'r> Gap<'r> {
    fn of(gap: &'r coverage::Gap) -> Self {
        let (from, to) = (human::rfc3339(gap.from), human::rfc3339(gap.to));
        Self { account: &gap.account, region: &gap.region, from, to }
    }
}

impl<'r> RejectedAt<'r> {
    fn of(at: &'r coverage::RejectedAt) -> Self {
        Self { object: &at.object, record: at.record, reason: at.reason.id() }
    }
}

impl<'r> Blind<'r> {
    fn of(window: &'r coverage::BlindWindow) -> Self {
        Self {
            account: &window.account,
            region: &window.region,
            trail: &window.trail,
            what: window.what.id(),
            from: human::rfc3339(window.from),
            to: window.to.map(human::rfc3339),
            by: &window.by,
        }
    }
}
