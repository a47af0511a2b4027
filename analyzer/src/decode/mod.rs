//! Bytes of one object into the CloudTrail records that matter.

pub mod gzip;
mod hashed;
mod hunt;
pub mod literals;
mod members;
mod meter;
pub mod outcome;
mod parse;
pub mod records;
pub mod select;
mod shape;
pub mod split;
mod tally;
mod walk;

use std::io::Read;

pub use gzip::Limits;
pub use hashed::Content;
pub use outcome::{FirstRecord, Note, ObjectReport, RejectReason, Rejections, SkipReason};
pub use records::{Record, RecordSink};
pub use select::Class;

/// Reads objects one after the other: one per worker, so that its buffers are reused.
pub struct Decoder {
    inflater: gzip::Inflater,
    tools: records::Tools,
}

impl Decoder {
    /// Starts without buffers.
    pub fn new(limits: Limits) -> Self {
        Self { inflater: gzip::Inflater::new(limits), tools: records::Tools::new() }
    }

    /// Reads one object and hands on its records that matter. `size` is what the object is said to take as stored.
    ///
    /// Never fails: what could not be read is in the report.
    pub fn read(&mut self, source: &mut dyn Read, size: Option<u64>, sink: &mut dyn RecordSink) -> ObjectReport {
        self.run(source, size, sink, false).0
    }

    /// The same, and what the very bytes hold that the records were read from; `None` where they were not read to their
    /// end.
    pub fn read_hashed(
        &mut self,
        source: &mut dyn Read,
        size: Option<u64>,
        sink: &mut dyn RecordSink,
    ) -> (ObjectReport, Option<Content>) {
        self.run(source, size, sink, true)
    }

    fn run(
        &mut self,
        source: &mut dyn Read,
        size: Option<u64>,
        sink: &mut dyn RecordSink,
        hash: bool,
    ) -> (ObjectReport, Option<Content>) {
        let mut walker = walk::Walker::new(&mut self.tools, sink);
        let (outcome, content) = if hash {
            let mut hashed = hashed::Hashed::new(&mut walker);
            let outcome = self.inflater.read(source, size, &mut hashed);
            let content = hashed.finish(&outcome);
            (outcome, content)
        } else {
            (self.inflater.read(source, size, &mut walker), None)
        };
        let mut report = walker.finish();
        if outcome.skip.is_some() {
            report = ObjectReport { skip: outcome.skip, ..ObjectReport::default() };
        }
        report.compressed = outcome.compressed;
        report.inflated = outcome.inflated;
        if outcome.trailing && outcome.skip.is_none() {
            report.notes.insert(Note::TrailingBytes, 1);
        }
        if outcome.staged {
            sink.settle(report.skip.is_none());
        }
        (report, content)
    }
}
