//! Who outside may do what with a key, by its key policy.

use std::collections::{BTreeMap, BTreeSet};

use super::actions::{ActionSet, Class};
use super::deny::{Part, apply};
use super::document::Policy;
use super::duties;
use super::exposure::{Exposure, Kind};
use super::pins::Limit;
use super::principal::{Principal, split};
use super::reach::Reach;
use super::rights::{Narrowed, Rights, Rule};
use super::verdict::{Level, Named, Place, verdict};
use crate::finding::{Confidence, Severity};

/// Whose key it is and who is a friend.
pub struct Context<'a> {
    /// Account that owns the key.
    pub account: &'a str,
    /// True for accounts that may use our keys.
    pub trusted: &'a dyn Fn(&str) -> bool,
    /// True for further accounts of our organization.
    pub member: &'a dyn Fn(&str) -> bool,
    /// Our organization: `o-...`.
    pub organization: Option<&'a str>,
}

/// Exposures of one kind in one statement: callers by what they may do.
type Found = BTreeMap<(Kind, Severity, Vec<Class>), (Confidence, Vec<String>, String)>;

/// What a key policy lets others do, in the order of its statements.
///
/// Quiet for what is normal: the account's own root, AWS managed keys, statements of the console, documented service
/// statements that name their source.
pub fn judge_key_policy(policy: &Policy, context: &Context<'_>) -> Vec<Exposure> {
    let rights = Rights::of(policy, context.account);
    let mut exposures = Vec::new();
    for rule in &rights.allows {
        let mut found = Found::new();
        for principal in rule.principals() {
            judge(&mut found, &rights, rule, principal, context);
        }
        exposures.extend(found.into_iter().map(|((kind, severity, actions), (confidence, mut principals, reason))| {
            principals.sort();
            principals.dedup();
            let (statement, sid) = (rule.index, rule.statement.sid.clone());
            Exposure { kind, severity, confidence, statement, sid, principals, actions, reason }
        }));
    }
    exposures.extend(duties::judge(&rights));
    exposures.sort_by_key(|exposure| exposure.statement);
    exposures
}

/// How to name a principal.
fn label(rule: &Rule<'_>, principal: &Principal) -> String {
    match &rule.statement.principals {
        Some(named) if named.except => {
            let spared: Vec<String> = named.items.iter().map(ToString::to_string).collect();
            format!("everyone except {}", spared.join(", "))
        }
        _ => principal.to_string(),
    }
}

fn judge<'a>(found: &mut Found, rights: &Rights<'a>, rule: &Rule<'a>, principal: &'a Principal, context: &Context<'_>) {
    let (mut actions, label) = (rule.actions, label(rule, principal));
    let Some(subject) = Reach::of(principal) else {
        if let Some((kind, severity, reason)) = odd(principal, Level::outside(actions, &[]), context) {
            add(found, (kind, severity, actions.classes()), Confidence::Low, label, reason);
        }
        return;
    };
    let Narrowed { reaches, limits, weak } = rule.narrow(subject);
    if limits.contains(&Limit::GrantOnly) {
        actions = actions.within(ActionSet::named(&["CreateGrant", "ListGrants", "RevokeGrant"]));
    }
    let allowed = reaches.into_iter().map(|reach| Part { reach, actions }).collect();
    let (parts, maybe) = apply(rights, principal, allowed);
    let named = match principal {
        Principal::Anyone => Named::Everyone,
        Principal::Service(_) => Named::Service,
        _ => Named::Each,
    };
    // Many callers can come out at the same place: those of one account by the organizations that it may be in.
    let places: BTreeSet<_> = parts.iter().map(|part| (Place::of(part.reach, context), part.actions)).collect();
    for (place, actions) in places {
        let Some((kind, severity)) = verdict(place, named, actions, &limits) else { continue };
        let confidence = if maybe.is_some() || !limits.is_empty() { Confidence::Medium } else { Confidence::High };
        let who = match place {
            Place::Foreign(account) | Place::Member(account) if named == Named::Everyone => account.to_owned(),
            Place::ForeignOrganization(id) | Place::UnplacedOrganization(id) if named == Named::Everyone => {
                id.to_owned()
            }
            _ => label.clone(),
        };
        let mut reason = sentence(place, named, actions, &limits);
        if let (Some(why), Place::Anyone | Place::AnyService) = (weak.first(), place) {
            reason = format!("{reason}: {why}");
        }
        if let Some(deny) = maybe {
            reason = format!("{reason}; the deny of statement {} may limit it", deny + 1);
        }
        add(found, (kind, severity, actions.classes()), confidence, who, reason);
    }
}

