//! Rows on disk.

mod codec;
mod events_file;
mod spill;

pub use events_file::EventsFile;
pub use spill::{ByPartition, Spill};
