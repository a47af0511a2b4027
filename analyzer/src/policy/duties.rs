//! Principals of the owner's account that have more than one duty: they administer a key and use it, or hand it on.

use std::collections::BTreeMap;

use super::actions::{ActionSet, Class};
use super::deny::{Part, apply, narrow};
use super::document::{Effect, Policy};
use super::exposure::{Confidence, Exposure, Kind, Severity};
use super::judge::is_about_the_key;
use super::pins::Owner;
use super::principal::Principal;
use super::reach::Reach;

/// What one principal may do without a limit.
#[derive(Default)]
struct Duties {
    all: ActionSet,
    administers: Option<usize>,
    grants: Option<usize>,
}

pub(super) fn judge(policy: &Policy, owner: Owner<'_>) -> Vec<Exposure> {
    let mut people: BTreeMap<&str, Duties> = BTreeMap::new();
    for (index, statement) in policy.statements.iter().enumerate() {
        let actions = ActionSet::of(&statement.actions);
        if statement.effect == Effect::Deny || actions.is_empty() || !is_about_the_key(statement, owner) {
            continue;
        }
        let Some(named) = statement.principals.as_ref().filter(|named| !named.except) else { continue };
        for principal in &named.items {
            let (Principal::Named { account, arn }, Some(subject)) = (principal, Reach::of(principal)) else {
                continue;
            };
            if account != owner.account {
                continue;
            }
            let narrowed = narrow(statement, subject, owner);
            // A right that is tied to a service, a request or a kind of grant is not free.
            if narrowed.reaches.is_empty() || !narrowed.limits.is_empty() {
                continue;
            }
            let (parts, _) = apply(policy, principal, vec![Part { reach: subject, actions }], owner);
            let actions = parts.iter().fold(ActionSet::EMPTY, |all, part| all.and_also(part.actions));
            let duties = people.entry(arn).or_default();
            duties.all = duties.all.and_also(actions);
            if actions.meets(ActionSet::control()) {
                duties.administers.get_or_insert(index);
            }
            if actions.contains("CreateGrant") {
                duties.grants.get_or_insert(index);
            }
        }
    }
    // Statement and kind, with all principals that it holds for.
    let mut found: BTreeMap<(usize, Kind), (Vec<String>, ActionSet)> = BTreeMap::new();
    for (arn, duties) in people {
        let uses = duties.all.meets(ActionSet::class(Class::Use));
        let key = match (duties.administers, duties.grants) {
            (Some(index), _) if uses => (index, Kind::AdminAndUser),
            // Whoever writes the policy can have all grants anyway.
            (_, Some(index)) if !duties.all.contains("PutKeyPolicy") => (index, Kind::UnrestrictedGrant),
            _ => continue,
        };
        let (principals, actions) = found.entry(key).or_default();
        principals.push(arn.to_owned());
        *actions = actions.and_also(duties.all);
    }
    let exposures = found.into_iter().map(|((statement, kind), (principals, actions))| Exposure {
        kind,
        severity: Severity::Low,
        confidence: Confidence::High,
        statement,
        sid: policy.statements.get(statement).and_then(|statement| statement.sid.clone()),
        principals,
        actions: actions.classes(),
        reason: match kind {
            Kind::AdminAndUser => "the same principal administers the key and uses it",
            _ => "may hand the key to anybody by a grant: no condition limits grants to AWS services",
        }
        .to_owned(),
    });
    exposures.collect()
}
