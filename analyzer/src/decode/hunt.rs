//! Which records of a segment hold a needle.

use super::select::Search;

/// The marks that one scan of a segment set, from the record at hand on.
pub(super) struct Hunt<'m> {
    marks: &'m [usize],
    /// Where the scan started.
    from: usize,
}

impl<'m> Hunt<'m> {
    /// Starts with the marks of a scan from `from` on; they are relative to that.
    pub(super) fn new(marks: &'m [usize], from: usize) -> Self {
        Self { marks, from }
    }

    /// True when the record holds a needle that counts. Records come in order, and the scan saw the end of each.
    pub(super) fn finds(&mut self, search: &Search, bytes: &[u8], start: usize, end: usize) -> bool {
        let record = &bytes[start..end];
        let Some(first) = start.checked_sub(self.from) else {
            // Earlier scans saw its start, and their marks are gone. One in a segment, so it is searched on its own.
            return search.matches(record);
        };
        let mut trial = search.trial(record);
        while let Some((&mark, later)) = self.marks.split_first()
            && mark < end - self.from
        {
            self.marks = later;
            if mark >= first && trial.counts(mark - first) {
                return true;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::super::select::NEEDLES;
    use super::super::split::{Cuts, Splitter};
    use super::*;

    /// Which elements of a list hold a needle, where the list is scanned in pieces.
    fn holders(search: &Search, list: &[u8], piece: usize) -> Vec<bool> {
        let (mut splitter, mut cuts) = (Splitter::new(), Cuts::default());
        let (mut holders, mut at, mut from, mut to) = (Vec::new(), 0, 0, 0);
        while to < list.len() {
            to = (to + piece).min(list.len());
            cuts.clear();
            let scan = splitter.scan_for(search.needles(), &list[from..to], to == list.len(), &mut cuts);
            let mut hunt = Hunt::new(&cuts.marks, from);
            for end in cuts.ends.iter().map(|end| from + end) {
                holders.push(hunt.finds(search, list, at, end));
                at = end;
            }
            from += scan.scanned;
        }
        holders
    }

    #[test]
    fn a_needle_is_found_across_any_edge() {
        let search = Search::new();
        for needle in NEEDLES {
            let with = needle.with.first().unwrap_or(&"");
            for before in 0..70 {
                let record = format!("{{{}{}{with}}}", "-".repeat(before), needle.literal.text);
                let list = format!("{{}}{{:}}{record}{{}}{record}{{-}}");
                for piece in [1, 50, 64, 65, 100, 128, 200, 1_000] {
                    let holders = holders(&search, list.as_bytes(), piece);
                    assert_eq!(holders, [false, false, true, false, true, false], "{piece} {list}");
                }
            }
        }
    }

    #[test]
    fn a_needle_in_two_records_is_in_neither() {
        for piece in [1, 64, 1_000] {
            let list = r#"{"a":"kms.am"}{"azonaws.com":"msK"}{"ey":"kms.amazonaws.co"}{"m":""}"#;
            assert_eq!(holders(&Search::new(), list.as_bytes(), piece), [false; 4]);
        }
    }
}
