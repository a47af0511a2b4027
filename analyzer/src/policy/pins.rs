//! What a condition says about who calls. Most keys say nothing: how, when and for what a call is made does not tie down
//! the caller.

use super::condition::{Condition, Quantifier, Test};
use super::pattern::has_wildcard;
use super::principal::{is_account, split};
use super::reach::{Name, OWNERS_ORGANIZATION, Reach};

/// One test of a condition, seen from the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Clause<'a> {
    /// Holds for everybody.
    Always,
    /// Holds for nobody.
    Never,
    /// Holds for these callers and for no other.
    Only(Vec<Reach<'a>>),
    /// Holds for all callers but these.
    Except(Vec<Reach<'a>>),
    /// Holds for these callers if they are services; others state freely what it asks for.
    Context(Vec<Reach<'a>>),
    /// Does not tie down the caller, but narrows what a call can be.
    Limit(Limit),
    /// Looks like it ties down the caller and does not. The text says why.
    Weak(&'static str),
    /// Says nothing about the caller.
    Unsure,
}

/// How a condition narrows calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Limit {
    /// Only through a service that the caller uses.
    Path,
    /// Only grants for AWS services, or of a kind that is laid down.
    Grant,
    /// `kms:GrantIsForAWSResource`: the key of the request is there for grant operations only, so nothing else passes.
    GrantOnly,
    /// Only from some addresses, with some data or out of some program.
    Request,
}

/// What a condition is read against.
#[derive(Clone, Copy, Debug)]
pub(super) struct Owner<'a> {
    /// Account that owns the key.
    pub account: &'a str,
    /// True if `${...}` is a variable in this policy.
    pub variables: bool,
}

/// What the values of a key name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Names {
    Account,
    Arn,
    Organization,
    Paths,
    UniqueId,
    Network,
    Service,
}

/// What one value of a condition lets in.
enum Value<'a> {
    These(Reach<'a>),
    Anyone,
    Nobody,
}

impl<'a> Clause<'a> {
    /// Reads one test among all tests of its statement.
    pub(super) fn of(condition: &'a Condition, all: &[Condition], owner: Owner<'a>) -> Self {
        let key = condition.key.to_ascii_lowercase();
        match condition.test {
            Test::Null => return null(condition, &key),
            Test::Bool if key == "aws:principalisawsservice" => {
                return match (condition.asks_for(true), condition.asks_for(false)) {
                    (true, _) => Self::Only(vec![Reach::SERVICES]),
                    (_, true) => Self::Except(vec![Reach::SERVICES]),
                    _ => Self::Unsure,
                };
            }
            // KMS answers over TLS only.
            Test::Bool if key == "aws:securetransport" => {
                return match (condition.asks_for(true), condition.asks_for(false)) {
                    (true, _) => Self::Always,
                    (_, true) => Self::Never,
                    _ => Self::Unsure,
                };
            }
            Test::Bool if condition.asks_for(true) && !passes_absent(condition) => return limit(&key),
            Test::Ip if !condition.negated && !passes_absent(condition) => {
                let all = |value: &String| value.ends_with("/0");
                return if condition.values.iter().any(all) { Self::Unsure } else { Self::Limit(Limit::Request) };
            }
            Test::Equals | Test::Like | Test::Arn => {}
            _ => return Self::Unsure,
        }
        if key.starts_with("kms:encryptioncontext:") {
            return context(condition, owner);
        }
        if matches!(key.as_str(), "aws:resourceaccount" | "aws:resourceorgid" | "aws:resourceorgpaths") {
            return resource(condition, &key, owner);
        }
        let Some((names, from, always_there)) = names(&key) else {
            // A request for a grant always says for which operations: `ForAllValues` is the documented test there.
            let there = !passes_absent(condition) || (key == "kms:grantoperations" && !condition.if_exists);
            let holds = !condition.negated && there && !condition.values.iter().any(|value| value == "*");
            return if holds { limit(&key) } else { Self::Unsure };
        };
        // Another test of the statement may ask that the key be there.
        let must_be_there = |other: &Condition| other.test == Test::Null && other.asks_for(false);
        let always_there =
            always_there || all.iter().any(|other| must_be_there(other) && other.key.eq_ignore_ascii_case(&key));
        let values = condition.values.iter().map(|value| read(condition, names, value, owner));
        let (mut reaches, mut anyone) = (Vec::new(), false);
        for value in values {
            match value {
                Value::These(reach) => reaches.extend(reach.and(from)),
                Value::Anyone => anyone = true,
                Value::Nobody => {}
            }
        }
        if condition.negated {
            // Negated tests hold where the key is absent, except with `ForAnyValue`.
            let absent_escapes = condition.quantifier == Quantifier::Any && !always_there;
            return if anyone || absent_escapes { Self::Unsure } else { Self::Except(reaches) };
        }
        if !always_there && passes_absent(condition) {
            return match condition.quantifier {
                Quantifier::All => Self::Weak("a test for all values passes where there is none"),
                _ => Self::Weak("a test that is made only if the key is there passes where it is not"),
            };
        }
        match (anyone, reaches.is_empty()) {
            (true, _) if always_there && condition.values.iter().any(|value| value == "*") => Self::Always,
            (true, _) => Self::Weak("a value of the condition matches every account"),
            (false, true) => Self::Never,
            (false, false) => Self::Only(reaches),
        }
    }
}

