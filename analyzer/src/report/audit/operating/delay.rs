//! How long it took until somebody was told.

use std::collections::BTreeMap;

use super::{Incident, Telling};

/// How a sink was told first. Times of one kind may be held against each other; across kinds they are not meant to be alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// In a message of its own, of rules that alert at once.
    AtOnce,
    /// In a message of its own, of rules that wait until late events cannot overturn them, or until time has passed.
    Settled,
    /// In a digest or a summary, which waits by design.
    Bundled,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::AtOnce, Self::Settled, Self::Bundled];

    /// Name in outputs.
    pub fn id(self) -> &'static str {
        match self {
            Self::AtOnce => "at once",
            Self::Settled => "settled",
            Self::Bundled => "bundled",
        }
    }

    /// What it means.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::AtOnce => "in a message of its own, of rules that alert at once",
            Self::Settled => "in a message of its own, of rules that wait for late events",
            Self::Bundled => "in a digest or summary, which waits by design",
        }
    }

    fn of(incident: &Incident, telling: &Telling) -> Self {
        match (telling.first_alone, incident.is_at_once()) {
            (false, _) => Self::Bundled,
            (true, true) => Self::AtOnce,
            (true, false) => Self::Settled,
        }
    }
}

/// The distribution of one kind, over pairs of incident and sink.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spread {
    /// Pairs whose delay since the event is known.
    pub count: usize,
    /// Half of them took no longer than this, milliseconds.
    pub median: i64,
    /// The worst of them.
    pub worst: i64,
    /// The same since the delivery of the object: number, median, worst; `None` where no name tells when that was.
    pub since_delivery: Option<(usize, i64, i64)>,
}

/// The distributions; kinds of which nothing is known are left out.
pub(super) fn spreads(incidents: &[Incident]) -> BTreeMap<Kind, Spread> {
    let mut delays: BTreeMap<Kind, (Vec<i64>, Vec<i64>)> = BTreeMap::new();
    for incident in incidents {
        for telling in &incident.tellings {
            let (since_event, since_delivery) = delays.entry(Kind::of(incident, telling)).or_default();
            since_event.extend(incident.since_event(telling));
            since_delivery.extend(incident.since_delivery(telling));
        }
    }
    let spread = |(kind, (since_event, since_delivery))| {
        let (count, median, worst) = spread(since_event)?;
        Some((kind, Spread { count, median, worst, since_delivery: spread(since_delivery) }))
    };
    delays.into_iter().filter_map(spread).collect()
}

fn spread(mut delays: Vec<i64>) -> Option<(usize, i64, i64)> {
    delays.sort_unstable();
    // Of an even number the greater of the two in the middle: no better than it was.
    let median = *delays.get(delays.len() / 2)?;
    Some((delays.len(), median, *delays.last()?))
}

#[cfg(test)]
mod tests {
    use super::spread;

    #[test]
    fn the_median_is_no_better_than_it_was() {
        assert_eq!(spread(vec![]), None);
        assert_eq!(spread(vec![7]), Some((1, 7, 7)));
        assert_eq!(spread(vec![9, 1]), Some((2, 9, 9)));
        assert_eq!(spread(vec![30, 10, 20]), Some((3, 20, 30)));
    }
}
