//! Accounts and Regions that do not deliver any more. A log that is not there breaks no rule: somebody has to miss it.

use std::collections::BTreeMap;

use super::judge::accept;
pub use crate::alert::route::SILENCE;
use crate::config::{Accounts, Settings, SuppressionTracker};
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

/// Adds to a report what nobody logged: as findings, so that they are routed, accepted and told like others. What a report
/// says depends on its logs alone, so this is for whoever tells people, of a report about all that a lake knows.
pub fn miss(report: &mut Report, settings: &Settings, now: i64) -> Deliveries {
    let deliveries = deliveries(report, settings, now);
    if settings.rule(SILENCE).enabled {
        report.run.rules_run.push(SILENCE);
        report.findings.extend(deliveries.silent.iter().cloned());
    }
    deliveries
}

/// Looks for accounts and Regions that a report's logs say nothing of for too long. `[alert] silence_hours` says how long that
/// is; without it, twice the second longest silence of the five weeks before, which may have had one outage, once there is a
/// week to learn from. Logs after the moment are not known at it.
pub fn deliveries(report: &Report, settings: &Settings, now: i64) -> Deliveries {
    let own = settings.rule(SILENCE);
    let mut deliveries = Deliveries::default();
    for history in histories(report) {
        let Some(last) = history.last(now) else { continue };
        let Some(expected) = history.expected(settings, last) else { continue };
        let age = now.saturating_sub(last);
        if age < GIVEN_UP {
            deliveries.age = deliveries.age.max(age);
        }
        if own.enabled && age > expected.hours * HOUR && age < FORGOTTEN {
            let place = Place { account: history.account, region: history.region, last, expected };
            let mut finding = place.finding(age, &settings.accounts);
            finding.severity = own.severity.map_or(finding.severity, Severity::from);
            deliveries.silent.push(finding);
        }
    }
    let mut tracker = SuppressionTracker::new(&settings.suppressions, now);
    accept(&mut deliveries.silent, settings, &mut tracker);
    deliveries
}

/// When silences that are over began to be too long, and when they had ended: within an hour, of which only that it has a log
/// is known.
pub(super) fn turns(report: &Report, settings: &Settings) -> Vec<i64> {
    let mut turns = Vec::new();
    for history in histories(report).filter(|_| settings.rule(SILENCE).enabled) {
        for gap in &history.gaps {
            let late = history.expected(settings, gap.from).map(|expected| gap.from + expected.hours * HOUR);
            turns.extend(late.filter(|late| *late < gap.to).into_iter().flat_map(|late| [late, gap.to + HOUR - 1]));
        }
    }
    turns
}

fn histories(report: &Report) -> impl Iterator<Item = History<'_>> {
    let coverage = &report.coverage;
    let mut gaps: BTreeMap<(&str, &str), Vec<&Gap>> = BTreeMap::new();
    for gap in &coverage.gaps {
        gaps.entry((&gap.account, &gap.region)).or_default().push(gap);
    }
    coverage.last.iter().map(move |(place, last_hour)| {
        let (account, region) = (place.0.as_str(), place.1.as_str());
        let end = last_hour.saturating_add(HOUR);
        let first = coverage.days.get(place).and_then(|days| days.keys().next());
        let start = first.map_or(end, |day| day.saturating_mul(DAY));
        History { account, region, start, end, gaps: gaps.remove(&(account, region)).unwrap_or_default() }
    })
}

/// When an account and Region delivered.
struct History<'r> {
    account: &'r str,
    region: &'r str,
    /// Start of the first day with a log.
    start: i64,
    /// End of the last hour with a log.
    end: i64,
    /// Hours without a log between them.
    gaps: Vec<&'r Gap>,
}

impl History<'_> {
    /// End of the last hour with a log that is known at a moment.
    fn last(&self, now: i64) -> Option<i64> {
        let silent = self.gaps.iter().find(|gap| (gap.from..gap.to).contains(&now));
        let last = silent.map_or_else(|| self.end.min(now), |gap| gap.from);
        (self.start < now).then_some(last)
    }

    /// Hours that are too long for a silence that begins at this moment.
    fn expected(&self, settings: &Settings, last: i64) -> Option<Expected> {
        let configured = i64::from(settings.alert.options.silence_hours);
        if configured > 0 {
            return Some(Expected { hours: configured, is_learned: false });
        }
        if last - self.start < NEEDED {
            return None;
        }
        let learned = self.gaps.iter().filter(|gap| gap.to > last - LEARNED && gap.to <= last);
        let mut lengths: Vec<i64> = learned.map(|gap| (gap.to - gap.from) / HOUR).collect();
        lengths.sort_unstable();
        let usual = lengths.iter().rev().nth(1).copied().unwrap_or(0);
        Some(Expected { hours: (FACTOR * usual).max(FLOOR), is_learned: true })
    }
}

/// How long a silence may take.
#[derive(Clone, Copy)]
struct Expected {
    /// Hours that are not too long.
    hours: i64,
    is_learned: bool,
}

struct Place<'p> {
    account: &'p str,
    region: &'p str,
    /// End of the last hour with a log.
    last: i64,
    expected: Expected,
}

impl Place<'_> {
    fn finding(&self, age: i64, accounts: &Accounts) -> Finding {
        let Self { account, region, last, expected: Expected { hours, is_learned } } = *self;
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

    #[test]
    fn a_silence_is_accepted_and_weighed_like_a_finding() {
        let report = report(0..240);
        let told = |text: &str| {
            let settings = Settings::parse(text, "keytrail.toml", &[]).unwrap();
            let mut report = report.clone();
            miss(&mut report, &settings, START + 250 * HOUR);
            let is_run = report.run.rules_run.contains(&SILENCE);
            (
                is_run,
                report.findings.iter().map(|finding| (finding.status.id(), finding.severity.id())).collect::<Vec<_>>(),
            )
        };
        assert_eq!(told(""), (true, vec![("open", "high")]));
        assert_eq!(told("[rules.delivery-silence]\nseverity = \"low\"\n"), (true, vec![("open", "low")]));
        assert_eq!(told("[rules.delivery-silence]\nenabled = false\n"), (false, vec![]));
        let suppressed = |until: &str| {
            told(&format!("[[suppress]]\nrule = \"delivery-silence\"\nreason = \"left\"\nuntil = {until}\n")).1[0].0
        };
        assert_eq!((suppressed("2024-10-14"), suppressed("2024-10-13")), ("suppressed", "open"));
    }

    #[test]
    fn what_was_not_known_yet_says_nothing() {
        // Delivers hourly, breaks off for ten hours, and goes on.
        let (report, settings) = (report((0..240).chain(250..300)), Settings::default());
        assert_eq!(silent(&report, &settings, 243), []);
        assert_eq!(silent(&report, &settings, 249).len(), 1);
        assert_eq!(silent(&report, &settings, 250), []);
        assert_eq!(silent(&report, &settings, -1), []);
        let hours = |turns: Vec<i64>| turns.iter().map(|turn| (turn - START) / HOUR).collect::<Vec<_>>();
        assert_eq!(hours(turns(&report, &settings)), [243, 250]);
        let patient = Settings::parse("[alert]\nsilence_hours = 10\n", "keytrail.toml", &[]).unwrap();
        assert!(turns(&report, &patient).is_empty());
    }
}
