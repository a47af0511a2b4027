//! What an inventory came to, and where the log says something else.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::report::human;
use crate::view::{beside, coverage};

/// An inventory beside the log.
#[derive(Serialize)]
pub(in crate::report) struct Inventory<'r> {
    /// Files that answers of KMS stand in.
    files: u64,
    /// One SHA-256 over all files, and over the times of those that have to tell when something was said.
    sha256: &'r str,
    /// Keys that they speak of.
    keys: usize,
    /// Of these, keys that no event in the log names.
    not_in_log: u64,
    /// When the first and the last answer was given.
    captured_from: Option<String>,
    captured_to: Option<String>,
    /// Answers younger than the instant that was asked for: only what has a date of its own was taken from them.
    later: u64,
    /// Accounts and Regions all keys of which were listed.
    listed: Vec<Listed<'r>>,
    /// Calls that were not answered, by call, reason, account and Region.
    refused: Vec<Refused<'r>>,
    /// What could not be used.
    misread: Vec<Misread<'r>>,
    /// Of what log and inventory say different things.
    contradictions: Vec<OfKey<'r>>,
}

#[derive(Serialize)]
struct Listed<'r> {
    account: &'r str,
    region: &'r str,
    captured_at: String,
}

#[derive(Serialize)]
struct Refused<'r> {
    call: &'static str,
    reason: &'r str,
    account: &'r str,
    region: &'r str,
    count: u64,
    /// What the service said to one of them.
    detail: &'r str,
}

#[derive(Serialize)]
struct Misread<'r> {
    source: &'r str,
    reason: &'r str,
}

#[derive(Serialize)]
struct OfKey<'r> {
    key: &'r str,
    #[serde(flatten)]
    contradiction: Contradiction<'r>,
}

impl<'r> Inventory<'r> {
    pub(super) fn of(coverage: &'r coverage::Coverage) -> Option<Self> {
        let inventory = coverage.inventory.as_deref()?;
        let mut refused: BTreeMap<_, (u64, &str)> = BTreeMap::new();
        for one in &inventory.refused {
            let place = (one.call.id(), one.reason.as_str(), one.account.as_str(), one.region.as_str());
            refused.entry(place).or_insert((0, &one.detail)).0 += 1;
        }
        let listed = |((account, region), place): (&'r (String, String), &'r crate::inventory::Place)| {
            let captured_at = human::rfc3339(place.listed.as_ref()?.captured_at);
            Some(Listed { account, region, captured_at })
        };
        Some(Self {
            files: inventory.files,
            sha256: &inventory.digest,
            keys: inventory.keys.len(),
            not_in_log: coverage.not_in_log,
            captured_from: inventory.span.map(|span| human::rfc3339(span.0)),
            captured_to: inventory.span.map(|span| human::rfc3339(span.1)),
            later: inventory.later,
            listed: inventory.places.iter().filter_map(listed).collect(),
            refused: refused
                .into_iter()
                .map(|((call, reason, account, region), (count, detail))| Refused {
                    call,
                    reason,
                    account,
                    region,
                    count,
                    detail,
                })
                .collect(),
            misread: inventory.misread.iter().map(|one| Misread { source: &one.source, reason: &one.reason }).collect(),
            contradictions: coverage
                .contradictions
                .iter()
                .map(|(key, one)| OfKey { key, contradiction: Contradiction::of(one) })
                .collect(),
        })
    }
}

/// Log and inventory disagree.
#[derive(Serialize)]
pub(in crate::report) struct Contradiction<'r> {
    about: &'static str,
    log: &'r str,
    inventory: &'r str,
    captured_at: String,
    source: &'r str,
    /// False when the log that was read ends before `captured_at`: what happened in between may explain it.
    log_reaches: bool,
}

impl<'r> Contradiction<'r> {
    pub(in crate::report) fn of(one: &'r beside::Contradiction) -> Self {
        Self {
            about: one.about,
            log: &one.log,
            inventory: &one.inventory,
            captured_at: human::rfc3339(one.stamp.captured_at),
            source: &one.stamp.source,
            log_reaches: one.log_reaches,
        }
    }
}