fn add(found: &mut Found, key: (Kind, Severity, Vec<Class>), confidence: Confidence, who: String, reason: String) {
    let (least, principals, _) = found.entry(key).or_insert_with(|| (confidence, Vec::new(), reason));
    *least = confidence.min(*least);
    principals.push(who);
}

/// Principals that no account can be told of.
fn odd(principal: &Principal, level: Level, context: &Context<'_>) -> Option<(Kind, Severity, String)> {
    let found = match principal {
        Principal::DeletedId(_) => {
            let reason = "names the id of a user or role that was deleted".to_owned();
            return Some((Kind::DeletedPrincipal, Severity::Info, reason));
        }
        Principal::Federated(name) => match split(name) {
            Some((_, account, _)) if account == context.account => return None,
            Some((_, account, _)) if (context.trusted)(account) => return None,
            Some((_, account, _)) if (context.member)(account) => {
                let reason = format!("names an identity provider of account {account}, of the own organization");
                (Kind::MemberAccount, Severity::Info, reason)
            }
            Some((_, account, _)) => {
                let reason = format!("names an identity provider of account {account}, which is not ours");
                (Kind::ForeignAccount, Severity::Medium, reason)
            }
            None => {
                let reason = "names whoever signs in at an identity provider".to_owned();
                (Kind::FederatedPrincipal, Severity::Medium, reason)
            }
        },
        Principal::Other(text) if text.contains('*') => {
            let reason = "names principals by a wildcard, which AWS takes only as a whole".to_owned();
            (Kind::UnreadablePrincipal, Severity::Medium, reason)
        }
        _ => (Kind::UnreadablePrincipal, Severity::Low, "names a principal that cannot be placed".to_owned()),
    };
    (level > Level::Metadata).then_some(found)
}

fn sentence(place: Place<'_>, named: Named, actions: ActionSet, limits: &[Limit]) -> String {
    let what = phrases(actions);
    let how = match limits {
        [] => "",
        _ if limits.contains(&Limit::Path) => ", through a service",
        _ if limits.contains(&Limit::Request) => ", within what the conditions ask of the request",
        _ => ", grants within limits",
    };
    let across = actions.within(ActionSet::across_accounts());
    match place {
        Place::Foreign(account) if named == Named::Service => {
            format!("the service may {what} for account {account}, which is not ours{how}")
        }
        Place::ForeignOrganization(id) if named == Named::Service => {
            format!("the service may {what} for every account of organization {id}, which is not ours{how}")
        }
        Place::UnplacedOrganization(id) if named == Named::Service => {
            format!(
                "the service may {what} for every account of organization {id}; the settings do not say which is ours"
            )
        }
        Place::Own | Place::OwnOrganization | Place::Member(_) | Place::Tied | Place::Trusted(_)
            if named == Named::Service =>
        {
            format!("the service may {what}, and no AWS service needs to administer a key")
        }
        Place::Anyone => format!("any AWS account may {what}{how}"),
        Place::AnyService => format!("the service may {what} for whomever it works{how}"),
        Place::Foreign(account) if across.is_empty() => {
            format!("account {account}, which is not ours, is to {what}; KMS gives that no effect across accounts")
        }
        Place::Foreign(account) => format!("account {account}, which is not ours, may {what}{how}"),
        Place::Member(account) => format!("account {account}, of the own organization, may {what}{how}"),
        Place::Trusted(account) => format!("the trusted account {account} may {what}, grants to anybody included"),
        Place::ForeignOrganization(id) => format!("organization {id}, which is not ours, may {what}{how}"),
        Place::UnplacedOrganization(id) => {
            format!("every account of organization {id} may {what}{how}; the settings do not say which is ours")
        }
        Place::Own => format!("every principal of the account may {what}, without a permission of its own"),
        Place::OwnOrganization => format!("every principal of the organization may {what}"),
        Place::Tied => format!("whoever comes by the named network or id may {what}"),
    }
}

/// What the actions come to, in words.
pub(super) fn phrases(actions: ActionSet) -> String {
    let words = [
        (actions.meets(ActionSet::class(Class::Administer)), "administer the key"),
        (actions.contains("CreateGrant"), "create grants"),
        (actions.meets(ActionSet::named(&["Decrypt", "ReEncryptFrom", "Decapsulate"])), "decrypt"),
        (actions.meets(ActionSet::named(&["Sign", "GenerateMac"])), "sign"),
        (actions.meets(ActionSet::named(&["Encrypt", "GenerateDataKey", "ReEncryptTo", "Encapsulate"])), "encrypt"),
    ];
    let words: Vec<&str> = words.into_iter().filter_map(|(does, word)| does.then_some(word)).collect();
    match words.as_slice() {
        [] if actions.meets(ActionSet::class(Class::Use)) => "use the key".to_owned(),
        [] => "read about the key".to_owned(),
        [one] => (*one).to_owned(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}
