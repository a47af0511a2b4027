//! What the denies of a policy leave of what a statement allows.

use super::actions::ActionSet;
use super::pins::Clause;
use super::principal::Principal;
use super::reach::{Reach, cross};
use super::rights::{Rights, Rule};

/// Most parts that an allowed right is cut into. Beyond it denies are no longer applied: better one exposure too many.
const MAX_PARTS: usize = 1024;

/// Callers and what they may do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part<'a> {
    /// The callers.
    pub reach: Reach<'a>,
    /// What they may do.
    pub actions: ActionSet,
}

/// Who gets past a deny.
enum Escapes<'a> {
    All,
    These(Vec<Reach<'a>>),
    Unknown,
}

/// What is left of an allowed right after the denies, and the last deny that might take more than it plainly does.
pub(super) fn apply<'a>(
    rights: &Rights<'a>,
    principal: &Principal,
    allowed: Vec<Part<'a>>,
) -> (Vec<Part<'a>>, Option<usize>) {
    let (mut parts, mut maybe) = (allowed, None);
    for deny in &rights.denies {
        if !parts.iter().any(|part| part.actions.meets(deny.actions)) || parts.len() > MAX_PARTS {
            continue;
        }
        let mut left = Vec::new();
        for part in parts {
            let escapes =
                if part.actions.meets(deny.actions) { escapes(deny, principal, part.reach) } else { Escapes::All };
            match escapes {
                Escapes::All => left.push(part),
                Escapes::Unknown => {
                    maybe = Some(deny.index);
                    left.push(part);
                }
                Escapes::These(escapes) => {
                    let rest = Part { actions: part.actions.without(deny.actions), ..part };
                    left.extend((!rest.actions.is_empty()).then_some(rest));
                    let actions = part.actions.within(deny.actions);
                    left.extend(cross(&[part.reach], &escapes).into_iter().map(|reach| Part { reach, actions }));
                }
            }
        }
        parts = left;
    }
    (parts, maybe)
}

fn escapes<'a>(deny: &Rule<'a>, principal: &Principal, reach: Reach<'a>) -> Escapes<'a> {
    let Some(mut escapes) = not_named(deny, principal, reach) else { return Escapes::All };
    let mut unknown = deny.statement.resources.as_ref().is_some_and(|resources| resources.except);
    for clause in &deny.clauses {
        match clause {
            Clause::Always => {}
            Clause::Never => return Escapes::All,
            Clause::Except(list) => escapes.extend(list),
            Clause::Only(list) => {
                if list.iter().all(|named| reach.and(*named).is_none()) {
                    return Escapes::All;
                }
                // Whoever is of the list whatever else the caller is.
                unknown |= !list.iter().any(|named| reach.and(*named) == Some(reach));
            }
            Clause::Context(_) | Clause::Limit(_) | Clause::Weak(_) | Clause::Unsure => unknown = true,
        }
    }
    if unknown { Escapes::Unknown } else { Escapes::These(escapes) }
}

/// Callers of `reach` that the principals of a deny do not name. None if it names none of them for sure.
fn not_named<'a>(deny: &Rule<'a>, subject: &Principal, reach: Reach<'a>) -> Option<Vec<Reach<'a>>> {
    let named = deny.statement.principals.as_ref()?;
    let covers = |listed: &Principal| match listed {
        Principal::Anyone => true,
        Principal::Account { account, .. } => reach.service != Some(true) && reach.account == Some(account),
        Principal::Named { arn, .. } => matches!(subject, Principal::Named { arn: own, .. } if own == arn),
        _ => listed.canonical() == subject.canonical(),
    };
    let covered = named.items.iter().any(covers);
    match named.except {
        false => covered.then(Vec::new),
        true if covered => None,
        true => Some(named.items.iter().filter_map(Reach::of).collect()),
    }
}