/// What a key names, what having it says about the caller, and whether every request has it.
fn names(key: &str) -> Option<(Names, Reach<'static>, bool)> {
    let any = Reach::EVERYONE;
    // Only calls that a service makes on its own account carry a source.
    let service = Reach::SERVICES;
    Some(match key {
        "kms:calleraccount" | "aws:principalaccount" => (Names::Account, any, true),
        "aws:principalarn" => (Names::Arn, any, true),
        "aws:userid" => (Names::UniqueId, any, true),
        "aws:principalorgid" => (Names::Organization, any, false),
        "aws:principalorgpaths" => (Names::Paths, any, false),
        "aws:sourceaccount" | "aws:sourceowner" => (Names::Account, service, false),
        "aws:sourcearn" => (Names::Arn, service, false),
        "aws:sourceorgid" => (Names::Organization, service, false),
        "aws:sourceorgpaths" => (Names::Paths, service, false),
        "aws:principalservicename" | "aws:principalservicenameslist" => (Names::Service, service, false),
        "aws:sourcevpce" | "aws:sourcevpc" | "aws:vpceaccount" | "aws:vpceorgid" | "aws:vpceorgpaths" => {
            (Names::Network, any, false)
        }
        _ => return None,
    })
}

/// True if a test holds where the request does not have the key.
fn passes_absent(condition: &Condition) -> bool {
    condition.if_exists || condition.quantifier == Quantifier::All
}

fn null<'a>(condition: &Condition, key: &str) -> Clause<'a> {
    if !condition.asks_for(false) {
        return Clause::Unsure;
    }
    match names(key) {
        Some((_, from, _)) if from.service == Some(true) => Clause::Only(vec![from]),
        Some(_) => Clause::Weak("a key that must be there may have any value"),
        None => limit(key),
    }
}

/// How a key narrows calls if it must have some value.
fn limit<'a>(key: &str) -> Clause<'a> {
    match key {
        "kms:viaservice" => Clause::Limit(Limit::Path),
        "kms:grantisforawsresource" => Clause::Limit(Limit::GrantOnly),
        "kms:grantoperations" | "kms:granteeprincipal" | "kms:grantconstrainttype" => Clause::Limit(Limit::Grant),
        "kms:encryptioncontextkeys" | "aws:sourceip" | "aws:vpcsourceip" => Clause::Limit(Limit::Request),
        _ if key.starts_with("kms:recipientattestation:") || key.starts_with("kms:encryptioncontext:") => {
            Clause::Limit(Limit::Request)
        }
        _ => Clause::Unsure,
    }
}

/// Tests of the resource's owner against the caller's account or organization.
fn resource<'a>(condition: &Condition, key: &str, owner: Owner<'a>) -> Clause<'a> {
    let is = |variable: &str| owner.variables && condition.values.iter().all(|v| v.eq_ignore_ascii_case(variable));
    let reach = match key {
        "aws:resourceaccount" if is("${aws:PrincipalAccount}") => Reach::account(owner.account),
        "aws:resourceorgid" if is("${aws:PrincipalOrgID}") => Reach::organization(OWNERS_ORGANIZATION),
        _ => return Clause::Unsure,
    };
    if condition.negated { Clause::Except(vec![reach]) } else { Clause::Only(vec![reach]) }
}

