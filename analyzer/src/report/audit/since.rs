//! Members of the document that are there when somebody asks for them: expectations, sample, comparison.

use serde::Serialize;

use super::{Audit, Comparison, Fixed, METHOD, Moved, Point, Reconciled, Reconciliation, Sample};
use crate::finding::Vouched;
use crate::report::human;

/// Expectations by kind; `null` where nothing was said.
#[derive(Serialize)]
pub(super) struct Kinds<'r> {
    accounts: Option<Sides<'r>>,
    regions: Option<Sides<'r>>,
    keys: Option<Sides<'r>>,
}

/// Both ways.
#[derive(Serialize)]
struct Sides<'r> {
    /// How many were expected.
    expected: usize,
    /// Expected, and the log says nothing of it.
    missing: &'r [String],
    /// In the log, and not expected.
    surplus: &'r [String],
}

impl<'r> Kinds<'r> {
    pub(super) fn of(reconciliation: &'r Reconciliation) -> Self {
        let sides = |of: &'r Option<Reconciled>| {
            of.as_ref().map(|of| Sides { expected: of.expected, missing: &of.missing, surplus: &of.surplus })
        };
        let Reconciliation { accounts, regions, keys } = reconciliation;
        Self { accounts: sides(accounts), regions: sides(regions), keys: sides(keys) }
    }
}

/// A sample, and how to draw it again.
#[derive(Serialize)]
pub(super) struct OfSample<'r> {
    seed: &'r str,
    /// How many were asked for.
    asked: usize,
    /// How many there are to draw from.
    population: usize,
    method: &'static str,
    calls: Vec<Call<'r>>,
}

/// A call that was drawn.
#[derive(Serialize)]
struct Call<'r> {
    /// The hash that decided.
    draw_sha256: &'r str,
    time: String,
    key: &'r str,
    event_name: &'r str,
    what: &'r str,
    principal: &'r str,
    who: &'r str,
    error_code: Option<&'r str>,
    event_id: &'r str,
    object: &'r str,
    record: u32,
    sha256: Option<&'r str>,
    integrity: &'static str,
}

impl<'r> OfSample<'r> {
    pub(super) fn of(audit: &'r Audit, sample: &'r Sample) -> Self {
        let call = |(place, hash): &'r (usize, String)| {
            let (key, entry) = audit.changes.get(*place)?;
            let proof = audit.proof(&entry.object);
            Some(Call {
                draw_sha256: hash,
                time: human::rfc3339(entry.from),
                key,
                event_name: entry.operations.first().map_or("", |(name, _)| name.as_str()),
                what: &entry.what,
                principal: &entry.principal,
                who: &entry.who,
                error_code: entry.error.as_deref(),
                event_id: &entry.event_id,
                object: &entry.object,
                record: entry.record(),
                sha256: proof.and_then(|proof| proof.sha256.as_deref()),
                integrity: proof.map(|proof| proof.vouched).map_or(Vouched::Unverified.id(), Vouched::id),
            })
        };
        Self {
            seed: &sample.seed,
            asked: sample.asked,
            population: audit.changes.len(),
            method: METHOD,
            calls: sample.drawn.iter().filter_map(call).collect(),
        }
    }
}

/// What changed.
#[derive(Serialize)]
pub(super) struct Compared<'r> {
    /// What makes the two hard to compare.
    mismatches: &'r [String],
    /// Ids of findings that are open now and were not then.
    new: Vec<&'r str>,
    /// Ids of findings that were open then and are now.
    persisting: Vec<&'r str>,
    /// Findings that were open then and are not now.
    fixed: &'r [Fixed],
    /// Controls that are not what they were.
    controls: &'r [Moved],
    /// Reports from the first to this one.
    trend: &'r [Point],
}

impl<'r> Compared<'r> {
    pub(super) fn of(audit: &'r Audit, comparison: &'r Comparison) -> Self {
        let ids = |places: &[usize]| {
            places.iter().filter_map(|at| audit.report.findings.get(*at)).map(|finding| finding.id.as_str()).collect()
        };
        Self {
            mismatches: &comparison.mismatches,
            new: ids(&comparison.new),
            persisting: ids(&comparison.persisting),
            fixed: &comparison.fixed,
            controls: &comparison.moved,
            trend: &comparison.trend,
        }
    }
}
