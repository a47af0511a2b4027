//! The verdict over one key.

use super::Facts;
use crate::report::human;
use crate::rules::kit::time::{DAY, instant, length, plural};
use crate::view::Coverage;
use crate::view::history::KeyState;

/// What leaves no events, and somebody must vouch for by name.
pub const ATTESTABLE: [(&str, &str); 4] = [
    ("resources", "everything that the key protected is deleted, or under another key"),
    ("snapshots", "no snapshot or image is encrypted with it"),
    ("backups", "no backup is encrypted with it"),
    ("client-ciphertext", "nothing that applications encrypted themselves needs it"),
];
/// How many of a kind a reason names.
const NAMED: usize = 5;

/// May the key go?
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Nothing needs it.
    Safe,
    /// The log does not tell enough.
    Unknown,
    /// Something needs it, or nobody waited to see.
    NotSafe,
}

impl Verdict {
    /// Name in outputs.
    pub fn id(self) -> &'static str {
        match self {
            Self::Safe => "SAFE",
            Self::Unknown => "UNKNOWN",
            Self::NotSafe => "NOT SAFE",
        }
    }
}

/// One reason against it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// What it leads to.
    pub verdict: Verdict,
    /// Stable name.
    pub kind: &'static str,
    /// In words; parts of it come from the log.
    pub text: String,
}

/// A key with its verdict.
#[derive(Clone, Debug)]
pub struct Judged {
    /// What the log says.
    pub facts: Facts,
    /// The verdict.
    pub verdict: Verdict,
    /// Why not, the gravest first.
    pub reasons: Vec<Reason>,
}

/// Judges one key as of an instant: off for so many days, with nothing that failed, nothing that holds it, and nothing
/// unseen.
pub fn judge(facts: Facts, coverage: &Coverage, as_of: i64, soak_days: u32, attested: &[String]) -> Judged {
    let mut reasons = Vec::new();
    let mut say = |verdict, kind, text: String| reasons.push(Reason { verdict, kind, text });
    let soak = i64::from(soak_days) * DAY;
    let start = as_of - soak;
    let off = facts.state.filter(|(state, _)| matches!(state, KeyState::Disabled | KeyState::PendingDeletion));
    let off = off.map(|(_, at)| facts.off_since.unwrap_or(at));
    match (facts.state, off) {
        (_, Some(since)) if since > start => {
            say(Verdict::NotSafe, "soak", soaking(since, since + soak, &facts, as_of, soak_days));
        }
        (_, Some(_)) => {}
        (Some((KeyState::Deleted, at)), _) => {
            say(Verdict::NotSafe, "deleted", format!("it is deleted since {}", instant(at)));
        }
        (Some((state, _)), _) => {
            say(
                Verdict::NotSafe,
                "not-disabled",
                format!("it is {}: disable it first, and wait {soak_days} days", state.id()),
            );
        }
        (None, _) => say(Verdict::Unknown, "state", "the log does not tell whether it is disabled".into()),
    }
    // Use before it was switched off is what the soak is for; use since then belies that it is off.
    if let Some((at, who)) = &facts.last_use
        && *at > start
        && off.is_none_or(|since| *at > since)
    {
        say(Verdict::NotSafe, "used", format!("it was used at {}, by {who}", instant(*at)));
    }
    if let Some((count, last, who)) = &facts.failures {
        let text = format!(
            "the dependency is alive: {} failed since it is off, the last at {} by {who}",
            plural(*count, "call"),
            instant(*last)
        );
        say(Verdict::NotSafe, "failures", text);
    }
    if !facts.grants.is_empty() {
        let count = plural(facts.grants.values().sum(), "grant");
        let mut grantees: Vec<(&String, &u64)> = facts.grants.iter().collect();
        grantees.sort_by_key(|(_, held)| std::cmp::Reverse(**held));
        let grantees: Vec<String> = grantees.into_iter().map(|(who, held)| held_by(who, *held)).collect();
        say(Verdict::NotSafe, "grants", format!("{count} still open: {}", named(&grantees)));
    }
    if facts.multi_region {
        say(
            Verdict::Unknown,
            "multi-region",
            "it is a multi-Region key: its copies in other Regions are judged one by one".into(),
        );
    }
    unseen(&facts, coverage, (start, as_of), &mut say);
    let has = |name: &str| attested.iter().any(|known| known == name);
    for (name, meaning) in ATTESTABLE {
        if has(name) {
            continue;
        }
        let text = match name {
            "resources" if facts.resources.is_empty() && facts.more_resources == 0 => continue,
            "resources" => format!(
                "{} known under it, and nothing in the log says that they are gone: {}",
                plural(facts.resources.len() as u64 + facts.more_resources, "resource"),
                named(&facts.resources)
            ),
            _ => format!("nobody vouches that {meaning}"),
        };
        say(Verdict::Unknown, "attest", format!("{text} (--attest {name})"));
    }
    reasons.sort_by_key(|reason| std::cmp::Reverse(reason.verdict));
    let verdict = reasons.iter().map(|reason| reason.verdict).max().unwrap_or(Verdict::Safe);
    Judged { facts, verdict, reasons }
}

