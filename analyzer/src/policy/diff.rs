//! What a new version of a policy changed, in terms of who may do what: not in its spelling, nor in the order of its
//! statements.

use std::collections::BTreeMap;

use super::actions::ActionSet;
use super::condition::{Condition, Test};
use super::document::{Effect, Policy, Selection, Statement};
use super::pattern::matches_ignoring_case;
use super::principal::Principal;

/// What two policies differ in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diff {
    /// What is allowed now and was not, or is no longer denied.
    pub gained: Vec<Change>,
    /// What was allowed and is no longer, or is denied now.
    pub lost: Vec<Change>,
}

/// One change for one principal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// The principal, as it is written; empty for an IAM policy.
    pub principal: String,
    /// Effect of the statements that came or went.
    pub effect: Effect,
    /// Actions without `kms:`, or their patterns where a whole pattern changed hands.
    pub actions: Vec<String>,
    /// Conditions and resources under which it holds.
    pub narrowed_by: Vec<String>,
    /// The change in one line.
    pub text: String,
    /// The same actions, as a set.
    set: ActionSet,
    /// The principal, spelt as all spellings of it compare.
    canonical: String,
}

/// How the canonical text of `NotPrincipal` begins; those whom it lists follow.
const ALL_BUT: &str = "not ";

/// Stands between those whom `NotPrincipal` lists: no name has it.
const SEPARATOR: char = '\n';

/// How closely a change speaks of somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Closeness {
    /// It speaks of everybody, or of the whole account: whether of this caller depends on other policies.
    Around,
    /// It names the caller.
    Named,
}

/// Somebody who calls, spelt as changes compare: read once, asked of many changes.
#[derive(Clone, Debug)]
pub struct Asker {
    /// Spellings of the caller's own name, then of the services that call for it.
    names: Vec<String>,
    own: usize,
    account: String,
    actions: ActionSet,
}

impl Asker {
    /// By any of these names, of that account, with any of these actions (without `kms:`). The first name is the caller's own;
    /// the others are of services that call for it.
    pub fn new(names: &[&str], account: &str, actions: &[&str]) -> Self {
        let spellings = |names: &[&str]| -> Vec<String> {
            let named = names.iter().filter(|name| !name.is_empty());
            named.flat_map(|name| ["AWS", "Service"].map(|kind| Principal::read(kind, name).canonical())).collect()
        };
        let (own, others) = names.split_at(names.len().min(1));
        let mut names = spellings(own);
        let own = names.len();
        names.extend(spellings(others));
        Self { names, own, account: format!("account {account}"), actions: ActionSet::named(actions) }
    }
}

impl Change {
    /// Whether the change is about a caller, and one of its actions.
    pub fn concerns(&self, asker: &Asker) -> Option<Closeness> {
        if !self.set.meets(asker.actions) {
            return None;
        }
        let is_in = |names: &[String], listed: &str| names.iter().any(|name| name == listed);
        if let Some(spared) = self.canonical.strip_prefix(ALL_BUT) {
            // Who is spared is spared as the caller itself: naming the service in between changes nothing for it.
            let own = spared.split(SEPARATOR).any(|listed| is_in(&asker.names[..asker.own], listed));
            return (!own).then_some(Closeness::Around);
        }
        if is_in(&asker.names, &self.canonical) {
            return Some(Closeness::Named);
        }
        let around = self.canonical == "*" || self.canonical == asker.account;
        around.then_some(Closeness::Around)
    }
}

impl Diff {
    /// True if the two policies say the same.
    pub fn is_empty(&self) -> bool {
        self.gained.is_empty() && self.lost.is_empty()
    }
}

/// What a policy says of one principal under one set of conditions.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Scope {
    effect: Effect,
    principal: String,
    /// None: every key that the policy is about.
    resources: Option<(bool, Vec<String>)>,
    conditions: Vec<Condition>,
    /// True if there is a `${...}` in the values that the version of the policy takes as plain text.
    plain: bool,
}

#[derive(Clone, Default)]
struct Rights {
    label: String,
    /// Conditions and resources as they are written, in a fixed order.
    narrowed_by: Vec<String>,
    actions: ActionSet,
    /// Patterns as they are written.
    patterns: Vec<String>,
    /// Actions that the table does not have, and those of other services: their patterns are compared as texts.
    foreign: Vec<String>,
}

