//! State, deletion, grants, policy and names of a key, by the later word of log and inventory.

use std::collections::BTreeMap;

use super::Deletion;
use crate::inventory::{Call, Stamp};
use crate::policy::{self, judge_key_policy};
use crate::rules::Context;
use crate::rules::kit::deletion::{self, Scheduled};
use crate::rules::kit::policies;
use crate::rules::kit::time::instant;
use crate::rules::kit::told;
use crate::view::KeyView;
use crate::view::history::KeyState;

/// State of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stands {
    /// The state.
    pub state: KeyState,
    /// Since when, where the log shows the change.
    pub since: Option<i64>,
    /// When KMS said so, where its word is what tells it.
    pub said: Option<Stamp>,
}

/// Since when a key cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Off {
    /// When, milliseconds: the first of the changes that left it unusable, one after the other. A key that is disabled and
    /// then scheduled for deletion is off since it was disabled.
    pub since: i64,
    /// Only KMS tells that it is off: it counts from when KMS said so.
    pub said: bool,
}

/// Open grants of one grantee.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// All of them.
    pub grants: u64,
    /// Of these, grants that only KMS tells: the log does not show how they were made.
    pub unseen: u64,
}

pub(super) fn stands(key: &KeyView, cx: &Context<'_>) -> Option<Stands> {
    if let Some((state, stamp)) = told::state(key, cx) {
        return Some(Stands { state, since: None, said: Some(stamp.clone()) });
    }
    key.history.state_at(cx.as_of).map(|change| Stands { state: change.state, since: Some(change.at), said: None })
}

pub(super) fn off(key: &KeyView, stands: Option<&Stands>, cx: &Context<'_>) -> Option<Off> {
    let stands = stands.filter(|stands| stands.state.is_unusable())?;
    let states = &key.history.states;
    let until = states.partition_point(|change| change.at <= cx.as_of);
    let logged = states[..until].iter().rev().take_while(|change| change.state.is_unusable()).last();
    match (logged, &stands.said) {
        (Some(first), _) => Some(Off { since: first.at, said: false }),
        (None, Some(stamp)) => Some(Off { since: stamp.captured_at, said: true }),
        (None, None) => None,
    }
}

pub(super) fn deletion(key: &KeyView, stands: Option<&Stands>, cx: &Context<'_>) -> Option<Deletion> {
    let stands = stands.filter(|stands| stands.state == KeyState::PendingDeletion)?;
    let cancel = deletion::cancel(&key.region, &key.arn);
    let call = key.history.state_at(cx.as_of).filter(|change| change.state == KeyState::PendingDeletion);
    let standing = told::facts(key).and_then(|facts| facts.standing.as_ref());
    // KMS knows its own date best, once it knows of the call.
    let knows = |stamp: &Stamp| stands.said.is_some() || call.is_some_and(|call| told::is_later(stamp, call.at));
    if let Some(fact) = standing.filter(|fact| knows(&fact.stamp)) {
        let waits_for_replicas = fact.value.state.as_deref() == Some("PendingReplicaDeletion");
        if fact.value.deletion.is_some() || waits_for_replicas {
            let at = fact.value.deletion.filter(|_| !waits_for_replicas);
            return Some(Deletion { at, waits_for_replicas, said: Some(fact.stamp.clone()), cancel });
        }
    }
    let scheduled = call.map(|call| Scheduled::of(&key.events[call.by], cx));
    Some(Deletion {
        at: scheduled.and_then(|scheduled| scheduled.at),
        waits_for_replicas: scheduled.is_some_and(|scheduled| scheduled.waits_for_replicas),
        said: None,
        cancel,
    })
}

/// KMS does not have the key any more, and the log does not show that it was deleted.
pub(super) fn unlisted(key: &KeyView, cx: &Context<'_>) -> Option<Stamp> {
    let last = key.history.state_at(cx.as_of);
    let known = |stamp: &&Stamp| last.is_none_or(|last| told::is_later(stamp, last.at));
    let deleted = last.is_some_and(|last| last.state == KeyState::Deleted);
    key.beside.unlisted.as_ref().filter(known).filter(|_| !deleted).cloned()
}

pub(super) fn grants(key: &KeyView, cx: &Context<'_>) -> BTreeMap<String, Held> {
    let mut held: BTreeMap<String, Held> = BTreeMap::new();
    let mut add = |grantee: Option<&str>, unseen: bool| {
        let of = held.entry(grantee.unwrap_or("somebody").to_string()).or_default();
        of.grants += 1;
        of.unseen += u64::from(unseen);
    };
    for grant in key.history.grants.iter().filter(|grant| told::is_open(key, grant)) {
        add(key.events[grant.created].detail.grantee.as_deref(), false);
    }
    for (_, grant) in told::older_grants(key, cx).map(|(_, grants)| grants).unwrap_or_default() {
        add(grant.grantee.as_deref(), true);
    }
    held
}

/// Why nobody can tell whether a grant from before the log is open.
pub(super) fn older_grants(key: &KeyView, cx: &Context<'_>) -> Option<String> {
    if key.history.created.is_some() {
        return None;
    }
    let facts = told::facts(key);
    let listed = facts.and_then(|facts| facts.grants.as_ref()).map(|fact| &fact.stamp);
    let refused = facts.and_then(|facts| facts.refused.iter().find(|refused| refused.call == Call::ListGrants));
    match (listed, refused) {
        (Some(stamp), _) if stamp.captured_at >= cx.log_start() => None,
        (Some(stamp), _) => Some(format!("KMS listed its grants at {}, before the log starts", told::when(stamp))),
        (None, Some(refused)) => {
            Some(format!("KMS did not list its grants at {}: {}", told::when(&refused.stamp), refused.reason))
        }
        (None, None) => Some(format!("the log starts at {}, after the key was made", instant(cx.log_start()))),
    }
}

/// Whom outside of its account the last known policy lets in.
pub(super) fn others(key: &KeyView, cx: &Context<'_>) -> Vec<String> {
    use policy::Kind as K;
    let Some(Ok(policy)) = policies::standing(key, cx).pop().map(|standing| standing.policy) else { return Vec::new() };
    // Who may be trusted holds ciphertext all the same.
    let nobody = |_: &str| false;
    let member = |account: &str| cx.settings.accounts.is_member(account);
    let context = policy::Context {
        account: &key.account,
        trusted: &nobody,
        member: &member,
        organization: cx.settings.accounts.organization.as_deref(),
    };
    let outside = |kind| {
        matches!(
            kind,
            K::PublicAccess
                | K::ForeignAccount
                | K::MemberAccount
                | K::ForeignOrganization
                | K::UnplacedOrganization
                | K::FederatedPrincipal
        )
    };
    let mut others: Vec<String> = judge_key_policy(&policy, &context)
        .into_iter()
        .filter(|exposure| outside(exposure.kind))
        .map(|exposure| exposure.reason)
        .collect();
    others.sort();
    others.dedup();
    others
}

/// Names of the log, and what KMS listed.
pub(super) fn aliases(key: &KeyView) -> Vec<String> {
    let said = told::facts(key).and_then(|facts| facts.aliases.as_ref()).map(|fact| fact.value.names.iter());
    let mut names: Vec<String> = key.aliases.iter().chain(said.into_iter().flatten()).cloned().collect();
    names.sort();
    names.dedup();
    names
}
