//! Reasons against a key's end, in words.

use super::{Facts, Held, Off, Stands, Verdict};
use crate::report::human;
use crate::rules::kit::time::{DAY, instant, length, plural};
use crate::rules::kit::told;
use crate::view::Coverage;
use crate::view::history::KeyState;

/// How many of a kind a reason names.
const NAMED: usize = 5;

/// Whether it is off, and for long enough.
pub(super) fn state(
    facts: &Facts,
    (as_of, soak_days): (i64, u32),
    say: &mut impl FnMut(Verdict, &'static str, String),
) {
    let soak = i64::from(soak_days) * DAY;
    let is_off = |state| matches!(state, KeyState::Disabled | KeyState::PendingDeletion);
    if let Some(stamp) = &facts.unlisted {
        let text = format!(
            "KMS listed all keys of its account and Region at {}, and it was not among them",
            told::when(stamp)
        );
        return say(Verdict::NotSafe, "unlisted", text);
    }
    match (&facts.stands, facts.off) {
        (Some(stands), Some(off)) if is_off(stands.state) => {
            if off.since > as_of - soak {
                say(Verdict::NotSafe, "soak", soaking(off, off.since + soak, facts, as_of, soak_days));
            }
        }
        (Some(Stands { state: KeyState::Deleted, since, .. }), _) => {
            say(
                Verdict::NotSafe,
                "deleted",
                format!("it is deleted since {}", since.map_or("some day".into(), instant)),
            );
        }
        (Some(stands), _) => {
            let by =
                stands.said.as_ref().map_or(String::new(), |stamp| format!(", as KMS said at {}", told::when(stamp)));
            let text = format!("it is {}{by}: disable it first, and wait {soak_days} days", stands.state.id());
            say(Verdict::NotSafe, "not-disabled", text);
        }
        (None, _) => {
            let whom = if facts.inventory.is_some() {
                "neither the log nor the inventory tells"
            } else {
                "the log does not tell"
            };
            say(Verdict::Unknown, "state", format!("{whom} whether it is disabled"));
        }
    }
}

/// A key that is not off for long enough: until when to wait, or that KMS does not wait so long.
fn soaking(off: Off, until: i64, facts: &Facts, as_of: i64, soak_days: u32) -> String {
    let days = (as_of - off.since).max(0) / DAY;
    let so_far = match off.said {
        false => format!("it is off since {}, for {days} of {soak_days} days", instant(off.since)),
        true => format!(
            "KMS said at {} that it is off, and nothing tells since when: that makes {days} of {soak_days} days",
            instant(off.since)
        ),
    };
    match facts.deletion.as_ref().and_then(|deletion| deletion.at) {
        Some(at) if at <= as_of => {
            format!("{so_far}, and KMS deletes it as of {}: it may be gone", instant(at))
        }
        Some(at) if at < until => format!(
            "{so_far}, and KMS deletes it at {}, before they are over: cancel the deletion, and wait until {}",
            instant(at),
            instant(until)
        ),
        Some(at) => format!("{so_far}; wait until {}: KMS deletes it after that, at {}", instant(until), instant(at)),
        None => format!("{so_far}; wait until {}", instant(until)),
    }
}

/// The open grants in words: whose they are, and which of them only KMS tells.
pub(super) fn held(facts: &Facts) -> Option<String> {
    let (all, unseen) = facts.grants.values().fold((0, 0), |(all, unseen), of| (all + of.grants, unseen + of.unseen));
    let mut grantees: Vec<(&String, &Held)> = facts.grants.iter().collect();
    grantees.sort_by_key(|(_, of)| std::cmp::Reverse(of.grants));
    let by = |(who, of): (&String, &Held)| match of.grants {
        1 => who.clone(),
        several => format!("{who} ({several} grants)"),
    };
    let grantees: Vec<String> = grantees.into_iter().map(by).collect();
    let mut text = format!("{} still open: {}", plural(all, "grant"), named(&grantees));
    let listed = facts.inventory.as_ref().and_then(|facts| facts.grants.as_ref());
    if let Some(fact) = listed.filter(|_| unseen > 0) {
        text += &format!(
            "; {unseen} of them only KMS told, at {}: the log does not show them made",
            told::when(&fact.stamp)
        );
    }
    (all > 0).then_some(text)
}

/// What was not looked at in the time that counts.
pub(super) fn unseen(
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

/// The first few of many.
pub(super) fn named(items: &[String]) -> String {
    let shown: Vec<&str> = items.iter().take(NAMED).map(String::as_str).collect();
    let more = items.len().saturating_sub(shown.len());
    if more > 0 { format!("{} and {more} more", shown.join(", ")) } else { shown.join(", ") }
}
