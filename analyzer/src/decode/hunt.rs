//! One search for needles over many records.

use super::meter::examined;
use super::select::Search;

/// The next needle in a segment, kept while it lies ahead.
pub(super) struct Hunt {
    /// Where it starts, and its number; `None` before the first search. At `limit` there is none.
    next: Option<(usize, usize)>,
    limit: usize,
}

impl Hunt {
    /// Starts a search that ends at `limit`.
    pub(super) fn new(limit: usize) -> Self {
        Self { next: None, limit }
    }

    /// True when the record holds a needle that counts.
    pub(super) fn finds(&mut self, search: &Search, bytes: &[u8], start: usize, end: usize) -> bool {
        let mut from = start;
        // A needle that does not count in a record never will: looked at once, however often it stands there.
        let mut idle = 0u64;
        loop {
            let (at, needle) = match self.next {
                Some(next) if next.0 >= from => next,
                _ => {
                    let found = search.find(&bytes[from..self.limit]);
                    let next = found.map_or((self.limit, 0), |(at, needle)| (from + at, needle));
                    examined(next.0 - from);
                    next
                }
            };
            self.next = Some((at, needle));
            if at >= end {
                return false;
            }
            if idle >> needle & 1 == 0 {
                examined(end - start);
                if search.confirms(needle, &bytes[start..end]) {
                    return true;
                }
                idle |= 1 << needle;
            }
            from = at + 1;
        }
    }
}
