//! `keytrail timeline`: what happened to one key, or to one thing that keys protect, in order.

mod entry;
pub(super) mod json;
mod story;
mod text;
mod wanted;

pub use entry::{Entry, EntryKind};
pub use json::{SCHEMA, render as json};
pub use story::{KeyStory, changes};
pub use text::render as text;
pub use wanted::Wanted;

use super::Report;

/// Everything that a renderer of a timeline may show.
#[derive(Clone, Debug)]
pub struct Timeline {
    /// What ran and what was looked at; no findings.
    pub report: Report,
    /// What was asked for.
    pub wanted: Wanted,
    /// Keys by ARN.
    pub keys: Vec<KeyStory>,
}

impl Timeline {
    /// Stories in the order of every output, of entries that touch the span `from..to` (milliseconds, `to` excluded).
    pub fn new(report: Report, wanted: Wanted, mut keys: Vec<KeyStory>, span: (Option<i64>, Option<i64>)) -> Self {
        keys.sort_by(|a, b| a.arn.cmp(&b.arn));
        for key in &mut keys {
            key.entries
                .retain(|entry| span.0.is_none_or(|from| entry.to >= from) && span.1.is_none_or(|to| entry.from < to));
        }
        Self { report, wanted, keys }
    }
}
