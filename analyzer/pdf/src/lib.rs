//! A report of Keytrail as an archivable, accessible PDF: PDF/A-2a and PDF/UA-1, with the fonts in it.
//!
//! The document is set by [Typst](https://typst.app) from a template of ours (`report/*.typ`). What the report says comes
//! to it as a JSON file that exists in memory only: a text is a string there, never markup, whoever wrote it. Nothing is read
//! from disk or network, and the clock is not asked: the same input gives the same bytes.
//!
//! Without the feature `typst` this crate is empty.

#[cfg(feature = "typst")]
mod text;
#[cfg(feature = "typst")]
mod world;

#[cfg(feature = "typst")]
mod render;
#[cfg(feature = "typst")]
pub use render::{Document, Error, Moment};