/// A key that is not off for long enough: until when to wait, or that KMS does not wait so long.
fn soaking(since: i64, until: i64, facts: &Facts, as_of: i64, soak_days: u32) -> String {
    let so_far = format!("it is off since {}, for {} of {soak_days} days", instant(since), (as_of - since) / DAY);
    let deletion = facts.deletion.as_ref().map(|deletion| deletion.at);
    match deletion {
        Some(Some(at)) if at <= as_of => {
            format!("{so_far}, and KMS deletes it as of {}: it may be gone", instant(at))
        }
        Some(Some(at)) if at < until => format!(
            "{so_far}, and KMS deletes it at {}, before they are over: cancel the deletion, and wait until {}",
            instant(at),
            instant(until)
        ),
        Some(Some(at)) => {
            format!("{so_far}; wait until {}: KMS deletes it after that, at {}", instant(until), instant(at))
        }
        Some(None) | None => format!("{so_far}; wait until {}", instant(until)),
    }
}

fn held_by(who: &str, held: u64) -> String {
    if held == 1 { who.to_string() } else { format!("{who} ({held} grants)") }
}

/// What was not looked at in the time that counts.
fn unseen(
    facts: &Facts,
    coverage: &Coverage,
    (start, as_of): (i64, i64),
    say: &mut impl FnMut(Verdict, &'static str, String),
) {
    if coverage.span.is_none_or(|(first, _)| first > start) {
        let from = coverage.span.map_or("nowhere".into(), |(first, _)| instant(first));
        say(Verdict::Unknown, "log-start", format!("the log starts at {from}, after {}", instant(start)));
    }
    if !coverage.is_complete() {
        say(Verdict::Unknown, "unread", "some of the input could not be read".into());
    }
    for (account, region) in &facts.places {
        if !coverage.days.contains_key(&(account.clone(), region.clone())) {
            say(
                Verdict::Unknown,
                "no-log",
                format!("{account} uses it, or owns it, and there is no log of it in {region}"),
            );
            continue;
        }
        let within = |gap: &&crate::view::coverage::Gap| {
            gap.account == *account && gap.region == *region && gap.to > start && gap.from < as_of
        };
        let hours: i64 = coverage.gaps.iter().filter(within).map(|gap| (gap.to - gap.from) / 3_600_000).sum();
        if hours > 0 {
            let text = format!(
                "{} of {account} {region} without any log in that time are unproved",
                human::count(hours as u64, "hour")
            );
            say(Verdict::Unknown, "gaps", text);
        }
    }
    if let Some(blind) = coverage.blind.iter().find(|blind| blind.to.is_none_or(|to| to > start)) {
        let text = format!(
            "the trail {} did not log KMS from {} ({})",
            blind.trail,
            instant(blind.from),
            length(blind.to.unwrap_or(as_of) - blind.from)
        );
        say(Verdict::Unknown, "blind", text);
    }
}

fn named(items: &[String]) -> String {
    let shown: Vec<&str> = items.iter().take(NAMED).map(String::as_str).collect();
    let more = items.len().saturating_sub(shown.len());
    if more > 0 { format!("{} and {more} more", shown.join(", ")) } else { shown.join(", ") }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::Deletion;
    use super::{ATTESTABLE, Facts, Verdict, judge};
    use crate::rules::kit::time::DAY;
    use crate::view::Coverage;
    use crate::view::history::KeyState;

    const NOW: i64 = 20_000 * DAY;

    fn facts() -> Facts {
        Facts {
            arn: "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab".into(),
            label: "alias/old".into(),
            places: vec![("111122223333".into(), "eu-west-1".into())],
            state: Some((KeyState::Disabled, NOW - 100 * DAY)),
            off_since: Some(NOW - 100 * DAY),
            deletion: None,
            last_use: Some((NOW - 101 * DAY, "role app (1 ×)".into())),
            failures: None,
            grants: BTreeMap::new(),
            resources: vec!["arn:aws:s3:::old".into()],
            more_resources: 0,
            multi_region: false,
        }
    }

    /// KMS does not wait for the soak: the day on which it deletes the key decides what is to be done.
    #[test]
    fn a_deletion_before_the_end_of_the_soak_is_to_be_cancelled() {
        let since = NOW - 20 * DAY;
        let text = |at| {
            let deletion = Some(Deletion { at, waits_for_replicas: at.is_none(), cancel: "aws".into() });
            let facts =
                Facts { state: Some((KeyState::PendingDeletion, since)), off_since: Some(since), deletion, ..facts() };
            let judged = judge(facts, &coverage(), NOW, 90, &all());
            assert_eq!((judged.verdict, judged.reasons.len()), (Verdict::NotSafe, 1), "{judged:?}");
            judged.reasons[0].text.clone()
        };
        let (early, late, past, never) =
            (text(Some(NOW + DAY)), text(Some(NOW + 75 * DAY)), text(Some(NOW - DAY)), text(None));
        assert!(early.contains("before they are over: cancel the deletion"), "{early}");
        assert!(late.contains("KMS deletes it after that"), "{late}");
        assert!(past.ends_with("it may be gone") && !past.contains("wait until"), "{past}");
        assert!(never.contains("wait until") && !never.contains("KMS deletes"), "{never}");
    }

    fn coverage() -> Coverage {
        let days = BTreeMap::from([(("111122223333".to_string(), "eu-west-1".to_string()), BTreeMap::new())]);
        Coverage { span: Some((NOW - 200 * DAY, NOW)), days, ..Coverage::default() }
    }

    fn all() -> Vec<String> {
        ATTESTABLE.iter().map(|(name, _)| (*name).to_string()).collect()
    }

    /// SAFE, and each thing that takes it away.
    #[test]
    fn safe_needs_everything_at_once() {
        let verdict =
            |facts: Facts, coverage: Coverage, attested: &[String]| judge(facts, &coverage, NOW, 90, attested).verdict;
        assert_eq!(verdict(facts(), coverage(), &all()), Verdict::Safe);
        for name in all() {
            let rest: Vec<String> = all().into_iter().filter(|other| *other != name).collect();
            assert_eq!(verdict(facts(), coverage(), &rest), Verdict::Unknown, "{name}");
        }
        let bad = [
            Facts { state: Some((KeyState::Enabled, NOW - 100 * DAY)), ..facts() },
            Facts { off_since: Some(NOW - 80 * DAY), ..facts() },
            Facts { last_use: Some((NOW - DAY, "role app".into())), ..facts() },
            Facts { failures: Some((3, NOW - DAY, "role app".into())), ..facts() },
            Facts { grants: BTreeMap::from([("role backup".into(), 2)]), ..facts() },
        ];
        for facts in bad {
            let judged = judge(facts, &coverage(), NOW, 90, &all());
            assert_eq!((judged.verdict, judged.reasons.len()), (Verdict::NotSafe, 1), "{judged:?}");
        }
        let unknown = [
            Facts { state: None, ..facts() },
            Facts { multi_region: true, ..facts() },
            Facts { places: vec![("444455556666".into(), "eu-west-1".into())], ..facts() },
        ];
        for facts in unknown {
            assert_eq!(verdict(facts, coverage(), &all()), Verdict::Unknown);
        }
        let late = Coverage { span: Some((NOW - 10 * DAY, NOW)), ..coverage() };
        assert_eq!(verdict(facts(), late, &all()), Verdict::Unknown);
    }
}
