//! Accounts and Regions that do not deliver any more. A log that is not there breaks no rule: somebody has to miss it.

use std::collections::BTreeMap;

pub use crate::alert::route::SILENCE;
use crate::config::{Accounts, Settings};
use crate::finding::{Confidence, Detail, Fact, Finding, Severity, Status, fingerprint, word};
use crate::report::{Report, human};
use crate::view::coverage::Gap;

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

/// The time before the last log that is learned from, and how much of it there must be.
const LEARNED: i64 = 35 * DAY;
const NEEDED: i64 = 7 * DAY;

/// Hours that nobody is missed for: CloudTrail delivers within minutes, but writes nothing about an hour without calls.
const FLOOR: i64 = 3;

/// How many times the usual longest silence is too long.
const FACTOR: i64 = 2;

/// After this an account or Region is not missed any more: closed, left, or watched by another trail.
const GIVEN_UP: i64 = 30 * DAY;
const FORGOTTEN: i64 = 60 * DAY;

/// How deliveries stand at a moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Deliveries {
    /// Time since the last log, milliseconds, of the account and Region that waits for longest; of those that something is
    /// expected of and that are not given up.
    pub age: i64,
    /// Accounts and Regions that are silent for longer than expected.
    pub silent: Vec<Finding>,
}

/// Looks for accounts and Regions that a report's logs say nothing of for too long. `[alert] silence_hours` says how long that
/// is; without it, twice the second longest silence of the five weeks before, which may have had one outage, once there is a
/// week to learn from.
pub fn deliveries(report: &Report, settings: &Settings, now: i64) -> Deliveries {
    let mut gaps: BTreeMap<(&str, &str), Vec<&Gap>> = BTreeMap::new();
    for gap in &report.coverage.gaps {
        gaps.entry((&gap.account, &gap.region)).or_default().push(gap);
    }
    let mut deliveries = Deliveries::default();
    for ((account, region), last_hour) in &report.coverage.last {
        let last = last_hour.saturating_add(HOUR);
        let age = now.saturating_sub(last);
        let first = report.coverage.days.get(&(account.clone(), region.clone())).and_then(|days| days.keys().next());
        let first = first.map_or(last, |day| day.saturating_mul(DAY));
        let own = gaps.get(&(account.as_str(), region.as_str())).map_or(&[][..], Vec::as_slice);
        let configured = i64::from(settings.alert.options.silence_hours);
        let expected = if configured > 0 { Some(configured) } else { learned(own, first, last) };
        let Some(hours) = expected else { continue };
        if age < GIVEN_UP {
            deliveries.age = deliveries.age.max(age);
        }
        if age > hours * HOUR && age < FORGOTTEN {
            let place = Place { account, region, last, hours, is_learned: configured == 0 };
            deliveries.silent.push(place.finding(age, &settings.accounts));
        }
    }
    deliveries
}

/// Hours of silence that are too long.
fn learned(gaps: &[&Gap], first: i64, last: i64) -> Option<i64> {
    if last - first < NEEDED {
        return None;
    }
    let mut lengths: Vec<i64> =
        gaps.iter().filter(|gap| gap.to > last - LEARNED).map(|gap| (gap.to - gap.from) / HOUR).collect();
    lengths.sort_unstable();
    Some((FACTOR * lengths.iter().rev().nth(1).copied().unwrap_or(0)).max(FLOOR))
}

struct Place<'p> {
    account: &'p str,
    region: &'p str,
    /// End of the last hour with a log.
    last: i64,
    /// Hours that are too long.
    hours: i64,
    is_learned: bool,
}

