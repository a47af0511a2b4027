//! How KMS itself says that keys stand: evidence beside the logs, never instead of them.
//!
//! An inventory is a list of *answers* of read-only calls, in the shape in which the AWS CLI prints them. `keytrail
//! inventory` asks for them and keeps them (`wire.rs`: one file per account and Region); a folder in which somebody kept what
//! `aws kms describe-key` and its like printed is read by the same code (`read.rs`), which tells answers apart by their
//! content; so is what AWS Config recorded (`config.rs`). [`Inventory`] is what they say about keys when they are put together (`merge.rs`).
//!
//! Every fact keeps the name of its source and the instant at which KMS said it. An answer says how a key stood *then*: it is
//! never taken for an earlier state, and an answer that is older than a date in it is refused. What does not change in the
//! life of a key (its kind) holds from its creation on, and what has a date of its own (rotations) holds from that date on.

mod call;
mod config;
mod config_wire;
mod facts;
#[cfg(feature = "aws")]
pub mod live;
mod merge;
mod read;
mod time;
mod wire;

pub use call::Call;
pub use facts::{
    Aliases, Fact, Grant, Grants, KeyFacts, Kind, Place, Policy, Refusal, RotationStatus, Rotations, Stamp, Standing,
};
pub use merge::Inventory;
pub use read::{Answer, Body, Gathered, Misread, gather};
pub use wire::SCHEMA;
