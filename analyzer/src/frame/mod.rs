//! Rows into polars frames, and typed access to them. One column table drives all of it.

pub mod builder;
pub mod col;
pub(crate) mod column;
pub mod compact;
pub mod dictionary;
pub mod row;
pub mod schema;

pub use builder::{Events, FrameBuilder};
pub use col::Columns;
pub use dictionary::{Dictionary, Sym};
pub use row::{Row, Text};
pub use schema::{COLUMNS, Scope};
