//! Log files that are there and in no digest.

use std::collections::BTreeMap;

use super::index::{Index, Standpoint, standpoint};
use super::witness::Witness;
use crate::finding::Vouched;
use crate::integrity::{Coverage, Home, Kind, Problem, Scope, Standing, Verdicts};
use crate::report::human;

/// Log files whose time nothing covers, told together.
#[derive(Default)]
struct Group {
    files: u64,
    from: i64,
    to: i64,
    first: String,
}

/// Says of every log file that no digest lists whether one should.
pub(super) fn tell(
    index: &Index,
    listed: &[bool],
    coverage: &Coverage,
    scope: Scope,
    verdicts: &mut Verdicts,
    witness: &mut Witness<'_>,
) {
    let mut outside: BTreeMap<(Home, bool), Group> = BTreeMap::new();
    let unlisted = index.logs.iter().filter(|at| listed.get(**at as usize) == Some(&false));
    for object in unlisted.filter_map(|at| index.get(*at)) {
        let Some(Standpoint { home, span, is_named }) = standpoint(&object.uri) else {
            verdicts.uncovered += 1;
            let detail = "neither its folders nor its name tell account, Region and time";
            verdicts.problem(problem(Kind::NotCovered, &object.uri, None, None, detail.into()));
            continue;
        };
        let in_scope = scope.touches(span);
        let was_read = witness.knows(&object.uri);
        // What no lake has changes nothing of what lakes say.
        if !was_read && (!in_scope || witness.is_of_lake()) {
            continue;
        }
        // CloudTrail gives every log file a name with its time: this one is nothing that a digest may list later.
        let foreign = !is_named && coverage.touches(&home, span);
        match if foreign { Standing::Unlisted } else { coverage.standing(&home, span) } {
            // That nothing is known of it yet is said of objects of the period only.
            Standing::Pending | Standing::Hole | Standing::Outside | Standing::NoDigests if !in_scope => {}
            Standing::Pending => verdicts.pending += 1,
            Standing::Hole => verdicts.uncovered += 1,
            Standing::Unlisted => {
                verdicts.logs.invalid += 1;
                witness.vouch_all(&object.uri, Vouched::Unlisted);
                let detail = "put there by somebody else, or by a trail whose log files are not validated".into();
                verdicts.problem(problem(Kind::LogUnlisted, &object.uri, Some(&home), Some(span), detail));
            }
            Standing::Outside | Standing::NoDigests => {
                verdicts.uncovered += 1;
                let ends = coverage.ends(&home);
                let after = ends.is_some_and(|(_, last)| span.0 >= last);
                // What of a period no digest covers is told already.
                if ends.is_some() && (if after { scope.to } else { scope.from }).is_some() {
                    continue;
                }
                let group = outside.entry((home, after)).or_default();
                if group.files == 0 {
                    (group.from, group.to, group.first) = (span.0, span.1, object.uri.clone());
                }
                group.files += 1;
                (group.from, group.to) = (group.from.min(span.0), group.to.max(span.1));
            }
        }
    }
    for ((home, after), group) in outside {
        let files = human::count(group.files, "log file");
        let detail = match coverage.ends(&home) {
            None => format!("{files}, and no digest: validation was off, or the digests are not among the sources"),
            Some(_) if after => format!("{files} from after the last digest: the digests of this time are not there"),
            Some(_) => format!("{files} from before the first digest"),
        };
        let span = scope.cut((group.from, group.to));
        verdicts.problem(problem(Kind::NotCovered, &group.first, Some(&home), Some(span), detail));
    }
}

fn problem(kind: Kind, object: &str, home: Option<&Home>, span: Option<(i64, i64)>, detail: String) -> Problem {
    let (account, region) = home.map(|(_, _, account, region)| (account.clone(), region.clone())).unwrap_or_default();
    Problem {
        kind,
        verdict: kind.verdict(),
        object: object.to_owned(),
        account,
        region,
        from: span.map(|span| span.0),
        to: span.map(|span| span.1),
        detail,
    }
}
