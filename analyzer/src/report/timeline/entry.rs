//! One line of a story.

use crate::view::event::EventRef;

/// What kind of thing happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntryKind {
    /// The key was changed.
    Change,
    /// A change was refused.
    Refused,
    /// The key was used.
    Use,
    /// Use of the key failed.
    Failure,
    /// Another service failed because of the key.
    Elsewhere,
}

impl EntryKind {
    /// Name in outputs.
    pub fn id(self) -> &'static str {
        match self {
            Self::Change => "change",
            Self::Refused => "refused",
            Self::Use => "use",
            Self::Failure => "failure",
            Self::Elsewhere => "elsewhere",
        }
    }
}

/// One event, or a run of like ones.
#[derive(Clone, Debug)]
pub struct Entry {
    /// First event, milliseconds.
    pub from: i64,
    /// Last event, milliseconds.
    pub to: i64,
    /// What kind.
    pub kind: EntryKind,
    /// How many events.
    pub count: u64,
    /// What happened, in words; parts of it come from the log.
    pub what: String,
    /// Who, in a few words.
    pub who: String,
    /// ARN of who, or what stands for it; empty when the log does not say.
    pub principal: String,
    /// Service that called on the principal's behalf.
    pub via: Option<String>,
    /// Error code.
    pub error: Option<String>,
    /// Event names with their counts.
    pub operations: Vec<(String, u64)>,
    /// The resource that failed or was used, where it is known.
    pub resource: Option<String>,
    /// The first event.
    pub(super) event: EventRef,
    /// Its id.
    pub event_id: String,
    /// Object that holds it.
    pub object: String,
}

impl Entry {
    /// Index of the first event in its object, from 0.
    pub fn record(&self) -> u32 {
        self.event.record
    }
}
