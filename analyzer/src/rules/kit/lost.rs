//! Callers that are refused since somebody took a right away from them: by a new key policy, or with a grant. A refusal
//! alone says nothing; one that begins with the removal does.

use super::context::Context;
use super::grantee::{is_same as same, of as grantee};
use super::outage::{Failure, Outage, SETTLING, Undo, first_after, successes_of};
use super::over::Over;
use super::policies::versions;
use crate::extract::FailureClass;
use crate::finding::plain;
use crate::policy::{Change, Closeness, diff};
use crate::view::KeyView;
use crate::view::activity::{Series, SeriesKey};
use crate::view::ledger::ControlEvent;

/// Something that took rights away.
struct Removal<'v> {
    by: &'v ControlEvent,
    how: How,
}

enum How {
    /// What the new policy no longer allows, or denies since.
    Policy(Vec<Change>),
    /// The grant that ended.
    Grant(usize),
}

/// Refusals that a removal explains, one outage for each removal. `failures` are in order of time.
pub fn outages<'v>(key: &'v KeyView, failures: &[Failure<'v>], cx: &Context<'v>) -> Vec<Outage<'v>> {
    let denied = |failure: &Failure<'_>| failure.series.key.failure == Some(FailureClass::AccessDenied);
    if !failures.iter().any(denied) {
        return Vec::new();
    }
    let removals = removals(key, cx);
    let mut outages: Vec<Option<Outage<'v>>> = removals.iter().map(|_| None).collect();
    for (index, failure) in failures.iter().enumerate().filter(|(_, failure)| denied(failure)) {
        let explained = removals.iter().enumerate().rev().find_map(|(at, removal)| {
            let closeness = explains(key, removal, failure, cx)?;
            Some((at, closeness))
        });
        if let Some((at, closeness)) = explained {
            let outage = outages[at].get_or_insert_with(|| begun(key, &removals[at], closeness, cx));
            outage.failures.push(index);
        }
    }
    let mut outages: Vec<Outage<'v>> = outages.into_iter().flatten().collect();
    for outage in &mut outages {
        outage.over = over(key, outage, failures, cx);
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

/// How closely a removal explains a refusal; `None` when it does not.
fn explains(key: &KeyView, removal: &Removal<'_>, failure: &Failure<'_>, cx: &Context<'_>) -> Option<Closeness> {
    let at = removal.by.event.time;
    let begun = failure.cell.first.time;
    if begun < at || !worked_until(key, &failure.series.key, at, begun) {
        return None;
    }
    let series = &failure.series.key;
    let (principal, via) = (cx.text(series.principal), cx.text(series.via));
    let operation = cx.text(Some(series.name));
    let actions: &[&str] = if operation == "ReEncrypt" { &["ReEncryptFrom", "ReEncryptTo"] } else { &[operation] };
    match &removal.how {
        How::Policy(lost) => {
            lost.iter().filter_map(|change| change.concerns(&[principal, via], account(principal), actions)).max()
        }
        How::Grant(grant) => {
            let gives = |grant: &crate::view::history::Grant| {
                let created = &key.events[grant.created];
                let operations = created.detail.grant_operations.as_deref();
                // Old records do not say which operations.
                let covers =
                    operations.is_none_or(|list| actions.iter().any(|one| list.contains(&format!("\"{one}\""))));
                let whom = grantee(created);
                (covers && (same(whom, principal) || same(whom, via))).then_some(created)
            };
            gives(&key.history.grants[*grant])?;
            // Another grant gives the same: the removal took nothing away.
            let standing = |other: &&crate::view::history::Grant| {
                let created = gives(other).is_some_and(|created| created.event.time <= begun);
                created && other.ended.is_none_or(|ended| key.events[ended].event.time > begun)
            };
            key.history.grants.iter().all(|other| !standing(&other)).then_some(Closeness::Named)
        }
    }
}

/// True if the same calls succeeded until the removal, and none after it: it made the difference.
fn worked_until(key: &KeyView, failed: &SeriesKey, at: i64, begun: i64) -> bool {
    let same = |series: &&Series| {
        let own = &series.key;
        (own.source, own.name, own.principal, own.via) == (failed.source, failed.name, failed.principal, failed.via)
    };
    let last = |list: &mut dyn Iterator<Item = &Series>, before: i64| {
        let cells = list.flat_map(|series| &series.cells).filter(|cell| cell.first.time <= before);
        cells.map(|cell| cell.last().min(before)).max()
    };
    let refused = |series: &&Series| series.key.failure == Some(FailureClass::AccessDenied);
    let own = || key.series.iter().filter(same);
    let worked = last(&mut own().filter(|series| series.succeeded()), at);
    let denied = last(&mut own().filter(refused), at - 1);
    let since = last(&mut own().filter(|series| series.succeeded()), begun);
    worked.is_some_and(|worked| denied.is_none_or(|denied| denied < worked))
        && since.is_some_and(|since| since <= at.saturating_add(SETTLING))
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

/// One of the callers succeeded again after the last refusal.
fn over<'v>(key: &'v KeyView, outage: &Outage<'v>, failures: &[Failure<'v>], cx: &Context<'v>) -> Option<Over<'v>> {
    let own = || outage.failures.iter().map(|&at| &failures[at]);
    let last = own().map(|failure| failure.cell.last()).max()?;
    let caller = |series: &&Series| {
        let same = |failure: &Failure<'_>| {
            let (one, two) = (&series.key, &failure.series.key);
            (one.source, one.name, one.principal, one.via) == (two.source, two.name, two.principal, two.via)
        };
        series.succeeded() && own().any(same)
    };
    let successes = successes_of(key.series.iter().filter(caller), cx);
    let success = first_after(&successes, last)?;
    Some(Over::Success { operation: success.operation.to_string(), time: success.time, event: success.event })
}

fn account(principal: &str) -> &str {
    principal.split(':').nth(4).unwrap_or_default()
}
