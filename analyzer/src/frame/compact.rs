//! What folding needs of two long texts, in a few bytes: rows that are only folded carry these columns instead of
//! `event_id` and `encryption_context`, which are half of a row otherwise. They are no part of the column table: nothing
//! but a running scan ever sees them.

use std::hash::BuildHasher;

use foldhash::quality::FixedState;
use polars::prelude::*;

use super::column::{Form, PlainColumn};
use super::row::Row;

/// Names of the columns: both halves of an event id that is a GUID, and the [`stable_hash`] of an encryption context.
pub(crate) const COMPACT: [&str; 3] = ["guid_high", "guid_low", "context_hash"];

/// Hash that is the same in every run and on every machine.
pub fn stable_hash(text: &str) -> u64 {
    FixedState::with_seed(0x6b65_7974_7261_696c).hash_one(text)
}

/// The bytes of a lower-case hyphenated GUID; `None` for any other spelling, which must print back as it came.
pub fn guid(text: &[u8]) -> Option<[u8; 16]> {
    let text: &[u8; 36] = text.try_into().ok()?;
    if [text[8], text[13], text[18], text[23]] != *b"----" {
        return None;
    }
    const AT: [usize; 16] = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];
    let mut bytes = [0; 16];
    let mut bad = 0;
    for (byte, at) in bytes.iter_mut().zip(AT) {
        let (high, low) = (DIGIT[usize::from(text[at])], DIGIT[usize::from(text[at + 1])]);
        bad |= high | low;
        *byte = high << 4 | low & 0x0f;
    }
    (bad & 0xf0 == 0).then_some(bytes)
}

/// Value of a lower-case hexadecimal digit; 255 for everything else.
const DIGIT: [u8; 256] = {
    let mut digits = [255; 256];
    let mut value = 0;
    while value < 16 {
        digits[b"0123456789abcdef"[value] as usize] = value as u8;
        value += 1;
    }
    digits
};

/// The columns while rows are appended.
#[derive(Default)]
pub(super) struct CompactColumns([PlainColumn<i64>; 3]);

impl CompactColumns {
    /// Appends what a row says; false when its event id is no GUID and must be kept as text.
    pub(super) fn push(&mut self, row: &Row<'_>, at: usize) -> bool {
        let [high, low, context] = &mut self.0;
        context.add(row.encryption_context.as_deref().map(|text| stable_hash(text).cast_signed()), at);
        let Some(bytes) = row.event_id.as_deref().and_then(|id| guid(id.as_bytes())) else { return false };
        let value = u128::from_be_bytes(bytes);
        high.add(Some(((value >> 64) as u64).cast_signed()), at);
        low.add(Some((value as u64).cast_signed()), at);
        true
    }

    pub(super) fn finish(&mut self, height: usize, form: Form<'_>) -> PolarsResult<Vec<Column>> {
        let mut columns = Vec::new();
        for (column, name) in self.0.iter_mut().zip(COMPACT) {
            columns.extend(column.finish(name, height, form)?.map(Column::from));
        }
        Ok(columns)
    }
}
