//! Callers that are refused since somebody took a right away from them: by a new key policy, or with a grant. A refusal
//! alone says nothing; one that begins with the removal does.

use super::context::Context;
use super::grantee::{is_same as same, of as grantee};
use super::outage::{Failure, Outage, Undo};
use super::over::{by_callers, caller};
use super::policies::versions;
use super::refused::{Refused, Removals};
use crate::extract::FailureClass;
use crate::finding::plain;
use crate::policy::{Change, Closeness, diff};
use crate::view::KeyView;
use crate::view::ledger::ControlEvent;

/// Something that took rights away.
pub struct Removal<'v> {
    /// The event.
    pub by: &'v ControlEvent,
    /// What it took.
    pub how: How,
}

/// What a removal took.
pub enum How {
    /// What the new policy no longer allows, or denies since.
    Policy(Vec<Change>),
    /// The grant that ended.
    Grant(usize),
}

/// Refusals that a removal explains, one outage for each removal. `failures` are in order of time.
pub fn outages<'v>(key: &'v KeyView, failures: &[Failure<'v>], cx: &Context<'v>) -> Vec<Outage<'v>> {
    let denied = |failure: &&Failure<'_>| failure.series.key.failure == Some(FailureClass::AccessDenied);
    if !failures.iter().any(|failure| denied(&failure)) {
        return Vec::new();
    }
    let all = removals(key, cx);
    let removals = Removals::new(&all, key);
    let mut callers = Refused::all(key, &removals, failures.iter().filter(denied), cx);
    let mut outages: Vec<Option<Outage<'v>>> = all.iter().map(|_| None).collect();
    for (index, failure) in failures.iter().enumerate().filter(|(_, failure)| denied(failure)) {
        let caller = callers.get_mut(&caller(&failure.series.key));
        let explained = caller.and_then(|caller| caller.explained(&removals, failure.cell.first.time));
        if let Some((at, closeness)) = explained {
            let outage = outages[at].get_or_insert_with(|| begun(key, &all[at], closeness, cx));
            outage.failures.push(index);
        }
    }
    let mut outages: Vec<Outage<'v>> = outages.into_iter().flatten().collect();
    for outage in &mut outages {
        let last = outage.failures.iter().map(|&at| failures[at].cell.last()).max();
        outage.over = last.and_then(|last| by_callers(key, outage, failures, last, cx));
    }
    outages
}

fn removals<'v>(key: &'v KeyView, cx: &Context<'_>) -> Vec<Removal<'v>> {
    let mut removals = Vec::new();
    let versions = versions(key, cx);
    for (at, version) in versions.iter().enumerate() {
        let Ok(new) = &version.policy else { continue };
        let old = at.checked_sub(1).map(|before| versions[before].policy.as_ref());
        // Of a policy whose forerunner cannot be read, only what it denies is known to be taken away.
        let old = old.and_then(Result::ok);
        let lost = diff(old, new).lost;
        if !lost.is_empty() && cx.text(Some(key.events[version.by].name)) == "PutKeyPolicy" {
            removals.push(Removal { by: &key.events[version.by], how: How::Policy(lost) });
        }
    }
    for (at, grant) in key.history.grants.iter().enumerate() {
        let Some(ended) = grant.ended.map(|ended| &key.events[ended]) else { continue };
        // A grantee that gives its grant back is done with it.
        let own = same(grantee(&key.events[grant.created]), cx.text(ended.actor.principal));
        if !own {
            removals.push(Removal { by: ended, how: How::Grant(at) });
        }
    }
    removals.sort_by_key(|removal| removal.by.event);
    removals
}

fn begun<'v>(key: &KeyView, removal: &Removal<'v>, closeness: Closeness, cx: &Context<'_>) -> Outage<'v> {
    let (what, undo) = match &removal.how {
        How::Policy(_) => ("closed to some of its users by a new policy,".to_string(), Undo::Policy),
        How::Grant(grant) => {
            let whom = super::context::short_principal(grantee(&key.events[key.history.grants[*grant].created]));
            let verb = if cx.text(Some(removal.by.name)) == "RetireGrant" { "retired" } else { "revoked" };
            (format!("closed to {} by a grant that was {verb},", plain(&whom)), Undo::Grant)
        }
    };
    let mut outage = Outage::partial(removal.by, what, undo);
    if closeness == Closeness::Around {
        outage.unsure = Some(
            "the change speaks of the whole account or of everybody; whether it took the right from this caller depends on other policies",
        );
    }
    outage
}
