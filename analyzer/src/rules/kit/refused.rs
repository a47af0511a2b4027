//! Callers that are refused: when their calls worked, and which removals of rights are about them. Whoever may call decides how
//! many refusals there are, and whoever may change the key how many removals: what is asked for each refusal of each removal is
//! looked up here, not counted again.

use foldhash::{HashMap, HashMapExt};

use super::context::Context;
use super::grantee;
use super::lost::{How, Removal};
use super::outage::{Failure, SETTLING};
use super::over::{Caller, caller};
use crate::extract::FailureClass;
use crate::policy::{Asker, Closeness};
use crate::view::KeyView;

/// Everything that was taken away from a key's users, ready to be asked for many callers.
pub struct Removals<'r, 'v> {
    all: &'r [Removal<'v>],
    /// Those by a policy.
    policies: Vec<usize>,
    /// Grants by the spelling of their grantee, and the removal that each ended with.
    grants: HashMap<String, Vec<(usize, Option<usize>)>>,
}

impl<'r, 'v> Removals<'r, 'v> {
    /// `all` are in order of time.
    pub fn new(all: &'r [Removal<'v>], key: &KeyView) -> Self {
        let (mut policies, mut ends) = (Vec::new(), HashMap::new());
        for (at, removal) in all.iter().enumerate() {
            match removal.how {
                How::Policy(_) => policies.push(at),
                How::Grant(grant) => {
                    ends.insert(grant, at);
                }
            }
        }
        let mut grants: HashMap<String, Vec<(usize, Option<usize>)>> = HashMap::new();
        for (at, grant) in key.history.grants.iter().enumerate() {
            let whom = grantee::of(&key.events[grant.created]);
            if !whom.is_empty() {
                grants.entry(grantee::spelling(whom)).or_default().push((at, ends.get(&at).copied()));
            }
        }
        Self { all, policies, grants }
    }

    /// The last of some removals that was made between two instants, both included, and of which something is told.
    fn last<T>(&self, of: &[usize], between: (i64, i64), told: impl Fn(usize) -> Option<T>) -> Option<(usize, T)> {
        let time = |at: usize| self.all[at].by.event.time;
        let begun = &of[..of.partition_point(|&at| time(at) <= between.1)];
        let within = begun.iter().rev().copied().take_while(|&at| time(at) >= between.0);
        within.map(|at| (at, told(at))).find_map(|(at, told)| Some((at, told?)))
    }
}

/// Calls in order of time.
#[derive(Debug, Default)]
struct Calls(Vec<(i64, i64)>);

impl Calls {
    /// First and last instant of each.
    fn new(mut spans: Vec<(i64, i64)>) -> Self {
        spans.sort_unstable();
        let mut latest = i64::MIN;
        for span in &mut spans {
            latest = latest.max(span.1);
            span.1 = latest;
        }
        Self(spans)
    }

    /// The latest end of those that began by then.
    fn end(&self, begun: i64) -> Option<i64> {
        let after = self.0.partition_point(|span| span.0 <= begun);
        after.checked_sub(1).map(|last| self.0[last].1)
    }

    /// The last one by then.
    fn last(&self, by: i64) -> Option<i64> {
        self.end(by).map(|end| end.min(by))
    }

    /// The first one that began at an instant or later.
    fn first(&self, from: i64) -> Option<i64> {
        self.0.get(self.0.partition_point(|span| span.0 < from)).map(|span| span.0)
    }
}

/// One caller that is refused.
pub struct Refused {
    worked: Calls,
    denied: Calls,
    asker: Asker,
    /// The removals that ended a grant which let it make these calls.
    grants: Vec<usize>,
    /// When it had such a grant.
    standing: Calls,
    /// What was found last: the refusals between two successes have it in common.
    found: Option<Found>,
}

/// The last removals between two instants that made the difference.
#[derive(Clone, Copy)]
struct Found {
    between: (i64, i64),
    policy: Option<(usize, Closeness)>,
    grant: Option<usize>,
}