impl Rights {
    fn add(&mut self, actions: &Selection<String>) {
        if actions.except {
            self.actions = self.actions.and_also(ActionSet::of(actions));
            return;
        }
        for pattern in &actions.items {
            let set = ActionSet::matching(pattern);
            let known = set.names().next().is_some();
            if known {
                self.actions = self.actions.and_also(set);
            }
            let list = if known { &mut self.patterns } else { &mut self.foreign };
            if !list.iter().any(|other| other.eq_ignore_ascii_case(pattern)) {
                list.push(pattern.clone());
            }
        }
    }

    /// True if the rights have an action that is known by its text only.
    fn has(&self, action: &str) -> bool {
        let covers = |pattern: &String| matches_ignoring_case(pattern, action);
        self.foreign.iter().chain(&self.patterns).any(covers)
    }
}

type Facts = BTreeMap<Scope, Rights>;

/// What changed from one policy to the next. Without an old one, all that the new one allows is new.
pub fn diff(old: Option<&Policy>, new: &Policy) -> Diff {
    let (before, after) = (old.map(facts).unwrap_or_default(), facts(new));
    let (came, went) = (missing(&after, &before), missing(&before, &after));
    let mut found = Diff::default();
    for (scope, rights) in came {
        let change = change(&scope, &rights, true, &[]);
        if scope.effect == Effect::Allow { found.gained.push(change) } else { found.lost.push(change) }
    }
    for (scope, rights) in went {
        let change = change(&scope, &rights, false, &left(&scope, &rights, &after));
        if scope.effect == Effect::Allow { found.lost.push(change) } else { found.gained.push(change) }
    }
    found.gained.sort();
    found.lost.sort();
    found
}

fn facts(policy: &Policy) -> Facts {
    let mut facts = Facts::new();
    for statement in &policy.statements {
        let mut tests: Vec<_> = statement.conditions.iter().map(|test| (test.normalized(), test.key.clone())).collect();
        tests.sort();
        tests.dedup_by(|one, two| one.0 == two.0);
        let written = |(test, key): &(Condition, String)| Condition { key: key.clone(), ..test.clone() }.to_string();
        let mut narrowed_by: Vec<String> = tests.iter().map(written).collect();
        let conditions: Vec<Condition> = tests.into_iter().map(|(test, _)| test).collect();
        let resources = statement.resources.as_ref().map(sorted).filter(|all| *all != (false, vec!["*".to_owned()]));
        if let Some((except, resources)) = &resources {
            narrowed_by.push(format!("{} {}", if *except { "NotResource" } else { "Resource" }, resources.join(", ")));
        }
        let has_variable = conditions.iter().flat_map(|test| &test.values).any(|value| value.contains("${"));
        let plain = has_variable && !policy.has_variables();
        for (principal, label) in principals(statement) {
            let (resources, conditions) = (resources.clone(), conditions.clone());
            let scope = Scope { effect: statement.effect, principal, resources, conditions, plain };
            let rights = facts.entry(scope).or_default();
            rights.narrowed_by.clone_from(&narrowed_by);
            rights.label = label;
            rights.add(&statement.actions);
        }
    }
    facts
}

/// Principals of a statement: how they compare and how they are shown.
fn principals(statement: &Statement) -> Vec<(String, String)> {
    match &statement.principals {
        None => vec![(String::new(), String::new())],
        Some(all) if all.except => {
            let mut spared: Vec<String> = all.items.iter().map(|one| one.canonical()).collect();
            spared.sort();
            let shown: Vec<String> = all.items.iter().map(ToString::to_string).collect();
            let spared = spared.join(&SEPARATOR.to_string());
            vec![(format!("{ALL_BUT}{spared}"), format!("everyone except {}", shown.join(", ")))]
        }
        Some(all) => all.items.iter().map(|one| (one.canonical(), one.to_string())).collect(),
    }
}

fn sorted(selection: &Selection<String>) -> (bool, Vec<String>) {
    let mut items = selection.items.clone();
    items.sort();
    items.dedup();
    (selection.except, items)
}

