//! Finds and parses the records that matter in a document.

use simd_json::tape::Value;

use super::outcome::RejectReason;
use super::select::Class;

/// One record that matters, parsed.
pub struct Record<'r> {
    /// Index in its object, from 0.
    pub index: u32,
    /// Bytes as they stand in the object.
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
