//! Rows on disk.

mod events_file;
mod spill;

pub use events_file::EventsFile;
pub use spill::Spill;
