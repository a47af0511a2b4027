//! IAM policies: rights on every key of an account, which no key owner gave one by one.

use super::actions::{ActionSet, Class};
use super::condition::{Condition, Quantifier, Test};
use super::document::{Effect, Policy, Selection, Statement};
use super::exposure::{Exposure, Kind};
use super::judge::phrases;
use super::pattern::{has_wildcard, matches};
use crate::finding::{Confidence, Severity};

/// Ids that have nothing in common with each other. A pattern that matches all of them matches every key.
const PROBES: [&str; 2] = ["0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0", "mrk-8899aabbccddeeff0123456789abcdef"];

/// What an IAM policy lets its holder do with every key of an account, in the order of its statements.
///
/// Quiet where a resource or a condition names keys: by id, alias, tag, service or encryption context.
pub fn judge_iam_policy(policy: &Policy) -> Vec<Exposure> {
    let mut exposures = Vec::new();
    for (index, statement) in policy.statements.iter().enumerate() {
        if statement.effect == Effect::Deny || !is_about_all_keys(statement) {
            continue;
        }
        let denied = policy.statements.iter().filter(|deny| deny.effect == Effect::Deny && denies_all_keys(deny));
        let actions =
            denied.fold(ActionSet::of(&statement.actions), |left, deny| left.without(ActionSet::of(&deny.actions)));
        let narrowed = |grants: bool| statement.conditions.iter().any(|condition| names_keys(condition, grants));
        if narrowed(false) {
            continue;
        }
        let grants = if narrowed(true) { ActionSet::EMPTY } else { ActionSet::named(&["CreateGrant"]) };
        let rows = [
            (Kind::DecryptAllKeys, ActionSet::named(&["Decrypt", "ReEncryptFrom"])),
            (Kind::GrantAllKeys, grants),
            (Kind::AdministerAllKeys, ActionSet::control()),
        ];
        for (kind, wanted) in rows {
            let found = actions.within(wanted);
            if found.is_empty() {
                continue;
            }
            let confidence = if statement.conditions.is_empty() { Confidence::High } else { Confidence::Medium };
            let names: Vec<&str> = found.names().collect();
            exposures.push(Exposure {
                kind,
                severity: Severity::Medium,
                confidence,
                statement: index,
                sid: statement.sid.clone(),
                principals: Vec::new(),
                actions: found.classes(),
                reason: reason(kind, found, &names),
            });
        }
    }
    exposures
}

fn reason(kind: Kind, found: ActionSet, names: &[&str]) -> String {
    let what = match kind {
        Kind::AdministerAllKeys => "take away, destroy or hand over".to_owned(),
        Kind::GrantAllKeys => "hand out grants for".to_owned(),
        _ => format!("{} with", phrases(found.without(ActionSet::class(Class::Administer)))),
    };
    format!(
        "the holder may {what} every key that lets IAM decide: {} on all keys, and no condition names any",
        names.join(", ")
    )
}

/// True if a statement is about every key of some account in some Region.
fn is_about_all_keys(statement: &Statement) -> bool {
    let Some(resources) = &statement.resources else { return false };
    match resources.except {
        // All but some keys are nearly all.
        true => !resources.items.iter().any(|pattern| is_all_keys(pattern)),
        false => resources.items.iter().any(|pattern| is_all_keys(pattern)),
    }
}

/// True if a deny leaves nothing of its actions on all keys: all but a few that are named are denied, or all.
fn denies_all_keys(deny: &Statement) -> bool {
    let everything = |Selection { except, items }: &Selection<String>| match except {
        true => !items.iter().any(|pattern| is_all_keys(pattern)),
        false => items
            .iter()
            .any(|pattern| pattern == "*" || matches(pattern, &format!("arn:aws:kms:a:0:key/{}", PROBES[0]))),
    };
    deny.conditions.is_empty() && deny.resources.as_ref().is_some_and(everything)
}

/// True if a resource pattern matches any key of an account and a Region, in whatever partition.
fn is_all_keys(pattern: &str) -> bool {
    if !has_wildcard(pattern) {
        return false;
    }
    let parts: Vec<&str> = pattern.splitn(6, ':').collect();
    // Where the pattern is open, any text will do; where it is literal, it is taken at its word.
    let part = |index: usize, free: &str| match parts.get(index) {
        Some(text) if !has_wildcard(text) => (*text).to_owned(),
        _ => free.to_owned(),
    };
    let (partition, region, account) = (part(1, "aws"), part(3, "eu-west-1"), part(4, "111122223333"));
    PROBES.iter().all(|id| matches(pattern, &format!("arn:{partition}:kms:{region}:{account}:key/{id}")))
}

/// True if a condition ties a statement to some keys, or to what is done with them. `grants`: only for `CreateGrant`.
fn names_keys(condition: &Condition, grants: bool) -> bool {
    let key = condition.key.to_ascii_lowercase();
    let by_grant =
        ["kms:grantisforawsresource", "kms:grantoperations", "kms:granteeprincipal", "kms:grantconstrainttype"];
    let by_key = ["kms:viaservice", "kms:resourcealiases", "kms:requestalias", "kms:encryptioncontextkeys"];
    let named = match grants {
        true => by_grant.contains(&key.as_str()),
        false => {
            by_key.contains(&key.as_str())
                || key.starts_with("aws:resourcetag/")
                || key.starts_with("kms:encryptioncontext:")
                || key.starts_with("kms:recipientattestation:")
        }
    };
    // A request for a grant always says for which operations: `ForAllValues` is the documented test there.
    let there = condition.quantifier != Quantifier::All || key == "kms:grantoperations";
    let strict = !condition.negated && !condition.if_exists && there;
    let free = |value: &String| matches!(value.as_str(), "*" | "alias/*" | "**" | "*.amazonaws.com");
    let asks = match condition.test {
        Test::Equals | Test::Like | Test::Arn => !condition.values.iter().any(free),
        Test::Bool => condition.asks_for(true),
        // The tag must be there, or must not be an empty one: that is a choice of keys.
        Test::Null => condition.asks_for(false) && key.starts_with("aws:resourcetag/"),
        _ => false,
    };
    named && strict && asks
}
