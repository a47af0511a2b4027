//! Bytes of one object into the CloudTrail records that matter.

pub mod outcome;
pub mod records;
pub mod select;

pub use outcome::{FirstRecord, Note, ObjectReport, RejectReason, Rejections, SkipReason};
pub use records::{Record, RecordSink};
pub use select::Class;
