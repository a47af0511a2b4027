//! Bytes of one object into the CloudTrail records that matter.

pub mod outcome;

pub use outcome::{Note, ObjectReport, RejectReason, Rejections, SkipReason};