impl Refused {
    /// Everybody whose calls some failures refused.
    pub fn all<'f, 'v: 'f>(
        key: &'v KeyView,
        removals: &Removals<'_, 'v>,
        failures: impl Iterator<Item = &'f Failure<'v>>,
        cx: &Context<'_>,
    ) -> HashMap<Caller, Self> {
        let mut all: HashMap<Caller, Self> = HashMap::new();
        for failure in failures {
            let of = &failure.series.key;
            let names = [of.principal, of.via].map(|one| cx.text(one));
            all.entry(caller(of)).or_insert_with(|| Self::new(key, removals, cx.text(Some(of.name)), names));
        }
        for series in &key.series {
            let Some(caller) = all.get_mut(&caller(&series.key)) else { continue };
            let spans = series.cells.iter().map(|cell| (cell.first.time, cell.last()));
            if series.succeeded() {
                caller.worked.0.extend(spans);
            } else if series.key.failure == Some(FailureClass::AccessDenied) {
                caller.denied.0.extend(spans);
            }
        }
        all.into_iter().map(|(caller, refused)| (caller, refused.settled())).collect()
    }

    /// With its calls in order.
    fn settled(self) -> Self {
        Self { worked: Calls::new(self.worked.0), denied: Calls::new(self.denied.0), ..self }
    }

    fn new(key: &KeyView, removals: &Removals<'_, '_>, operation: &str, names: [&str; 2]) -> Self {
        let actions: &[&str] = if operation == "ReEncrypt" { &["ReEncryptFrom", "ReEncryptTo"] } else { &[operation] };
        let mut who = names.map(grantee::spelling).to_vec();
        who.dedup();
        let mut given: Vec<(usize, Option<usize>)> =
            who.iter().filter_map(|who| removals.grants.get(who)).flatten().copied().collect();
        // Old records do not say which operations.
        given.retain(|(grant, _)| {
            let operations = key.events[key.history.grants[*grant].created].detail.grant_operations.as_deref();
            operations.is_none_or(|list| actions.iter().any(|one| list.contains(&format!("\"{one}\""))))
        });
        let span = |(grant, _): &(usize, Option<usize>)| {
            let grant = &key.history.grants[*grant];
            let ended = grant.ended.map_or(i64::MAX, |ended| key.events[ended].event.time);
            (key.events[grant.created].event.time, ended)
        };
        let standing = Calls::new(given.iter().map(span).collect());
        let mut grants: Vec<usize> = given.iter().filter_map(|(_, end)| *end).collect();
        grants.sort_unstable();
        Self {
            worked: Calls::default(),
            denied: Calls::default(),
            asker: Asker::new(&names, names[0].split(':').nth(4).unwrap_or_default(), actions),
            grants,
            standing,
            found: None,
        }
    }

    /// The last removal that explains a refusal which began at an instant, and how closely: it is about this caller, and made the
    /// difference, because the same calls succeeded until it and none after it.
    pub fn explained(&mut self, removals: &Removals<'_, '_>, begun: i64) -> Option<(usize, Closeness)> {
        let since = self.worked.last(begun)?;
        // What was removed after the first refusal did not bring it.
        let to = self.denied.first(since).unwrap_or(begun).min(begun);
        let between = (since.saturating_sub(SETTLING), to);
        let found = match self.found {
            Some(found) if found.between == between => found,
            _ => *self.found.insert(self.find(removals, between)),
        };
        // Another grant that gives the same: then no removal of one took anything away.
        let standing = self.standing.end(begun).is_some_and(|ended| ended > begun);
        match (found.policy, found.grant.filter(|_| !standing)) {
            (policy, Some(grant)) if policy.is_none_or(|policy| policy.0 < grant) => Some((grant, Closeness::Named)),
            (policy, _) => policy,
        }
    }

    fn find(&self, removals: &Removals<'_, '_>, between: (i64, i64)) -> Found {
        let differs = |at: usize| {
            let at = removals.all[at].by.event.time;
            self.worked.last(at).is_some_and(|worked| self.denied.last(at - 1).is_none_or(|denied| denied < worked))
        };
        let closeness = |at: usize| match &removals.all[at].how {
            How::Policy(lost) => lost.iter().filter_map(|change| change.concerns(&self.asker)).max(),
            How::Grant(_) => None,
        };
        let policy = removals.last(&removals.policies, between, |at| if differs(at) { closeness(at) } else { None });
        let grant = removals.last(&self.grants, between, |at| differs(at).then_some(())).map(|(at, ())| at);
        Found { between, policy, grant }
    }
}
