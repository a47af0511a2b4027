//! What is no document, and how documents are told apart once one of them is damaged.

use super::super::meter::examined;
use super::super::outcome::RejectReason;
use super::super::records::LONGEST_RECORD;
use super::super::shape::{self, Opening};
use super::super::split::Splitter;
use super::{Place, STRIDE, Step, Walker};

/// Bytes of an indented line that may tell what it is.
const INDENT: usize = 1 << 10;

impl Walker<'_> {
    /// A line that is neither object nor array, as a whole.
    pub(super) fn line(&mut self, bytes: &[u8], at: usize, last: bool) -> Step {
        self.go(Place::Documents);
        let rest = &bytes[at..];
        let len = match memchr::memchr(b'\n', rest) {
            Some(len) => len,
            None if last => rest.len(),
            None => return self.wait(bytes, at),
        };
        examined(len);
        if self.tools.parser.parse(&rest[..len], |_, _| ()).is_ok() {
            self.reject(RejectReason::NotAnObject);
        } else {
            self.reject(RejectReason::InvalidJson);
            self.stray = true;
        }
        Step::On(at + len)
    }

    /// A document that ends at the latest before the next line that starts with a brace.
    pub(super) fn piece(&mut self, bytes: &[u8], at: usize, last: bool) -> Step {
        let (mut splitter, mut ends) = (Splitter::new(), Vec::new());
        let (mut from, mut stride) = (at, STRIDE);
        loop {
            let to = bytes.len().min(from + stride);
            // The line may end right before what was not seen yet.
            let before = from.max(at + 1) - 1;
            let limit = memchr::memmem::find(&bytes[before..to], b"\n{").map(|line| before + line);
            let to = limit.unwrap_or(to).max(from);
            examined(to - before);
            let ended = limit.is_some() || last && to == bytes.len();
            let seen = from + splitter.scan(&bytes[from..to], ended, &mut ends).scanned;
            let end = ends.first().map(|end| from + end);
            if let Some(list) = shape::list_of(&bytes[at + 1..end.unwrap_or(seen.max(at + 1))]) {
                return self.wrapper(at + 1 + list);
            }
            if let Some(end) = end {
                self.whole(&bytes[at..end]);
                return Step::On(end);
            }
            if ended {
                let long = to - at > LONGEST_RECORD;
                let open = if limit.is_some() { RejectReason::InvalidJson } else { RejectReason::Truncated };
                self.reject(if long { RejectReason::TooLong } else { open });
                return Step::On(to);
            }
            if to == bytes.len() {
                return self.wait(bytes, at);
            }
            stride = stride.max(seen - at);
            from = seen;
        }
    }

    fn whole(&mut self, raw: &[u8]) {
        if raw.len() > LONGEST_RECORD {
            return self.tally.reject(RejectReason::TooLong);
        }
        let needle = self.tools.search.matches(raw);
        self.stray = !self.tally.element(self.tools, raw, needle);
    }

    /// Passes the rest of a line of which something was rejected, and the lines that only go on with it, so that a
    /// damaged record that was written over many lines is one rejection.
    pub(super) fn strays(&mut self, bytes: &[u8], mut at: usize, last: bool) -> Step {
        while let Some(len) = memchr::memchr(b'\n', &bytes[at..]) {
            examined(len);
            let line = at + len;
            match goes_on(&bytes[line + 1..], last) {
                Some(true) => at = line + 1,
                Some(false) => {
                    self.stray = false;
                    return Step::On(line + 1);
                }
                None => return Step::Wait(line),
            }
        }
        Step::Wait(bytes.len())
    }
}

/// True for a line that cannot start a document: with a closing bracket, or indented and nothing that looks like one.
/// `None` when more bytes are needed.
fn goes_on(line: &[u8], last: bool) -> Option<bool> {
    match line {
        [] => last.then_some(true),
        [b'}' | b']', ..] => Some(true),
        [b' ' | b'\t', ..] => {
            let seen = &line[..line.len().min(INDENT)];
            let more = seen.len() < INDENT && !last;
            let blanks = seen.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
            examined(blanks);
            match &seen[blanks..] {
                [] => (!more).then_some(true),
                [b'{', object @ ..] => is_inner(object, more),
                _ => Some(true),
            }
        }
        _ => Some(false),
    }
}

/// True for an object that is written over many lines and is no record by its first member: part of a record, then.
fn is_inner(object: &[u8], more: bool) -> Option<bool> {
    match shape::opening(object, !more) {
        Opening::Wait => None,
        Opening::Members => Some(object[0] != b'"'),
        Opening::Record => Some(!object.trim_ascii_start().starts_with(b"\"")),
    }
}
