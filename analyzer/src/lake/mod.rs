//! Rows on disk.

mod spill;

pub use spill::Spill;
