//! Principals of the owner's account that have more than one duty: they administer a key and use it, or hand it on.

use std::collections::BTreeMap;

use super::actions::{ActionSet, Class};
use super::deny::{Part, apply};
use super::exposure::{Exposure, Kind};
use super::principal::Principal;
use super::reach::Reach;
use super::rights::Rights;
use crate::finding::{Confidence, Severity};

/// What one principal may do without a limit.
#[derive(Default)]
struct Duties {
    all: ActionSet,
    administers: Option<usize>,
    grants: Option<usize>,
}

pub(super) fn judge(rights: &Rights<'_>) -> Vec<Exposure> {
    let mut people: BTreeMap<&str, Duties> = BTreeMap::new();
    for rule in &rights.allows {
        for principal in rule.principals() {
            let (Principal::Named { account, arn }, Some(subject)) = (principal, Reach::of(principal)) else {
                continue;
            };
            if account != rights.account {
                continue;
            }
            let narrowed = rule.narrow(subject);
            // A right that is tied to a service, a request or a kind of grant is not free.
            if narrowed.reaches.is_empty() || !narrowed.limits.is_empty() {
                continue;
            }
            let (parts, _) = apply(rights, principal, vec![Part { reach: subject, actions: rule.actions }]);
            let actions = parts.iter().fold(ActionSet::EMPTY, |all, part| all.and_also(part.actions));
            let duties = people.entry(arn).or_default();
            duties.all = duties.all.and_also(actions);
            if actions.meets(ActionSet::control()) {
                duties.administers.get_or_insert(rule.index);
            }
            if actions.contains("CreateGrant") {
                duties.grants.get_or_insert(rule.index);
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
        sid: rights.allows.iter().find(|rule| rule.index == statement).and_then(|rule| rule.statement.sid.clone()),
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
