//! Finds and parses the records that matter in a document.
//!
//! No byte is looked at more than a few times, whatever the bytes are: wherever the walker looks ahead and may have to
//! turn back, it looks no further than about as far as it has come.

mod recover;
#[cfg(test)]
mod tests;

use super::gzip::Taker;
use super::hunt::Hunt;
use super::meter::examined;
use super::outcome::{ObjectReport, RejectReason};
use super::records::{LONGEST_RECORD, RecordSink, Tools};
use super::shape::{self, Walk};
use super::split::Splitter;
use super::tally::Tally;

/// Bytes that are split, searched and parsed together, while they are in the cache.
const SEGMENT: usize = 128 << 10;

/// Bytes that are split first where any document may follow; more and more while all goes well.
const STRIDE: usize = 128;

/// Where in the object the walker stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Before a document, or at the end.
    Documents,
    /// Among documents that are records, or prove to be something else.
    Rows,
    /// In a list of records: `true` when a wrapper holds it.
    List(bool),
    /// Behind a wrapper's list.
    Behind,
}

/// How a step ended: at which offset to go on, now or with more bytes.
enum Step {
    On(usize),
    Wait(usize),
}

/// Walks through one object, in as many windows as it comes.
pub(super) struct Walker<'w> {
    tools: &'w mut Tools,
    tally: Tally<'w>,
    place: Place,
    splitter: Splitter,
    /// Bytes behind the last element that the splitter has seen.
    scanned: usize,
    /// Bytes to split next, among rows.
    stride: usize,
    /// The start of the element at hand was let go of: it is too long.
    overlong: bool,
    /// A document did not end where it should have: from there on, a line that starts with a brace starts a document.
    damaged: bool,
    /// What follows belongs to something that was rejected, up to the next line that may start a document.
    stray: bool,
    fresh: bool,
}

impl<'w> Walker<'w> {
    pub(super) fn new(tools: &'w mut Tools, sink: &'w mut dyn RecordSink) -> Self {
        Self {
            tools,
            tally: Tally::new(sink),
            place: Place::Documents,
            splitter: Splitter::new(),
            scanned: 0,
            stride: STRIDE,
            overlong: false,
            damaged: false,
            stray: false,
            fresh: true,
        }
    }

    pub(super) fn finish(self) -> ObjectReport {
        self.tally.finish()
    }

    fn go(&mut self, place: Place) {
        self.place = place;
        self.splitter = Splitter::new();
        self.scanned = 0;
        self.stride = STRIDE;
    }

    /// Before a document: tells what it is.
    fn documents(&mut self, bytes: &[u8], at: usize, last: bool) -> Step {
        if std::mem::take(&mut self.overlong) {
            self.tally.reject(RejectReason::TooLong);
            self.stray = true;
        }
        if self.stray {
            return self.strays(bytes, at, last);
        }
        let at = shape::skip(bytes, at, b",");
        match bytes.get(at) {
            None => Step::Wait(at),
            Some(b'[') => {
                self.tally.saw_list();
                self.go(Place::List(false));
                Step::On(at + 1)
            }
            Some(b'{') if self.damaged => self.piece(bytes, at, last),
            Some(b'{') => {
                self.go(Place::Rows);
                Step::On(at)
            }
            Some(_) => self.line(bytes, at, last),
        }
    }

    /// Behind a wrapper's list: further members, perhaps another list, then the brace.
    fn behind(&mut self, bytes: &[u8], at: usize, last: bool) -> Step {
        match shape::members(&bytes[at..]) {
            Walk::List(list) => {
                self.go(Place::List(true));
                Step::On(at + list)
            }
            Walk::Closed(end) => {
                self.place = Place::Documents;
                Step::On(at + end)
            }
            Walk::Wait if last => Step::Wait(bytes.len()),
            Walk::Wait => self.wait(bytes, at),
            // Not back to where the walk began: what it passed are members of the wrapper.
            Walk::Broken(end) => {
                self.place = Place::Documents;
                Step::On(at + end)
            }
        }
    }

    /// Elements of a list, or documents in a row: splits a segment, then takes its elements.
    fn rows(&mut self, bytes: &[u8], mut at: usize, last: bool) -> Step {
        let listed = matches!(self.place, Place::List(_));
        loop {
            let from = at + self.scanned;
            let stride = if listed { SEGMENT } else { self.stride.max(self.scanned) };
            self.stride = (2 * self.stride).min(SEGMENT);
            let to = bytes.len().min(from + stride);
            let mut cuts = std::mem::take(&mut self.tools.cuts);
            cuts.clear();
            let needles = self.tools.search.needles();
            let scan = self.splitter.scan_for(needles, &bytes[from..to], last && to == bytes.len(), &mut cuts);
            let seen = from + scan.scanned;
            let mut hunt = Hunt::new(&cuts.marks, from);
            let mut turn = None;
            for end in cuts.ends.iter().map(|end| from + end) {
                match self.element(bytes, at, end, listed, &mut hunt) {
                    None => at = end,
                    step => {
                        turn = step;
                        break;
                    }
                }
            }
            self.tools.cuts = cuts;
            if let Some(step) = turn {
                return step;
            }
            if let Some(closed) = scan.closed.map(|closed| from + closed) {
                return self.closed(bytes, at, closed, listed);
            }
            self.scanned = seen - at;
            if !listed && !self.overlong {
                // Told before its end is found, which may be far off, or nowhere.
                let start = shape::skip(&bytes[..seen], at, b",");
                examined(start - at);
                if start == seen {
                    at = seen;
                    self.scanned = 0;
                } else if let Some(step) = self.no_row(&bytes[..seen], start) {
                    return step;
                }
            }
            if to < bytes.len() {
                continue;
            }
            return if last { self.cut(bytes, at, listed) } else { self.wait(bytes, at) };
        }
    }