/// What `these` say and `those` do not.
fn missing(these: &Facts, those: &Facts) -> Vec<(Scope, Rights)> {
    let mut found = Vec::new();
    for (scope, rights) in these {
        let mut left = rights.clone();
        for (_, held) in those.iter().filter(|(other, _)| covers(other, scope)) {
            left.actions = left.actions.without(held.actions);
            left.foreign.retain(|action| !held.has(action));
        }
        if !left.actions.is_empty() || !left.foreign.is_empty() {
            found.push((scope.clone(), left));
        }
    }
    found
}

/// True if whatever falls under `narrow` falls under `wide`.
fn covers(wide: &Scope, narrow: &Scope) -> bool {
    wide.effect == narrow.effect
        && (wide.conditions.is_empty() || wide.plain == narrow.plain)
        && (wide.principal == narrow.principal || (wide.principal == "*" && !narrow.principal.is_empty()))
        && (wide.resources.is_none() || wide.resources == narrow.resources)
        && wide.conditions.iter().all(|test| narrow.conditions.iter().any(|tighter| implies(tighter, test)))
}

/// True if a test that holds makes the other hold.
fn implies(tighter: &Condition, test: &Condition) -> bool {
    if (&tighter.operator, &tighter.key) != (&test.operator, &test.key) {
        return false;
    }
    let within = |few: &[String], many: &[String]| few.iter().all(|value| many.contains(value));
    match tighter.test {
        _ if tighter.values == test.values => true,
        Test::Equals | Test::Like | Test::Arn | Test::Ip if tighter.negated => within(&test.values, &tighter.values),
        Test::Equals | Test::Like | Test::Arn | Test::Ip => within(&tighter.values, &test.values),
        _ => false,
    }
}

/// Under which conditions a right that went is still there.
fn left(scope: &Scope, rights: &Rights, facts: &Facts) -> Vec<String> {
    let same = |other: &Scope| other.effect == scope.effect && other.principal == scope.principal;
    let kept = |held: &Rights| rights.foreign.is_empty() && rights.actions.without(held.actions).is_empty();
    let mut narrower = facts.iter().filter(|(other, held)| same(other) && covers(scope, other) && kept(held));
    narrower.next().map(|(_, held)| held.narrowed_by.clone()).unwrap_or_default()
}

fn change(scope: &Scope, rights: &Rights, came: bool, left: &[String]) -> Change {
    let actions = spell(rights);
    let narrowed_by = rights.narrowed_by.clone();
    let verb = match (scope.effect, came) {
        (Effect::Allow, true) => "may now",
        (Effect::Allow, false) => "may no longer",
        (Effect::Deny, true) => "is now denied",
        (Effect::Deny, false) => "is no longer denied",
    };
    let who = if rights.label.is_empty() { "the holder" } else { &rights.label };
    let mut text = format!("{who} {verb} {}", actions.join(", "));
    if !narrowed_by.is_empty() {
        text += &format!(" if {}", narrowed_by.join(" and "));
    }
    if scope.plain {
        text += ", taken as plain text";
    }
    if !left.is_empty() {
        text += &format!(" except if {}", left.join(" and "));
    }
    Change {
        principal: rights.label.clone(),
        effect: scope.effect,
        actions,
        narrowed_by,
        text,
        set: rights.actions,
        canonical: scope.principal.clone(),
    }
}

/// The shortest honest names of actions: a written pattern where all of it is there, else single actions.
fn spell(rights: &Rights) -> Vec<String> {
    if rights.actions == ActionSet::ALL {
        return [vec!["everything (kms:*)".to_owned()], rights.foreign.clone()].concat();
    }
    let (mut left, mut names) = (rights.actions, Vec::new());
    for pattern in &rights.patterns {
        let set = ActionSet::matching(pattern);
        if set.meets(left) && set.without(rights.actions).is_empty() {
            left = left.without(set);
            let single = set.names().next().filter(|_| set.names().count() == 1 && !pattern.contains(['*', '?']));
            let short = pattern.split_once(':').map_or(pattern.as_str(), |(_, action)| action);
            names.push(single.unwrap_or(short).to_owned());
        }
    }
    names.extend(left.names().map(str::to_owned));
    names.extend(rights.foreign.iter().cloned());
    names.sort();
    names
}