impl Place<'_> {
    fn finding(&self, age: i64, accounts: &Accounts) -> Finding {
        let Self { account, region, last, hours, is_learned } = *self;
        let name = accounts.name(account).map_or_else(|| account.to_owned(), |name| format!("{name} ({account})"));
        let since = human::minute(last);
        let is_given_up = age >= GIVEN_UP;
        let title = if is_given_up {
            format!("no log of {name} in {region} since {since} UTC: not waited for any longer")
        } else {
            format!("no log of {name} in {region} since {since} UTC: nobody watches its keys")
        };
        let why =
            if is_learned { "twice the usual longest silence before" } else { "silence_hours of the configuration" };
        let region_word = word(region);
        Finding {
            id: fingerprint(&[SILENCE, account, region, &last.to_string()]),
            // A trail of all Regions falls silent in all of them.
            incident: fingerprint(&[SILENCE, account]),
            rule: SILENCE,
            severity: Severity::High,
            confidence: if is_learned { Confidence::Medium } else { Confidence::High },
            title,
            account: account.to_owned(),
            region: region.to_owned(),
            key: None,
            principal: None,
            first_seen: last,
            // What is told does not change every five minutes.
            last_seen: last,
            count: 1,
            facts: vec![Fact { label: "expected within", value: format!("{} ({why})", human::duration(hours * HOUR)) }],
            details: BTreeMap::from([
                ("last_delivery", Detail::Time(last)),
                ("expected_hours", Detail::Int(hours)),
                ("learned", Detail::Bool(is_learned)),
            ]),
            evidence: Vec::new(),
            remediation: format!(
                "See whether the trail logs, and what it says of its last delivery:\n\
                 aws cloudtrail describe-trails --region {region_word}\n\
                 aws cloudtrail get-trail-status --region {region_word} --name TRAIL\n\
                 Then whether the bucket still lets it write, and whether notifications of the bucket still reach the function."
            ),
            controls: Vec::new(),
            attack: vec!["T1562.008"],
            status: if is_given_up { Status::Closed } else { Status::Open },
            supersedes: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    const START: i64 = 20_000 * DAY;

    /// Logs in these hours after the start.
    fn report(hours: impl IntoIterator<Item = i64>) -> Report {
        let place = ("111122223333".to_owned(), "eu-west-1".to_owned());
        let hours: Vec<i64> = hours.into_iter().collect();
        let mut report = sample::empty();
        for pair in hours.windows(2).filter(|pair| pair[1] - pair[0] > 1) {
            let (from, to) = (START + (pair[0] + 1) * HOUR, START + pair[1] * HOUR);
            report.coverage.gaps.push(Gap { account: place.0.clone(), region: place.1.clone(), from, to });
        }
        let days = report.coverage.days.entry(place.clone()).or_default();
        hours.iter().for_each(|hour| *days.entry((START + hour * HOUR).div_euclid(DAY)).or_default() += 1);
        report.coverage.last.insert(place, START + hours.last().unwrap() * HOUR);
        report
    }

    fn silent(report: &Report, settings: &Settings, hour: i64) -> Vec<(&'static str, String)> {
        let found = deliveries(report, settings, START + hour * HOUR);
        found.silent.iter().map(|finding| (finding.status.id(), finding.title.clone())).collect()
    }

    #[test]
    fn what_always_delivers_is_missed_after_hours() {
        let (report, settings) = (report(0..240), Settings::default());
        assert_eq!(silent(&report, &settings, 243), []);
        let late = silent(&report, &settings, 244);
        let said = "no log of 111122223333 in eu-west-1 since 2024-10-14 00:00 UTC: nobody watches its keys";
        assert_eq!(late, [("open", said.to_owned())]);
        let age = |hour: i64| deliveries(&report, &settings, START + hour * HOUR).age / HOUR;
        assert_eq!((age(244), age(200)), (4, 0));
    }

    #[test]
    fn nights_and_weekends_are_learned_and_one_outage_is_not() {
        let office = |day: i64| day % 7 < 5;
        let hours = (0..28).filter(|day| office(*day)).flat_map(|day| (8..18).map(move |hour| day * 24 + hour));
        let friday = 25 * 24 + 17;
        // The usual weekend takes 62 hours; twice that is too long.
        let (usual, settings) = (report(hours.clone()), Settings::default());
        assert_eq!(silent(&usual, &settings, friday + 62), []);
        assert_eq!(silent(&usual, &settings, friday + 124), []);
        assert_eq!(silent(&usual, &settings, friday + 126).len(), 1);
        let outage = report((0..100).chain(400..700));
        assert_eq!(silent(&outage, &settings, 705).len(), 1, "an outage that was is no measure");
    }

    #[test]
    fn of_what_is_new_nothing_is_expected_unless_it_is_configured() {
        let young = report(0..100);
        assert_eq!(silent(&young, &Settings::default(), 400), []);
        let settings = Settings::parse("[alert]\nsilence_hours = 6\n", "keytrail.toml", &[]).unwrap();
        assert_eq!(silent(&young, &settings, 106), []);
        assert_eq!(silent(&young, &settings, 107).len(), 1);
    }

    #[test]
    fn whoever_left_is_given_up_and_then_forgotten() {
        let (report, settings) = (report(0..240), Settings::default());
        assert_eq!(silent(&report, &settings, 240 + 29 * 24)[0].0, "open");
        let given_up = silent(&report, &settings, 240 + 31 * 24);
        assert!(given_up[0].0 == "closed" && given_up[0].1.ends_with("not waited for any longer"), "{given_up:?}");
        assert_eq!(silent(&report, &settings, 240 + 61 * 24), []);
        assert_eq!(deliveries(&report, &settings, START + (240 + 31 * 24) * HOUR).age, 0);
    }
}
