//! Versions of a policy, and what each of them brought that the one before did not have.

use std::collections::BTreeSet;

use super::context::Context;
use super::told;
use crate::inventory::Stamp;
use crate::policy::{Exposure, Policy, Unreadable, diff};
use crate::view::KeyView;
use crate::view::ledger::ControlEvent;

/// The policy that KMS gives a key when the call names none: the account's own IAM decides.
const DEFAULT: &str = r#"{"Version":"2012-10-17","Statement":[{"Sid":"Enable IAM User Permissions","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::{account}:root"},"Action":"kms:*","Resource":"*"}]}"#;

/// One version of a key policy.
#[derive(Clone, Debug)]
pub struct Version {
    /// Index of the call in the ledger.
    pub by: usize,
    /// The document, or why it cannot be read.
    pub policy: Result<Policy, Unreadable>,
}

/// The versions of a key's policy, oldest first, as far as the log has them.
pub fn versions(key: &KeyView, cx: &Context<'_>) -> Vec<Version> {
    let mut versions = Vec::new();
    for (by, control) in key.events.iter().enumerate().filter(|(_, control)| control.error.is_none()) {
        let name = cx.text(Some(control.name));
        let document = control.detail.policy.as_deref();
        let policy = match (name, document) {
            ("CreateKey" | "PutKeyPolicy", Some(document)) => cx.policy(document),
            ("PutKeyPolicy", None) => Err(Unreadable::Omitted),
            ("CreateKey", None) if key.primary.is_none() && cx.text(control.detail.key_manager) != "AWS" => {
                Policy::parse(&DEFAULT.replace("{account}", &key.account))
            }
            _ => continue,
        };
        versions.push(Version { by, policy });
    }
    versions
}

/// What shows a policy.
#[derive(Clone, Copy, Debug)]
pub enum By<'v> {
    /// The call that set it.
    Event(&'v ControlEvent),
    /// KMS said that it stands; since when is not known.
    Said(&'v Stamp),
}

impl By<'_> {
    /// When it was set, or when KMS said it; milliseconds.
    pub fn at(&self) -> i64 {
        match self {
            Self::Event(event) => event.event.time,
            Self::Said(stamp) => stamp.captured_at,
        }
    }
}

/// A policy of a key as log or inventory have it.
#[derive(Clone, Debug)]
pub struct Standing<'v> {
    /// What shows it.
    pub by: By<'v>,
    /// The document, or why it cannot be read.
    pub policy: Result<Policy, Unreadable>,
}

/// The versions of the log, and the policy that KMS told where it stood in between: what was set after that outranks it, and
/// where it says the same as the version before it is that version.
pub fn standing<'v>(key: &'v KeyView, cx: &Context<'_>) -> Vec<Standing<'v>> {
    let of_log = |version: Version| Standing { by: By::Event(&key.events[version.by]), policy: version.policy };
    let mut all: Vec<Standing<'v>> = versions(key, cx).into_iter().map(of_log).collect();
    let Some(fact) = told::facts(key).and_then(|facts| facts.policy.as_ref()) else { return all };
    let policy = cx.policy(&fact.value);
    let place = all.iter().filter(|version| told::is_later(&fact.stamp, version.by.at())).count();
    let same = |version: &Standing<'v>| match (&version.policy, &policy) {
        (Ok(one), Ok(two)) => {
            let changed = diff(Some(one), two);
            changed.gained.is_empty() && changed.lost.is_empty()
        }
        _ => false,
    };
    // KMS tells a new policy only after a while: near to a call, either side of it is right.
    let known = place.checked_sub(1).is_some_and(|before| same(&all[before])) || all.get(place).is_some_and(same);
    if !known {
        all.insert(place, Standing { by: By::Said(&fact.stamp), policy });
    }
    all
}

/// Something that began with one version and held on until a later one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spell<T> {
    /// Place of the version that brought it.
    pub from: usize,
    /// What it brought: all that the version before did not have.
    pub what: BTreeSet<T>,
    /// Place of the first version that has none of it left.
    pub until: Option<usize>,
}

/// Spells of what versions hold. A version that says nothing (`None`) neither brings nor ends anything.
pub fn spells<T: Ord + Clone>(versions: &[Option<BTreeSet<T>>]) -> Vec<Spell<T>> {
    let mut spells = Vec::new();
    let mut before = BTreeSet::new();
    for (from, held) in versions.iter().enumerate() {
        let Some(held) = held else { continue };
        let what: BTreeSet<T> = held.difference(&before).cloned().collect();
        before.clone_from(held);
        if !what.is_empty() {
            let over = |later: &usize| versions[*later].as_ref().is_some_and(|held| held.is_disjoint(&what));
            let until = (from + 1..versions.len()).find(over);
            spells.push(Spell { from, what, until });
        }
    }
    spells
}

/// What tells one exposure from another: kind, who, what.
pub type Mark = (&'static str, Vec<String>, Vec<&'static str>);

/// The marks of some exposures.
pub fn marks<'e>(exposures: impl IntoIterator<Item = &'e Exposure>) -> BTreeSet<Mark> {
    exposures.into_iter().map(mark).collect()
}

/// The mark of an exposure.
pub fn mark(exposure: &Exposure) -> Mark {
    let actions = exposure.actions.iter().map(|class| class.id()).collect();
    (exposure.kind.id(), exposure.principals.clone(), actions)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Spell, spells};

    fn set(items: &[char]) -> Option<BTreeSet<char>> {
        Some(items.iter().copied().collect())
    }

    #[test]
    fn a_spell_is_what_a_version_brings_until_none_of_it_is_left() {
        let versions = [set(&['a']), set(&['a', 'b', 'c']), None, set(&['c']), set(&[])];
        let spell = |from, what: &[char], until| Spell { from, what: set(what).unwrap_or_default(), until };
        assert_eq!(spells(&versions), [spell(0, &['a'], Some(3)), spell(1, &['b', 'c'], Some(4))]);
        assert_eq!(spells(&[set(&[]), set(&['a']), None]), [spell(1, &['a'], None)]);
    }
}
