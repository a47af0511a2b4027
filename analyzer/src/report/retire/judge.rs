//! The verdict over one key.

use super::Facts;
use super::reasons::{held, named, state, unseen};
use crate::rules::kit::time::{DAY, instant, plural};
use crate::view::Coverage;

/// What leaves no events, and somebody must vouch for by name.
pub const ATTESTABLE: [(&str, &str); 5] = [
    ("grants", "no grant from before the log is open"),
    ("resources", "everything that the key protected is deleted, or under another key"),
    ("snapshots", "no snapshot or image is encrypted with it"),
    ("backups", "no backup is encrypted with it"),
    ("client-ciphertext", "nothing that applications encrypted themselves needs it"),
];

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
    state(&facts, (as_of, soak_days), &mut say);
    // Use before it was switched off is what the soak is for; use since then belies that it is off.
    if let Some((at, who)) = &facts.last_use
        && *at > start
        && facts.off.is_none_or(|off| *at > off.since)
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
    if let Some(text) = held(&facts) {
        say(Verdict::NotSafe, "grants", text);
    }
    if facts.multi_region {
        say(
            Verdict::Unknown,
            "multi-region",
            "it is a multi-Region key: its copies in other Regions are judged one by one".into(),
        );
    }
    for one in facts.contradictions.iter().filter(|one| one.about != "listed") {
        let (about, when) = (one.about, instant(one.stamp.captured_at));
        let text = format!(
            "log and KMS say different things of its {about}: {} in the log, {} as KMS said at {when}: the log misses something",
            one.log, one.inventory
        );
        say(Verdict::Unknown, "contradiction", text);
    }
    unseen(&facts, coverage, (start, as_of), &mut say);
    let has = |name: &str| attested.iter().any(|known| known == name);
    for (name, meaning) in ATTESTABLE {
        if has(name) {
            continue;
        }
        let text = match (name, &facts.older_grants) {
            ("resources", _) if facts.resources.is_empty() && facts.more_resources == 0 => continue,
            ("resources", _) => format!(
                "{} known under it, and whether they are gone is not read from the events of other services: {}",
                plural(facts.resources.len() as u64 + facts.more_resources, "resource"),
                named(&facts.resources)
            ),
            ("grants", None) => continue,
            ("grants", Some(why)) => format!("nobody vouches that {meaning}, and it cannot be seen: {why}"),
            ("client-ciphertext", _) if !facts.others.is_empty() => {
                format!(
                    "nobody vouches that {meaning}, and not only its own account may have: {}",
                    named(&facts.others)
                )
            }
            _ => format!("nobody vouches that {meaning}"),
        };
        say(Verdict::Unknown, "attest", format!("{text} (--attest {name})"));
    }
    reasons.sort_by_key(|reason| std::cmp::Reverse(reason.verdict));
    let verdict = reasons.iter().map(|reason| reason.verdict).max().unwrap_or(Verdict::Safe);
    Judged { facts, verdict, reasons }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::{Deletion, Held, Off, Stands};
    use super::{ATTESTABLE, Facts, Verdict, judge};
    use crate::inventory::Stamp;
    use crate::rules::kit::time::DAY;
    use crate::view::Coverage;
    use crate::view::beside::Contradiction;
    use crate::view::history::KeyState;

    const NOW: i64 = 20_000 * DAY;

    fn facts() -> Facts {
        Facts {
            arn: "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab".into(),
            label: "alias/old".into(),
            places: vec![("111122223333".into(), "eu-west-1".into())],
            aliases: vec!["alias/old".into()],
            stands: Some(Stands { state: KeyState::Disabled, since: Some(NOW - 100 * DAY), said: None }),
            off: Some(Off { since: NOW - 100 * DAY, said: false }),
            deletion: None,
            unlisted: None,
            last_use: Some((NOW - 101 * DAY, "role app (1 ×)".into())),
            failures: None,
            grants: BTreeMap::new(),
            older_grants: Some("the log starts later".into()),
            others: Vec::new(),
            resources: vec!["arn:aws:s3:::old".into()],
            more_resources: 0,
            multi_region: false,
            contradictions: Vec::new(),
            inventory: None,
        }
    }

    /// KMS does not wait for the soak: the day on which it deletes the key decides what is to be done.
    #[test]
    fn a_deletion_before_the_end_of_the_soak_is_to_be_cancelled() {
        let since = NOW - 20 * DAY;
        let text = |at| {
            let deletion = Some(Deletion { at, waits_for_replicas: at.is_none(), said: None, cancel: "aws".into() });
            let off = Some(Off { since, said: false });
            let facts = Facts { stands: stands(KeyState::PendingDeletion), off, deletion, ..facts() };
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

    fn stands(state: KeyState) -> Option<Stands> {
        Some(Stands { state, since: Some(NOW - 100 * DAY), said: None })
    }

    fn said() -> Stamp {
        Stamp { captured_at: NOW - DAY, source: "keys.json, asked of AWS".into(), file: "keys.json".into() }
    }

    fn contradiction() -> Contradiction {
        let (log, inventory) = ("on".to_string(), "off".to_string());
        Contradiction { about: "rotation", log, inventory, stamp: said(), log_reaches: true }
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
            Facts { stands: stands(KeyState::Enabled), off: None, ..facts() },
            Facts { off: Some(Off { since: NOW - 80 * DAY, said: false }), ..facts() },
            Facts { off: Some(Off { since: NOW - 80 * DAY, said: true }), ..facts() },
            Facts { unlisted: Some(said()), ..facts() },
            Facts { last_use: Some((NOW - DAY, "role app".into())), ..facts() },
            Facts { failures: Some((3, NOW - DAY, "role app".into())), ..facts() },
            Facts { grants: BTreeMap::from([("role backup".into(), Held { grants: 2, unseen: 0 })]), ..facts() },
        ];
        for facts in bad {
            let judged = judge(facts, &coverage(), NOW, 90, &all());
            assert_eq!((judged.verdict, judged.reasons.len()), (Verdict::NotSafe, 1), "{judged:?}");
        }
        let unknown = [
            Facts { stands: None, off: None, last_use: None, ..facts() },
            Facts { contradictions: vec![contradiction()], ..facts() },
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
