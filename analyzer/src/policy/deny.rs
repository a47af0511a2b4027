//! What the denies of a policy leave of what a statement allows.

use super::actions::ActionSet;
use super::document::{Effect, Policy, Statement};
use super::pins::{Clause, Limit, Owner};
use super::principal::Principal;
use super::reach::{Reach, cross};

/// Most parts that an allowed right is cut into. Beyond it denies are no longer applied: better one exposure too many.
const MAX_PARTS: usize = 64;
/// Most pairs of callers that are compared for one test.
const MAX_PAIRS: usize = 100_000;

/// Callers and what they may do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part<'a> {
    /// The callers.
    pub reach: Reach<'a>,
    /// What they may do.
    pub actions: ActionSet,
}

/// What the conditions of a statement leave.
#[derive(Clone, Debug, Default)]
pub(super) struct Narrowed<'a> {
    /// Callers that are left.
    pub reaches: Vec<Reach<'a>>,
    /// How their calls are narrowed.
    pub limits: Vec<Limit>,
    /// Why a test that looks like it ties down the caller does not.
    pub weak: Vec<&'static str>,
}

/// What the conditions of an allowing statement leave of some callers.
pub(super) fn narrow<'a>(statement: &'a Statement, subject: Reach<'a>, owner: Owner<'a>) -> Narrowed<'a> {
    let mut left = Narrowed { reaches: vec![subject], ..Narrowed::default() };
    for condition in &statement.conditions {
        match Clause::of(condition, &statement.conditions, owner) {
            Clause::Always | Clause::Except(_) | Clause::Unsure => {}
            Clause::Never => left.reaches.clear(),
            Clause::Limit(limit) => left.limits.push(limit),
            Clause::Weak(why) => left.weak.push(why),
            Clause::Context(list) if subject.service == Some(true) => left.only(&list),
            Clause::Context(_) => left.limits.push(Limit::Request),
            Clause::Only(list) => left.only(&list),
        }
    }
    left
}

impl<'a> Narrowed<'a> {
    fn only(&mut self, list: &[Reach<'a>]) {
        if self.reaches.len() * list.len() <= MAX_PAIRS {
            self.reaches = cross(&self.reaches, list);
        }
    }
}

/// What is left of an allowed right after the denies, and the last deny that might take more than it plainly does.
pub(super) fn apply<'a>(
    policy: &'a Policy,
    principal: &Principal,
    allowed: Vec<Part<'a>>,
    owner: Owner<'a>,
) -> (Vec<Part<'a>>, Option<usize>) {
    let (mut parts, mut maybe) = (allowed, None);
    for (index, deny) in policy.statements.iter().enumerate().filter(|(_, s)| s.effect == Effect::Deny) {
        let denied = ActionSet::of(&deny.actions);
        if !parts.iter().any(|part| part.actions.meets(denied)) || parts.len() > MAX_PARTS {
            continue;
        }
        let mut left = Vec::new();
        for part in parts {
            if !part.actions.meets(denied) {
                left.push(part);
                continue;
            }
            match escapes(deny, principal, part.reach, owner) {
                Escapes::All => left.push(part),
                Escapes::Unknown => {
                    maybe = Some(index);
                    left.push(part);
                }
                Escapes::These(escapes) => {
                    let rest = Part { actions: part.actions.without(denied), ..part };
                    left.extend((!rest.actions.is_empty()).then_some(rest));
                    let actions = part.actions.within(denied);
                    left.extend(cross(&[part.reach], &escapes).into_iter().map(|reach| Part { reach, actions }));
                }
            }
        }
        parts = left;
    }
    (parts, maybe)
}

/// Who gets past a deny.
enum Escapes<'a> {
    All,
    These(Vec<Reach<'a>>),
    Unknown,
}

fn escapes<'a>(deny: &'a Statement, principal: &Principal, reach: Reach<'a>, owner: Owner<'a>) -> Escapes<'a> {
    let Some(mut escapes) = not_named(deny, principal, reach) else { return Escapes::All };
    let mut unknown = deny.resources.as_ref().is_some_and(|resources| resources.except);
    for condition in &deny.conditions {
        match Clause::of(condition, &deny.conditions, owner) {
            Clause::Always => {}
            Clause::Never => return Escapes::All,
            Clause::Except(list) => escapes.extend(list),
            Clause::Only(list) => {
                // An account that is named without more is in the list whatever else the caller is.
                let whole = |named: &Reach| {
                    let same = named.account.is_some() && named.account == reach.account;
                    same && *named == Reach { account: named.account, ..Reach::EVERYONE }
                };
                if list.iter().all(|named| reach.and(*named).is_none()) {
                    return Escapes::All;
                }
                let inside = list.iter().any(|named| whole(named) || reach.and(*named) == Some(reach));
                unknown |= !inside;
            }
            Clause::Context(_) | Clause::Limit(_) | Clause::Weak(_) | Clause::Unsure => unknown = true,
        }
    }
    if unknown { Escapes::Unknown } else { Escapes::These(escapes) }
}

/// Callers of `reach` that the principals of a deny do not name. None if it names none of them for sure.
fn not_named<'a>(deny: &'a Statement, subject: &Principal, reach: Reach<'a>) -> Option<Vec<Reach<'a>>> {
    let named = deny.principals.as_ref()?;
    let covers = |listed: &Principal| match listed {
        Principal::Anyone => true,
        Principal::Account { account, .. } => reach.service != Some(true) && reach.account == Some(account),
        _ => listed.canonical() == subject.canonical(),
    };
    if !named.except {
        return named.items.iter().any(covers).then(Vec::new);
    }
    if named.items.iter().any(covers) {
        return None;
    }
    Some(named.items.iter().filter_map(Reach::of).collect())
}
