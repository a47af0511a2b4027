//! What is known of a stretch of time.

use super::{Stream, Verdict};

/// A stretch of the time of delivery of one stream, with one verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interval {
    /// Which digests.
    pub stream: Stream,
    /// Start, milliseconds.
    pub from: i64,
    /// End, excluded.
    pub to: i64,
    /// What it came to.
    pub verdict: Verdict,
    /// Digests in it that are there.
    pub digests: u64,
    /// Log files that they list.
    pub logs: u64,
}

impl Interval {
    /// Joins neighbours of one verdict.
    pub(super) fn join(mut parts: Vec<Self>) -> Vec<Self> {
        parts.sort_by(|a, b| (&a.stream, a.from, a.to, a.verdict).cmp(&(&b.stream, b.from, b.to, b.verdict)));
        let mut joined: Vec<Self> = Vec::new();
        for part in parts {
            match joined.last_mut() {
                Some(last) if last.stream == part.stream && last.verdict == part.verdict && part.from <= last.to => {
                    last.to = last.to.max(part.to);
                    last.digests += part.digests;
                    last.logs += part.logs;
                }
                _ => joined.push(part),
            }
        }
        joined
    }
}
