//! What verifying came to as a whole.

use std::collections::BTreeMap;

use super::chain::{Chain, Link};
use super::{HOUR_MS, Interval, Kind, Problem, Stream, Verdict};

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

/// The end of a chain.
#[derive(Clone, Debug)]
struct End {
    at: i64,
    region: String,
    /// The last digest.
    object: String,
}

/// The time of which everything is told of one account and Region.
#[derive(Clone, Debug)]
struct Told {
    /// A digest of it, and its stream.
    first: (Stream, String),
    last: (Stream, String),
    /// None when no digest is of the time that was asked for.
    span: Option<(i64, i64)>,
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
    /// Of which time everything is told, by account and Region, with the chains at both ends.
    told: BTreeMap<(String, String), Told>,
    /// End of the regular chains, by trail and account.
    ends: BTreeMap<(String, Option<String>, String, String), Vec<End>>,
}

impl Verdicts {
    /// Adds a chain whose log files were looked at.
    pub fn chain(&mut self, chain: &Chain) {
        let mut worst: BTreeMap<&str, Verdict> = BTreeMap::new();
        for problem in chain.problems.iter().filter(|problem| problem.kind != Kind::NotCovered) {
            let known = worst.entry(&problem.object).or_default();
            *known = (*known).max(problem.verdict);
        }
        for link in chain.links.iter().filter(|link| link.in_scope) {
            match worst.get(link.found.object.as_str()) {
                None if link.is_proven() => self.digests.valid += 1,
                Some(Verdict::Invalid) => self.digests.invalid += 1,
                _ => self.digests.unproven += 1,
            }
        }
        if let (Some(span), Some(first), Some(last)) = (chain.told(), chain.links.first(), chain.links.last()) {
            let at = |link: &Link| (chain.stream.clone(), link.found.object.clone());
            self.tell(Told { first: at(first), last: at(last), span: Some(span) });
        }
        self.digests.missing += chain.missing;
        self.problems.extend(chain.problems.iter().cloned());
        self.intervals.extend(chain.intervals());
        if let (Some(at), false) = (chain.end(), chain.stream.backfill) {
            let stream = &chain.stream;
            let trail =
                (stream.account.clone(), stream.organization.clone(), stream.trail.clone(), stream.home.clone());
            let object = chain.links.last().map(|link| link.found.object.clone()).unwrap_or_default();
            self.ends.entry(trail).or_default().push(End { at, region: stream.region.clone(), object });
        }
    }

    /// Adds a stream none of whose digests is of the time that was asked for.
    pub fn elsewhere(&mut self, stream: &Stream, object: &str) {
        let at = (stream.clone(), object.to_owned());
        self.tell(Told { first: at.clone(), last: at, span: None });
    }

    fn tell(&mut self, new: Told) {
        let stream = &new.first.0;
        if stream.backfill {
            return;
        }
        let key = (stream.account.clone(), stream.region.clone());
        let Some(known) = self.told.get_mut(&key) else {
            self.told.insert(key, new);
            return;
        };
        match (&mut known.span, new.span) {
            (Some(span), Some((from, to))) => {
                if from < span.0 {
                    (span.0, known.first) = (from, new.first);
                }
                if to > span.1 {
                    (span.1, known.last) = (to, new.last);
                }
            }
            (None, Some(_)) => *known = new,
            (_, None) => {}
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
        self.compare_period(scope);
        self.intervals = Interval::join(std::mem::take(&mut self.intervals));
        let key = |problem: &Problem| {
            let Problem { kind, object, account, region, from, to, .. } = problem;
            (account.clone(), region.clone(), *from, *to, *kind, object.clone())
        };
        self.problems.sort_by_cached_key(key);
        self.verdict = self.problems.iter().map(|problem| problem.verdict).max().unwrap_or_default();
    }

    /// What of the period no trail covers at all. Where one trail took over from another, each has its part.
    fn compare_period(&mut self, scope: Scope) {
        for ((account, region), told) in std::mem::take(&mut self.told) {
            let mut uncovered =
                |from: Option<i64>, to: Option<i64>, (stream, object): (Stream, String), detail: &str| {
                    if let (Some(from), Some(to)) = (from, to) {
                        let verdict = Verdict::Incomplete;
                        self.intervals.push(Interval { stream, from, to, verdict, digests: 0, logs: 0 });
                    }
                    self.problems.push(Problem {
                        kind: Kind::NotCovered,
                        verdict: Verdict::Incomplete,
                        object,
                        account: account.clone(),
                        region: region.clone(),
                        from,
                        to,
                        detail: detail.into(),
                    });
                };
            let Some((first, last)) = told.span else {
                uncovered(scope.from, scope.to, told.first, "no digest is of the period");
                continue;
            };
            if scope.from.is_some_and(|from| from < first) {
                uncovered(scope.from, Some(first), told.first, "the first digest begins after the period does");
            }
            if scope.to.is_some_and(|to| last < to) {
                uncovered(Some(last), scope.to, told.last, "the last digest ends before the period does");
            }
        }
    }

    /// CloudTrail writes a digest every hour, also of an hour without events: where a trail goes on in one Region, it
    /// goes on in all of them. Without a period this alone shows that the newest digests of a Region are gone.
    fn compare_ends(&mut self, scope: Scope) {
        for ((account, ..), ends) in std::mem::take(&mut self.ends) {
            let Some(latest) = ends.iter().map(|end| end.at).max() else { continue };
            for End { at, region, object } in ends.into_iter().filter(|end| latest - end.at > 2 * HOUR_MS) {
                let (from, to) = scope.cut((at, latest));
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
