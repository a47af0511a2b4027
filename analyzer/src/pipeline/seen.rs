//! What came of the objects, counted as they are read: a bucket has more objects than anybody wants to remember one by one.

use std::collections::{BTreeMap, BTreeSet};

use crate::decode::ObjectReport;
use crate::extract::dates::event_time;
use crate::source::Layout;
use crate::view::Settled;
use crate::view::coverage::{Coverage, RejectedAt, Skipped};
use crate::view::fold::HOUR_MS;
use crate::view::settle::gaps;

/// Account and Region of a log.
type Place = (String, String);

/// Coverage in the making.
#[derive(Default)]
pub(super) struct Seen {
    coverage: Coverage,
    /// Hours in which an object begins.
    hours: BTreeMap<Place, BTreeSet<i64>>,
}

impl Seen {
    /// Counts one object. `detail` is what was said about one that could not be read.
    pub(super) fn add(&mut self, uri: &str, report: ObjectReport, detail: Option<String>) {
        let coverage = &mut self.coverage;
        coverage.objects.seen += 1;
        coverage.bytes.compressed += report.compressed;
        coverage.bytes.inflated += report.inflated;
        coverage.records.seen += report.records;
        coverage.records.rejected += report.rejected.total();
        for (&reason, &count) in &report.rejected.counts {
            *coverage.rejected.entry(reason).or_default() += count;
        }
        for &(record, reason) in &report.rejected.first {
            coverage.rejected_at.push(RejectedAt { object: uri.to_owned(), record, reason });
        }
        for (&note, &count) in &report.notes {
            *coverage.notes.entry(note).or_default() += count;
        }
        match report.skip {
            Some(reason) => {
                coverage.objects.skipped += 1;
                coverage.skipped.push(Skipped { object: uri.to_owned(), reason, detail });
            }
            None => {
                coverage.objects.read += 1;
                if let Some((place, hour)) = place_of(uri, report) {
                    self.hours.entry(place).or_default().insert(hour);
                }
            }
        }
    }

    /// True when no object was seen.
    pub(super) fn is_empty(&self) -> bool {
        self.coverage.objects.seen == 0
    }

    /// Adds what another worker saw.
    pub(super) fn merge(&mut self, other: Self) {
        let (own, theirs) = (&mut self.coverage, other.coverage);
        own.objects.seen += theirs.objects.seen;
        own.objects.read += theirs.objects.read;
        own.objects.skipped += theirs.objects.skipped;
        own.bytes.compressed += theirs.bytes.compressed;
        own.bytes.inflated += theirs.bytes.inflated;
        own.records.seen += theirs.records.seen;
        own.records.rejected += theirs.records.rejected;
        for (reason, count) in theirs.rejected {
            *own.rejected.entry(reason).or_default() += count;
        }
        for (note, count) in theirs.notes {
            *own.notes.entry(note).or_default() += count;
        }
        own.rejected_at.extend(theirs.rejected_at);
        own.skipped.extend(theirs.skipped);
        for (place, hours) in other.hours {
            self.hours.entry(place).or_default().extend(hours);
        }
    }

    /// Closes the coverage with what the rows came to. `asked` are the accounts and Regions asked for, all when empty: of the
    /// logs of others only what concerns these was kept, and hours without it are no gaps.
    pub(super) fn finish(self, pruned: u64, settled: &Settled, asked: (&[String], &[String])) -> Coverage {
        let (accounts, regions) = asked;
        let among = |asked: &[String], own: &String| asked.is_empty() || asked.contains(own);
        let mut coverage = self.coverage;
        coverage.objects.pruned = pruned;
        coverage.records.kms = settled.kms;
        coverage.records.related = settled.related;
        coverage.records.duplicates = settled.duplicates;
        coverage.operations = settled.operations.clone();
        coverage.span = settled.span;
        coverage.blind = settled.blind.clone();
        let mut hours = self.hours;
        for (place, own) in &settled.hours {
            hours.entry(place.clone()).or_default().extend(own);
        }
        hours.retain(|(account, region), _| {
            !account.is_empty() && !region.is_empty() && among(accounts, account) && among(regions, region)
        });
        coverage.accounts = hours.keys().map(|(account, _)| account.clone()).collect();
        coverage.regions = hours.keys().map(|(_, region)| region.clone()).collect();
        coverage.hours_logged = hours.values().map(|hours| hours.len() as u64).sum();
        coverage.gaps = gaps(&hours);
        let last = |(place, hours): (&Place, &BTreeSet<i64>)| Some((place.clone(), hours.last()? * HOUR_MS));
        coverage.last = hours.iter().filter_map(last).collect();
        for (place, hours) in &hours {
            let days = coverage.days.entry(place.clone()).or_default();
            for hour in hours {
                *days.entry(hour.div_euclid(24)).or_default() += 1;
            }
        }
        coverage.skipped.sort();
        coverage.rejected_at.sort();
        coverage
    }
}

/// Account, Region and hour that an object shows to be logged: its first record, else its name.
fn place_of(uri: &str, report: ObjectReport) -> Option<(Place, i64)> {
    let first = report.first.unwrap_or_default();
    let layout = Layout::of(uri);
    let time = first.time.as_deref().and_then(event_time).or(layout.delivered)?;
    let account = first.account.or(layout.account)?;
    let region = first.region.or(layout.region)?;
    Some(((account, region), time.div_euclid(HOUR_MS)))
}
