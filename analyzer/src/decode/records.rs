//! What a record is, who takes it, and what reading needs.

use simd_json::tape::Value;

use super::outcome::RejectReason;
use super::parse::Parser;
use super::select::{Class, Search};
use super::split::Cuts;

/// One record that matters, parsed.
pub struct Record<'r> {
    /// Index in its object, from 0.
    pub index: u32,
    /// Bytes as they stand in the object; of a record inside `lookup-events` output, its text; of one that EventBridge
    /// delivered, the event around it.
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

/// What every document needs and no document leaves behind.
pub(super) struct Tools {
    pub(super) search: Search,
    pub(super) parser: Parser,
    /// For the text inside an element of `lookup-events`.
    pub(super) inner: Parser,
    pub(super) cuts: Cuts,
}

impl Tools {
    pub(super) fn new() -> Self {
        Self { search: Search::new(), parser: Parser::new(), inner: Parser::new(), cuts: Cuts::default() }
    }
}
