//! One record as columns: what `extract` produces and the builder appends.

use std::borrow::Cow;

use super::schema::with_columns;

/// Text of a row: borrowed from the record where it can be.
pub type Text<'a> = Option<Cow<'a, str>>;

macro_rules! field {
    (Str) => { Text<'a> };
    (Cat) => { Text<'a> };
    (Bool) => { Option<bool> };
    (Int) => { Option<i64> };
    (U32) => { u32 };
    (Time) => { Option<i64> };
}

macro_rules! row {
    ($(($scope:ident $name:ident $kind:ident $from:literal $doc:literal))*) => {
        /// One record, one field per column of [`super::schema::COLUMNS`]. Times are milliseconds since the epoch, UTC.
        #[derive(Clone, Debug, Default)]
        pub struct Row<'a> {
            /// True when the row carries the columns of scope `Wide` (control plane and other services).
            pub wide: bool,
            $(#[doc = $doc] pub $name: field!($kind),)*
        }
    };
}
with_columns!(row);
