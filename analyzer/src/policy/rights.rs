//! The statements of a key policy, made ready to be asked who may do what.

use std::collections::BTreeSet;

use super::actions::ActionSet;
use super::document::{Effect, Policy, Statement};
use super::pins::{Clause, Limit, Owner};
use super::principal::{Principal, split};
use super::reach::{Reach, cross};

/// Most pairs of callers that are compared for one test. A test beyond it is left out: better one exposure too many.
const MAX_PAIRS: usize = 50_000;

/// A key policy, read for the account that owns the key.
pub(super) struct Rights<'a> {
    /// Account of the key.
    pub account: &'a str,
    /// Statements that allow something with the key.
    pub allows: Vec<Rule<'a>>,
    /// Statements that deny something.
    pub denies: Vec<Rule<'a>>,
}

/// One statement.
pub(super) struct Rule<'a> {
    /// Its index, from 0.
    pub index: usize,
    /// As it was read.
    pub statement: &'a Statement,
    /// What it is about.
    pub actions: ActionSet,
    /// Its tests, seen from the caller.
    pub clauses: Vec<Clause<'a>>,
}

/// What the conditions of a statement leave of some callers.
#[derive(Clone, Debug, Default)]
pub(super) struct Narrowed<'a> {
    /// Callers that are left.
    pub reaches: Vec<Reach<'a>>,
    /// How their calls are narrowed.
    pub limits: Vec<Limit>,
    /// Why a test that looks like it ties down the caller does not.
    pub weak: Vec<&'static str>,
}

impl<'a> Rights<'a> {
    pub(super) fn of(policy: &'a Policy, account: &'a str) -> Self {
        let owner = Owner { account, variables: policy.has_variables() };
        let (mut allows, mut denies) = (Vec::new(), Vec::new());
        for (index, statement) in policy.statements.iter().enumerate() {
            let actions = ActionSet::of(&statement.actions);
            if actions.is_empty() || !is_about_the_key(statement, account) {
                continue;
            }
            let tests = &statement.conditions;
            let mut clauses: Vec<Clause<'a>> = tests.iter().map(|test| Clause::of(test, tests, owner)).collect();
            // What names accounts leaves the fewest callers for the tests that follow.
            clauses.sort_by_key(|clause| match clause {
                Clause::Only(list) => !list.iter().all(|reach| reach.account.is_some()),
                _ => true,
            });
            let rule = Rule { index, statement, actions, clauses };
            if statement.effect == Effect::Allow { allows.push(rule) } else { denies.push(rule) }
        }
        Self { account, allows, denies }
    }
}

impl<'a> Rule<'a> {
    /// The principals that it names, each once; all but some are everybody.
    pub(super) fn principals(&self) -> Vec<&'a Principal> {
        static ANYONE: Principal = Principal::Anyone;
        let named: &'a [Principal] = match &self.statement.principals {
            Some(named) if named.except => return vec![&ANYONE],
            Some(named) => &named.items,
            None => &[],
        };
        let mut seen = BTreeSet::new();
        named.iter().filter(|principal| seen.insert(*principal)).collect()
    }

    /// What its conditions leave of some callers.
    pub(super) fn narrow(&self, subject: Reach<'a>) -> Narrowed<'a> {
        let mut left = Narrowed { reaches: vec![subject], ..Narrowed::default() };
        for clause in &self.clauses {
            match clause {
                Clause::Always | Clause::Except(_) | Clause::Unsure => {}
                Clause::Never => left.reaches.clear(),
                Clause::Limit(limit) => left.limits.push(*limit),
                Clause::Weak(why) => left.weak.push(why),
                Clause::Context(list) if subject.service == Some(true) => left.only(list),
                Clause::Context(_) => left.limits.push(Limit::Request),
                Clause::Only(list) => left.only(list),
            }
        }
        left
    }
}

impl<'a> Narrowed<'a> {
    fn only(&mut self, list: &[Reach<'a>]) {
        if self.reaches.len() * list.len() <= MAX_PAIRS {
            self.reaches = cross(&self.reaches, list);
        }
    }
}

/// `Resource` of a key policy is that key. A statement that names only others does nothing.
pub(super) fn is_about_the_key(statement: &Statement, owner: &str) -> bool {
    let Some(resources) = statement.resources.as_ref().filter(|resources| !resources.except) else { return true };
    resources.items.iter().any(|resource| match split(resource) {
        Some((service, account, _)) => service == "kms" && (account == owner || account.contains('*')),
        None => resource.contains('*'),
    })
}