    /// Takes what ends at `end`, unless the walk turns elsewhere before it.
    fn element(&mut self, bytes: &[u8], at: usize, end: usize, listed: bool, hunt: &mut Hunt<'_>) -> Option<Step> {
        let start = self.gap(bytes, at, end, listed)?;
        if !listed && let Some(step) = self.no_row(&bytes[..end], start) {
            return Some(step);
        }
        if bytes[start] != b'{' {
            self.tally.reject(RejectReason::NotAnObject);
            return None;
        }
        let raw = &bytes[start..end];
        let long = raw.len() > LONGEST_RECORD;
        let needle = !long && hunt.finds(&self.tools.search, bytes, start, end);
        let sound = !long && self.tally.element(self.tools, raw, needle);
        if !sound && !listed && has_lines(raw) {
            // What should be one record is several with one broken among them.
            if !long {
                self.tally.take_back();
            }
            return Some(self.resume_by_lines(start));
        }
        if long {
            self.tally.reject(RejectReason::TooLong);
        }
        None
    }

    /// Where to go when the document that starts at `start` is no row: a list, a wrapper, or no JSON.
    fn no_row(&mut self, bytes: &[u8], start: usize) -> Option<Step> {
        if bytes[start] != b'{' {
            self.go(Place::Documents);
            return Some(Step::On(start));
        }
        let list = shape::list_of(&bytes[start + 1..])?;
        Some(self.wrapper(start + 1 + list))
    }

    /// Goes into the list of a wrapper.
    fn wrapper(&mut self, list: usize) -> Step {
        self.tally.saw_wrapper();
        self.go(Place::List(true));
        Step::On(list)
    }

    fn resume_by_lines(&mut self, start: usize) -> Step {
        self.damaged = true;
        self.go(Place::Documents);
        Step::On(start)
    }

    /// Takes what stands between two elements; gives the start of the element that ends at `end`.
    fn gap(&mut self, bytes: &[u8], mut at: usize, end: usize, listed: bool) -> Option<usize> {
        if std::mem::take(&mut self.overlong) {
            self.tally.reject(RejectReason::TooLong);
            return None;
        }
        loop {
            at = shape::skip(&bytes[..end], at, b",");
            match bytes[..end].get(at) {
                None => return None,
                Some(b'{' | b'[') => return Some(at),
                Some(_) if !listed => return Some(at),
                Some(b'"') => at = shape::string_end(&bytes[..end], at).unwrap_or(end),
                Some(_) => at = shape::word_end(&bytes[..end], at),
            }
            self.tally.reject(RejectReason::NotAnObject);
        }
    }

    /// The bracket at `closed` ends the list; among rows it is astray.
    fn closed(&mut self, bytes: &[u8], at: usize, closed: usize, listed: bool) -> Step {
        if let Some(start) = self.gap(bytes, at, closed, listed) {
            // Among rows, with other stray bytes before it.
            self.go(Place::Documents);
            return Step::On(start);
        }
        let place = match self.place {
            Place::List(true) => Place::Behind,
            Place::List(false) => Place::Documents,
            _ => {
                self.tally.reject(RejectReason::InvalidJson);
                Place::Documents
            }
        };
        self.go(place);
        Step::On(closed + 1)
    }

    /// The object ends before the list does, or inside a row.
    fn cut(&mut self, bytes: &[u8], at: usize, listed: bool) -> Step {
        if std::mem::take(&mut self.overlong) {
            self.tally.reject(RejectReason::TooLong);
            return Step::Wait(bytes.len());
        }
        let start = shape::skip(bytes, at, b",");
        if !listed && has_lines(&bytes[start..]) {
            return self.resume_by_lines(start);
        }
        if start < bytes.len() {
            self.reject(RejectReason::Truncated);
        } else if listed {
            self.tally.cut_between();
        }
        Step::Wait(bytes.len())
    }

    /// Asks for more bytes, unless the element at hand is too long already.
    fn wait(&mut self, bytes: &[u8], at: usize) -> Step {
        if bytes.len() - at <= LONGEST_RECORD {
            return Step::Wait(at);
        }
        if self.place == Place::Rows && !self.overlong && has_lines(&bytes[at..]) {
            return self.resume_by_lines(at);
        }
        // Its end is still found, but its bytes are let go of.
        self.overlong = true;
        let kept = at + self.scanned;
        self.scanned = 0;
        Step::Wait(if matches!(self.place, Place::Rows | Place::List(_)) { kept } else { bytes.len() })
    }

    fn reject(&mut self, reason: RejectReason) {
        let long = std::mem::take(&mut self.overlong);
        self.tally.reject(if long { RejectReason::TooLong } else { reason });
    }
}

impl Taker for Walker<'_> {
    fn stage(&mut self) {
        self.tally.sink.stage();
    }

    fn take(&mut self, bytes: &[u8], last: bool) -> usize {
        const BOM: &[u8] = b"\xef\xbb\xbf";
        let mut at = 0;
        if self.fresh {
            if bytes.len() < BOM.len() && !last {
                return 0;
            }
            self.fresh = false;
            at = if bytes.starts_with(BOM) { BOM.len() } else { 0 };
        }
        loop {
            let step = match self.place {
                Place::Documents => self.documents(bytes, at, last),
                Place::Rows | Place::List(_) => self.rows(bytes, at, last),
                Place::Behind => self.behind(bytes, at, last),
            };
            match step {
                Step::On(next) => at = next,
                Step::Wait(next) => return next,
            }
        }
    }
}

/// True when a line in `bytes`, other than the first, starts with a brace.
fn has_lines(bytes: &[u8]) -> bool {
    examined(bytes.len());
    memchr::memmem::find(bytes, b"\n{").is_some()
}
