//! Finds and parses the records that matter in a document.

use simd_json::tape::Value;

use super::gzip::Taker;
use super::outcome::{ObjectReport, RejectReason};
use super::parse::Parser;
use super::select::{Class, Search};
use super::shape::{self, Opening, Walk};
use super::split::Splitter;
use super::tally::Tally;

/// One record that matters, parsed.
pub struct Record<'r> {
    /// Index in its object, from 0.
    pub index: u32,
    /// Bytes as they stand in the object; of a record inside `lookup-events` output, its text.
    pub raw: &'r [u8],
    /// The parsed record: always an object.
    pub value: Value<'r, 'r>,
    /// Why it was kept.
    pub class: Class,
}

/// Takes the records of one object.
pub trait RecordSink {
    /// One record that matters.
    ///
    /// # Errors
    /// The reason why it cannot become a row; it is counted as rejected.
    fn record(&mut self, record: &Record<'_>) -> Result<(), RejectReason>;

    /// Records from here on are provisional: the object is read in windows and may yet prove damaged.
    fn stage(&mut self);

    /// Ends what [`RecordSink::stage`] began: keep the provisional records, or forget them.
    fn settle(&mut self, keep: bool);
}

/// A longer record is not CloudTrail's (256 KB, 1 MB at most): it is rejected, so that memory stays bounded.
pub const LONGEST_RECORD: usize = 8 << 20;

/// Bytes that are split, searched and parsed together, while they are in the cache.
const SEGMENT: usize = 128 << 10;

/// What every document needs and no document leaves behind.
pub(super) struct Tools {
    pub(super) search: Search,
    pub(super) parser: Parser,
    /// For the text inside an element of `lookup-events`.
    pub(super) inner: Parser,
    ends: Vec<usize>,
}

impl Tools {
    pub(super) fn new() -> Self {
        Self { search: Search::new(), parser: Parser::new(), inner: Parser::new(), ends: Vec::new() }
    }
}

/// Where in the object the walker stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Before a document, or at the end.
    Documents,
    /// Among documents that are records.
    Rows,
    /// Before a document of which only the members can tell whether it is a record.
    Members,
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
    /// The start of the element at hand was let go of: it is too long.
    overlong: bool,
    /// Documents are lines: one of them did not end where it should have.
    lines: bool,
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
            overlong: false,
            lines: false,
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
    }

    /// Before a document: tells what it is.
    fn documents(&mut self, bytes: &[u8], at: usize, last: bool) -> Step {
        let at = shape::skip(bytes, at, b",");
        match bytes.get(at) {
            None => Step::Wait(at),
            Some(b'[') => {
                self.tally.saw_list();
                self.go(Place::List(false));
                Step::On(at + 1)
            }
            Some(b'{') => match shape::opening(&bytes[at + 1..], last) {
                Opening::Wait => self.wait(bytes, at),
                Opening::Members => {
                    self.place = Place::Members;
                    Step::On(at)
                }
                Opening::Record if self.lines => self.line(bytes, at, last),
                Opening::Record => {
                    self.go(Place::Rows);
                    Step::On(at)
                }
            },
            Some(_) => self.line(bytes, at, last),
        }
    }

    /// One line that must be one record.
    fn line(&mut self, bytes: &[u8], at: usize, last: bool) -> Step {
        self.go(Place::Documents);
        let rest = &bytes[at..];
        let len = match memchr::memchr(b'\n', rest) {
            Some(len) => len,
            None if last => rest.len(),
            None => return self.wait(bytes, at),
        };
        let mut ends = Vec::new();
        let scan = Splitter::new().scan(&rest[..len], true, &mut ends);
        let whole = ends.first() == Some(&rest[..len].trim_ascii_end().len()) && rest[0] == b'{';
        if whole && !self.overlong {
            let needle = self.tools.search.matches(&rest[..len]);
            // A line that cannot be parsed is rejected, and that is all there is to do about it.
            let _ = self.tally.element(self.tools, &rest[..len], needle);
        } else if rest[0] != b'{' && self.tools.parser.parse(&rest[..len], |_, _| ()).is_ok() {
            self.reject(RejectReason::NotAnObject);
        } else {
            let cut = scan.closed.is_none() && ends.is_empty() && at + len == bytes.len();
            self.reject(if cut && rest[0] == b'{' { RejectReason::Truncated } else { RejectReason::InvalidJson });
        }
        Step::On(at + len)
    }

    /// A document of unknown first member: a wrapper if it holds a list of records, else a record itself.
    fn members(&mut self, bytes: &[u8], at: usize, last: bool) -> Step {
        match shape::members(&bytes[at + 1..]) {
            Walk::List(list) => {
                self.tally.saw_wrapper();
                self.go(Place::List(true));
                Step::On(at + 1 + list)
            }
            Walk::Wait if !last && bytes.len() - at <= LONGEST_RECORD => Step::Wait(at),
            _ if self.lines => self.line(bytes, at, last),
            _ => {
                self.go(Place::Rows);
                self.rows(bytes, at, last, true)
            }
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
            Walk::Broken => {
                self.place = Place::Documents;
                Step::On(at)
            }
        }
    }

    /// Elements of a list, or documents in a row: splits a segment, then takes its elements.
    fn rows(&mut self, bytes: &[u8], mut at: usize, last: bool, first_known: bool) -> Step {
        let listed = matches!(self.place, Place::List(_));
        let mut known = first_known;
        loop {
            let from = at + self.scanned;
            let to = bytes.len().min(from + SEGMENT);
            let mut ends = std::mem::take(&mut self.tools.ends);
            ends.clear();
            let scan = self.splitter.scan(&bytes[from..to], last && to == bytes.len(), &mut ends);
            let mut hunt = Hunt { next: None, limit: from + scan.scanned };
            let mut turn = None;
            for end in ends.iter().map(|end| from + end) {
                let Some(start) = self.gap(bytes, at, end, listed) else {
                    at = end;
                    continue;
                };
                // A row may be a wrapper, which its own members tell.
                let record = listed || known || shape::opening(&bytes[start + 1..end], true) == Opening::Record;
                if bytes[start] != b'{' && !listed || !record {
                    turn = Some(start);
                    break;
                }
                known = false;
                if bytes[start] != b'{' {
                    self.tally.reject(RejectReason::NotAnObject);
                    at = end;
                    continue;
                }
                let raw = &bytes[start..end];
                let long = raw.len() > LONGEST_RECORD;
                let needle = !long && hunt.finds(&self.tools.search, bytes, start, end);
                let sound = !long && self.tally.element(self.tools, raw, needle);
                if !sound && !listed && memchr::memmem::find(raw, b"\n{").is_some() {
                    // What should be one record is several lines with one broken among them.
                    if !long {
                        self.tally.take_back();
                    }
                    self.lines = true;
                    turn = Some(start);
                    break;
                }
                if long {
                    self.tally.reject(RejectReason::TooLong);
                }
                at = end;
            }
            self.tools.ends = ends;
            if let Some(start) = turn {
                self.go(Place::Documents);
                return Step::On(start);
            }
            if let Some(closed) = scan.closed.map(|closed| from + closed) {
                return self.closed(bytes, at, closed, listed);
            }
            self.scanned = from + scan.scanned - at;
            if to < bytes.len() {
                continue;
            }
            return if last { self.cut(bytes, at, listed) } else { self.wait(bytes, at) };
        }
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
        self.gap(bytes, at, closed, listed);
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
        if !listed && bytes.get(start).is_some_and(|byte| *byte != b'{') {
            self.go(Place::Documents);
            return Step::On(start);
        }
        if !listed && memchr::memmem::find(&bytes[start..], b"\n{").is_some() {
            self.lines = true;
            self.go(Place::Documents);
            return Step::On(start);
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
        if self.place == Place::Rows && !self.overlong && memchr::memmem::find(&bytes[at..], b"\n{").is_some() {
            self.lines = true;
            self.go(Place::Documents);
            return Step::On(at);
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
                Place::Members => self.members(bytes, at, last),
                Place::Rows => self.rows(bytes, at, last, false),
                Place::List(_) => self.rows(bytes, at, last, true),
                Place::Behind => self.behind(bytes, at, last),
            };
            match step {
                Step::On(next) => at = next,
                Step::Wait(next) => return next,
            }
        }
    }
}

/// The next needle in a segment, kept while it lies ahead.
struct Hunt {
    /// Where it starts, and its number; `None` before the first search. At `limit` there is none.
    next: Option<(usize, usize)>,
    limit: usize,
}

impl Hunt {
    /// True when the record holds a needle that counts.
    fn finds(&mut self, search: &Search, bytes: &[u8], start: usize, end: usize) -> bool {
        let mut from = start;
        loop {
            let (at, needle) = match self.next {
                Some(next) if next.0 >= from => next,
                _ => search.find(&bytes[from..self.limit]).map_or((self.limit, 0), |(at, needle)| (from + at, needle)),
            };
            self.next = Some((at, needle));
            if at >= end {
                return false;
            }
            if search.confirms(needle, &bytes[start..end]) {
                return true;
            }
            from = at + 1;
        }
    }
}
