//! Parses one record into a tape, in buffers that are kept.

use std::borrow::Cow;
use std::mem;

use simd_json::tape::Value;
use simd_json::{Buffers, INPUT_PADDING, Tape};

use super::meter::examined;

/// The record is not valid JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Invalid;

/// Parses records one after the other.
pub(super) struct Parser {
    /// The parser unescapes strings in place and reads past the end: it gets a padded copy.
    scratch: Vec<u8>,
    buffers: Buffers,
    tape: Tape<'static>,
}

impl Parser {
    pub(super) fn new() -> Self {
        Self { scratch: Vec::new(), buffers: Buffers::default(), tape: Tape::null() }
    }

    /// Parses `raw` and shows the value to `then`, together with whether text that is no Unicode was replaced: a caller
    /// chooses some of a record's text, and must not be able to hide the record with a bad byte.
    pub(super) fn parse<R>(
        &mut self,
        raw: &[u8],
        mut then: impl FnMut(Value<'_, '_>, bool) -> R,
    ) -> Result<R, Invalid> {
        if let Ok(result) = self.attempt(raw, |value| then(value, false)) {
            return Ok(result);
        }
        let text = String::from_utf8_lossy(raw);
        match (whole_surrogates(&text), text) {
            (Some(text), _) => self.attempt(text.as_bytes(), |value| then(value, true)),
            (None, Cow::Owned(text)) => self.attempt(text.as_bytes(), |value| then(value, true)),
            (None, Cow::Borrowed(_)) => Err(Invalid),
        }
    }

    fn attempt<R>(&mut self, raw: &[u8], then: impl FnOnce(Value<'_, '_>) -> R) -> Result<R, Invalid> {
        examined(raw.len());
        self.scratch.clear();
        self.scratch.extend_from_slice(raw);
        self.scratch.resize(raw.len() + INPUT_PADDING, b' ');
        let mut tape = mem::replace(&mut self.tape, Tape(Vec::new())).reset();
        let filled = simd_json::fill_tape_padded(&mut self.scratch, raw.len(), &mut self.buffers, &mut tape);
        let result = filled.map(|()| then(tape.as_value())).map_err(|_| Invalid);
        self.tape = tape.reset();
        result
    }
}

/// `json` with every escaped half of a surrogate pair replaced; `None` when there is none.
fn whole_surrogates(json: &str) -> Option<String> {
    let mut repaired = String::new();
    let mut kept = 0;
    let mut at = 0;
    while let Some(found) = memchr::memchr(b'\\', &json.as_bytes()[at..]) {
        let escape = at + found;
        let unit = |at: usize| {
            let digits = json.get(at..at + 6)?.strip_prefix("\\u")?;
            u32::from_str_radix(digits, 16).ok()
        };
        at = match unit(escape) {
            Some(0xd800..=0xdbff) if matches!(unit(escape + 6), Some(0xdc00..=0xdfff)) => escape + 12,
            Some(0xd800..=0xdfff) => {
                repaired.push_str(&json[kept..escape]);
                repaired.push_str("\\ufffd");
                kept = escape + 6;
                kept
            }
            Some(_) => escape + 6,
            None => (escape + 2).min(json.len()),
        };
        // Never inside a character: what follows a backslash may be longer than a byte.
        while !json.is_char_boundary(at) {
            at += 1;
        }
    }
    (kept > 0).then(|| repaired + &json[kept..])
}

#[cfg(test)]
mod tests {
    use super::whole_surrogates;

    #[test]
    fn halves_of_pairs_are_replaced_and_pairs_are_not() {
        assert_eq!(whole_surrogates(r#"{"a":"\ud83d\ude00 \u0041 \\ud800"}"#), None);
        assert_eq!(whole_surrogates(r#""\ud800""#).as_deref(), Some(r#""\ufffd""#));
        assert_eq!(
            whole_surrogates(r#""\ud800\ud83d\ude00\udc00é\é""#).as_deref(),
            Some(r#""\ufffd\ud83d\ude00\ufffdé\é""#)
        );
        assert_eq!(whole_surrogates("\\"), None);
    }
}
