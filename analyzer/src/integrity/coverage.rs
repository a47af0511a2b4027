//! Which time proven digests cover: whether a log file that none of them lists should have been listed.

use std::collections::BTreeMap;

/// Where log files stand that the same digests list.
pub type Home = (String, Option<String>, String, String);

/// Time covered, by home.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    spans: BTreeMap<Home, Vec<(i64, i64)>>,
    /// Homes that have any digest.
    ends: BTreeMap<Home, (i64, i64)>,
}

/// What coverage says of a log file that no digest lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Digests cover its time: it should be in one of them.
    Unlisted,
    /// It was delivered after the last digest, or so short before its end that the next one may list it.
    Pending,
    /// It is from before the first digest, or from so long after the last one that another should be there.
    Outside,
    /// It lies in a hole, or in the time of a digest that proves nothing: that is told already.
    Hole,
    /// There are no digests where it stands.
    NoDigests,
}

/// Names of log files tell minutes, and a file may be in the bucket some minutes after the time in its name.
const LATE_MS: i64 = 15 * 60_000;

impl Coverage {
    /// A digest that was found, and whether it is proven.
    pub fn add(&mut self, home: &Home, (from, to): (i64, i64), proven: bool) {
        let ends = self.ends.entry(home.clone()).or_insert((from, to));
        *ends = (ends.0.min(from), ends.1.max(to));
        if proven {
            self.spans.entry(home.clone()).or_default().push((from, to));
        }
    }

    /// Joins what meets. To be called before asking.
    pub fn settle(&mut self) {
        for spans in self.spans.values_mut() {
            spans.sort_unstable();
            spans.dedup_by(|next, span| {
                let meets = next.0 <= span.1.saturating_add(1000);
                if meets {
                    span.1 = span.1.max(next.1);
                }
                meets
            });
        }
    }

    /// What is to be said of a log file delivered in this time.
    pub fn standing(&self, home: &Home, (from, to): (i64, i64)) -> Standing {
        let Some(&(first, last)) = self.ends.get(home) else { return Standing::NoDigests };
        let late = to.saturating_add(LATE_MS);
        let spans = self.spans.get(home).map(Vec::as_slice).unwrap_or_default();
        if spans.iter().any(|span| span.0 <= from && late <= span.1) {
            Standing::Unlisted
        } else if late > last && from < last.saturating_add(super::HOUR_MS + LATE_MS) {
            Standing::Pending
        } else if from < first || from >= last {
            Standing::Outside
        } else {
            Standing::Hole
        }
    }

    /// True when a proven digest covers some of a stretch of time.
    pub fn touches(&self, home: &Home, (from, to): (i64, i64)) -> bool {
        self.spans.get(home).into_iter().flatten().any(|span| span.0 < to && from < span.1)
    }

    /// First and last moment of the digests at a home.
    pub fn ends(&self, home: &Home) -> Option<(i64, i64)> {
        self.ends.get(home).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_should_have_been_listed_is_unlisted() {
        const MINUTE: i64 = 60_000;
        let home: Home = ("./".into(), None, "111122223333".into(), "eu-west-1".into());
        let mut coverage = Coverage::default();
        for (hour, proven) in [(1, true), (2, true), (3, false), (4, true)] {
            coverage.add(&home, (hour * 60 * MINUTE, (hour + 1) * 60 * MINUTE), proven);
        }
        coverage.settle();
        let at = |minute: i64| coverage.standing(&home, (minute * MINUTE, (minute + 1) * MINUTE));
        assert_eq!([at(60), at(119), at(164)], [Standing::Unlisted; 3]);
        assert_eq!([at(170), at(200)], [Standing::Hole; 2], "the next digest, which may list it, proves nothing");
        assert_eq!([at(284), at(285), at(300), at(374)].map(|s| s == Standing::Pending), [false, true, true, true]);
        assert_eq!([at(59), at(375)], [Standing::Outside; 2]);
        let elsewhere = ("./".into(), Some("o-exampleorgid".into()), home.2.clone(), home.3.clone());
        assert_eq!(coverage.standing(&elsewhere, (60 * MINUTE, 61 * MINUTE)), Standing::NoDigests);
    }
}
