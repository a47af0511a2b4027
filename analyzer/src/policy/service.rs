//! Whether an AWS service may make a call for one of our resources.
//!
//! What cuts a service off is told by asking each version of a policy, not by their difference: a narrower statement can
//! let the same calls through, and a new deny can stop them without a word on the service. Most of such a request is known
//! (whom the service works for, with what), so conditions are held against it, not against whoever else might call.

use super::actions::ActionSet;
use super::condition::{Condition, Quantifier, Test};
use super::document::{Effect, Policy, Statement};
use super::pattern::matches;
use super::principal::{Principal, split};
use super::rights::is_about_the_key;

/// A call that a service makes on its own account, with no caller behind it.
#[derive(Clone, Copy, Debug)]
pub struct ServiceCall<'a> {
    /// The service: `cloudtrail.amazonaws.com`.
    pub service: &'a str,
    /// The action, without `kms:`.
    pub action: &'a str,
    /// ARN of the resource that it works for, which it states in `aws:SourceArn`.
    pub source: &'a str,
    /// Pairs that its encryption context has for sure; it may have others.
    pub context: &'a [(&'a str, &'a str)],
}

/// What a request has under a condition key.
enum Has<'a> {
    This(&'a str),
    Nothing,
    Unknown,
}

/// Whether a key policy of `account` lets a service make a call.
///
/// In doubt yes: it is false only where no statement allows the call for sure, or a deny takes it for sure.
pub fn lets_service(policy: &Policy, account: &str, call: &ServiceCall<'_>) -> bool {
    let asked = Asked { call, account, variables: policy.has_variables() };
    let applies = |effect: Effect| {
        let of = policy.statements.iter().filter(move |statement| statement.effect == effect);
        of.map(|statement| asked.applies(statement))
    };
    applies(Effect::Allow).any(|is| is != Some(false)) && applies(Effect::Deny).all(|is| is != Some(true))
}

/// A call, and what it is held against.
struct Asked<'a> {
    call: &'a ServiceCall<'a>,
    /// Account of the key.
    account: &'a str,
    /// True if `${...}` is a variable in this policy.
    variables: bool,
}

impl Asked<'_> {
    /// Whether a statement is about the call; `None` where the document does not tell.
    fn applies(&self, statement: &Statement) -> Option<bool> {
        let wanted = ActionSet::named(&[self.call.action]);
        let about = ActionSet::of(&statement.actions).meets(wanted) && is_about_the_key(statement, self.account);
        if !about || !self.is_named(statement) {
            return Some(false);
        }
        let unsure = statement.resources.as_ref().is_some_and(|resources| resources.except);
        all(statement.conditions.iter().map(|condition| self.holds(condition)).chain(unsure.then_some(None)))
    }

    fn is_named(&self, statement: &Statement) -> bool {
        let Some(named) = &statement.principals else { return false };
        let own = Principal::Service(self.call.service.to_owned()).canonical();
        let is = |listed: &Principal| *listed == Principal::Anyone || listed.canonical() == own;
        named.items.iter().any(is) != named.except
    }

    fn has(&self, key: &str) -> Has<'_> {
        let owner = || split(self.call.source).map(|(_, account, _)| account).filter(|account| !account.is_empty());
        match key.to_ascii_lowercase().as_str() {
            "aws:sourcearn" => Has::This(self.call.source),
            "aws:sourceaccount" => owner().map_or(Has::Unknown, Has::This),
            "aws:resourceaccount" => Has::This(self.account),
            "aws:principalservicename" => Has::This(self.call.service),
            // KMS answers over TLS only.
            "aws:principalisawsservice" | "aws:securetransport" => Has::This("true"),
            "kms:viaservice" | "kms:grantisforawsresource" => Has::Nothing,
            key => {
                // Names of pairs are taken as they are, but AWS takes condition keys in any case.
                let pair = key.strip_prefix("kms:encryptioncontext:");
                let stated = self.call.context.iter().find(|(name, _)| pair == Some(&name.to_ascii_lowercase()));
                stated.map_or(Has::Unknown, |(_, value)| Has::This(value))
            }
        }
    }

    fn holds(&self, condition: &Condition) -> Option<bool> {
        let has = match self.has(&condition.key) {
            Has::This(has) => has,
            Has::Unknown => return None,
            Has::Nothing if condition.test == Test::Null => return null(condition),
            Has::Nothing => {
                let passes = condition.negated && condition.quantifier != Quantifier::Any;
                return Some(condition.if_exists || condition.quantifier == Quantifier::All || passes);
            }
        };
        if condition.test == Test::Null {
            return null(condition).map(|absent| !absent);
        }
        any(condition.values.iter().map(|value| self.fits(condition, value, has))).map(|fits| fits != condition.negated)
    }

    fn fits(&self, condition: &Condition, value: &str, has: &str) -> Option<bool> {
        if self.variables && value.contains("${") {
            return None;
        }
        match condition.test {
            Test::Equals if condition.operator.contains("IgnoreCase") => Some(value.eq_ignore_ascii_case(has)),
            Test::Equals => Some(value == has),
            Test::Like => Some(matches(value, has)),
            Test::Arn => arn(value, has),
            Test::Bool => Some(value.eq_ignore_ascii_case(has)),
            _ => None,
        }
    }
}

/// Whether a `Null` test asks that the key be absent.
fn null(condition: &Condition) -> Option<bool> {
    match (condition.asks_for(true), condition.asks_for(false)) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => None,
    }
}

/// ARNs are compared part by part: a star does not reach over a colon, except in the last one.
fn arn(pattern: &str, has: &str) -> Option<bool> {
    let (pattern, has): (Vec<&str>, Vec<&str>) = (pattern.splitn(6, ':').collect(), has.splitn(6, ':').collect());
    let whole = pattern.len() == 6 && has.len() == 6;
    whole.then(|| pattern.iter().zip(has).all(|(pattern, has)| matches(pattern, has)))
}

/// False if one is false, true if all are true.
fn all(list: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    any(list.map(|one| one.map(|one| !one))).map(|any| !any)
}

/// True if one is true, false if all are false.
fn any(list: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut unsure = false;
    for one in list {
        match one {
            Some(true) => return one,
            Some(false) => {}
            None => unsure = true,
        }
    }
    (!unsure).then_some(false)
}
