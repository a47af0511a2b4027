//! Parses one record into a tape, in buffers that are kept.

use std::mem;

use simd_json::tape::Value;
use simd_json::{Buffers, INPUT_PADDING, Tape};

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

    /// Parses `raw` and shows the value to `then`, together with whether bytes that are not UTF-8 were replaced.
    pub(super) fn parse<R>(
        &mut self,
        raw: &[u8],
        mut then: impl FnMut(Value<'_, '_>, bool) -> R,
    ) -> Result<R, Invalid> {
        if let Ok(result) = self.attempt(raw, |value| then(value, false)) {
            return Ok(result);
        }
        match std::str::from_utf8(raw) {
            Ok(_) => Err(Invalid),
            Err(_) => self.attempt(String::from_utf8_lossy(raw).as_bytes(), |value| then(value, true)),
        }
    }

    fn attempt<R>(&mut self, raw: &[u8], then: impl FnOnce(Value<'_, '_>) -> R) -> Result<R, Invalid> {
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