fn context<'a>(condition: &'a Condition, owner: Owner<'a>) -> Clause<'a> {
    if condition.negated || passes_absent(condition) {
        return Clause::Unsure;
    }
    // Only a value that names an account or a bucket is one that nobody else can bring about.
    let mut reaches = Vec::new();
    for value in &condition.values {
        let names = if is_account(value) { Names::Account } else { Names::Arn };
        match read(condition, names, value, owner) {
            Value::These(reach) => reaches.push(Reach { arn: None, ..reach }),
            Value::Anyone | Value::Nobody => return Clause::Limit(Limit::Request),
        }
    }
    if reaches.is_empty() { Clause::Never } else { Clause::Context(reaches) }
}

/// What one value of a test lets in.
fn read<'a>(condition: &Condition, names: Names, value: &'a str, owner: Owner<'a>) -> Value<'a> {
    let pattern = has_wildcard(value);
    if pattern && condition.test == Test::Equals {
        // Wildcards are plain characters here, and nothing that these keys hold has them.
        return Value::Nobody;
    }
    if value.contains("${") {
        return variable(names, value, owner);
    }
    match names {
        Names::Service => Value::These(Reach::SERVICES),
        Names::Account | Names::Organization | Names::Network if pattern => Value::Anyone,
        Names::Account => Value::These(Reach::account(value)),
        Names::Organization => Value::These(Reach::organization(value)),
        Names::Network => Value::These(Reach::tied()),
        Names::Paths => match value.split_once('/') {
            Some((organization, _)) if !has_wildcard(organization) => Value::These(Reach::organization(organization)),
            _ => Value::Anyone,
        },
        // `AROA...:session`: the id is unique in the world, the session's name is free.
        Names::UniqueId => match value.split(':').next() {
            Some(id) if !has_wildcard(id) && is_account(id) => Value::These(Reach::account(id)),
            Some(id) if !has_wildcard(id) && !id.is_empty() => Value::These(Reach::tied()),
            _ => Value::Anyone,
        },
        Names::Arn => arn(value, pattern),
    }
}

fn arn(value: &str, pattern: bool) -> Value<'_> {
    let Some((service, account, resource)) = split(value) else {
        // `arn:aws:iam::111122223333*`: the account stands there in full, the rest is free.
        let account = value.splitn(5, ':').nth(4).and_then(|rest| rest.get(..12));
        let account = account.filter(|account| value.starts_with("arn:") && is_account(account));
        return account.map_or(Value::Anyone, |account| Value::These(Reach::account(account)));
    };
    let name = if pattern { Name::Like(value) } else { Name::Is(value) };
    match account {
        // Names of buckets are unique in the world; those that start alike are anybody's.
        "" if service == "s3" && !resource.split('/').next().is_some_and(has_wildcard) => Value::These(Reach::tied()),
        "" => Value::Anyone,
        _ if has_wildcard(account) => match account.get(..12).filter(|account| is_account(account)) {
            Some(account) => Value::These(Reach { arn: Some(name), ..Reach::account(account) }),
            None => Value::Anyone,
        },
        _ => Value::These(Reach { arn: Some(name), ..Reach::account(account) }),
    }
}

/// A value with a variable of the request.
fn variable<'a>(names: Names, value: &str, owner: Owner<'a>) -> Value<'a> {
    if !owner.variables {
        return Value::Nobody;
    }
    let is = |variable: &str| value.eq_ignore_ascii_case(variable);
    match names {
        Names::Account if is("${aws:ResourceAccount}") => Value::These(Reach::account(owner.account)),
        Names::Organization if is(OWNERS_ORGANIZATION) => Value::These(Reach::organization(OWNERS_ORGANIZATION)),
        Names::Arn if value.to_ascii_lowercase().contains("::${aws:resourceaccount}:") => {
            Value::These(Reach::account(owner.account))
        }
        _ => Value::Anyone,
    }
}
