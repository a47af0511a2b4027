//! What verifying came to as a whole.

use std::collections::BTreeMap;

use super::chain::Chain;
use super::{HOUR_MS, Interval, Kind, Problem, Verdict};

/// The time of delivery that was asked for, milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// Start; None for all that is there.
    pub from: Option<i64>,
    /// End, excluded; None for all that is there.
    pub to: Option<i64>,
}

impl Scope {
    /// True when some of a stretch of time was asked for.
    pub fn touches(&self, (from, to): (i64, i64)) -> bool {
        self.from.is_none_or(|start| to > start) && self.to.is_none_or(|end| from < end)
    }

    /// The part of a stretch that was asked for.
    pub fn cut(&self, (from, to): (i64, i64)) -> (i64, i64) {
        (self.from.map_or(from, |start| from.max(start)), self.to.map_or(to, |end| to.min(end)))
    }
}

/// Counts of objects of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// As CloudTrail wrote them.
    pub valid: u64,
    /// Changed, or not CloudTrail's.
    pub invalid: u64,
    /// Not there.
    pub missing: u64,
    /// Neither proven nor refuted.
    pub unproven: u64,
}

/// All chains and log files.
#[derive(Clone, Debug, Default)]
pub struct Verdicts {
    /// The worst of all.
    pub verdict: Verdict,
    /// Log files. Those that are in no digest but should be count as invalid.
    pub logs: Tally,
    /// Log files that no digest lists yet: delivered after the last one, or just before its end.
    pub pending: u64,
    /// Log files whose time no digest covers that could prove anything.
    pub uncovered: u64,
    /// Digests.
    pub digests: Tally,
    /// In the order of every output: account, Region, time, kind, object.
    pub problems: Vec<Problem>,
    /// In the order of account, Region, trail, time.
    pub intervals: Vec<Interval>,
    /// End of the regular chains, by trail and account.
    ends: BTreeMap<(String, Option<String>, String, String), Vec<(i64, String, String)>>,
}

impl Verdicts {
    /// Adds a chain whose log files were looked at.
    pub fn chain(&mut self, chain: &Chain) {
        for link in chain.links.iter().filter(|link| link.in_scope) {
            let own = chain.problems.iter().filter(|problem| problem.object == link.found.object);
            let worst = own.filter(|problem| problem.kind != Kind::NotCovered).map(|problem| problem.verdict).max();
            match worst {
                None if link.is_proven() => self.digests.valid += 1,
                Some(Verdict::Invalid) => self.digests.invalid += 1,
                _ => self.digests.unproven += 1,
            }
        }
        self.digests.missing += chain.missing;
        self.problems.extend(chain.problems.iter().cloned());
        self.intervals.extend(chain.intervals());
        if let (Some(end), false) = (chain.end(), chain.stream.backfill) {
            let stream = &chain.stream;
            let trail = (stream.account.clone(), stream.organization.clone(), stream.trail.clone(), stream.home.clone());
            let last = chain.links.last().map(|link| link.found.object.clone()).unwrap_or_default();
            self.ends.entry(trail).or_default().push((end, stream.region.clone(), last));
        }
    }

    /// Adds what is wrong with something else.
    pub fn problem(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// Brings everything in the order of outputs and takes the worst.
    pub fn finish(&mut self, scope: Scope) {
        if scope.to.is_none() {
            self.compare_ends(scope);
        }
        self.intervals = Interval::join(std::mem::take(&mut self.intervals));
        let key = |problem: &Problem| {
            let Problem { kind, object, account, region, from, to, .. } = problem;
            (account.clone(), region.clone(), *from, *to, *kind, object.clone())
        };
        self.problems.sort_by_cached_key(key);
        self.verdict = self.problems.iter().map(|problem| problem.verdict).max().unwrap_or_default();
    }

    /// CloudTrail writes a digest every hour, also of an hour without events: where a trail goes on in one Region, it
    /// goes on in all of them. Without a period this alone shows that the newest digests of a Region are gone.
    fn compare_ends(&mut self, scope: Scope) {
        for ((account, ..), ends) in std::mem::take(&mut self.ends) {
            let Some(latest) = ends.iter().map(|(end, ..)| *end).max() else { continue };
            for (end, region, object) in ends.into_iter().filter(|(end, ..)| latest - end > 2 * HOUR_MS) {
                let (from, to) = scope.cut((end, latest));
                self.problems.push(Problem {
                    kind: Kind::NotCovered,
                    verdict: Verdict::Incomplete,
                    object,
                    account: account.clone(),
                    region,
                    from: Some(from),
                    to: Some(to),
                    detail: "the last digest of this Region; in another Region the trail goes on".into(),
                });
            }
        }
    }
}
