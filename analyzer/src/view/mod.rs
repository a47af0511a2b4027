//! Rows folded into what the rules read.

pub mod coverage;

pub use coverage::Coverage;
