//! Typed access to the columns of an events frame, by the names of the column table.

use polars::prelude::*;

use super::dictionary::Sym;
use super::schema::with_columns;

/// A text column.
pub struct StrCol<'f>(Option<&'f StringChunked>);

impl<'f> StrCol<'f> {
    /// Text at `row`, `None` when null or when the frame does not carry the column.
    pub fn get(&self, row: usize) -> Option<&'f str> {
        self.0?.get(row)
    }
}

/// A categorical column: codes of the run's dictionary.
pub struct CatCol<'f>(Option<&'f UInt32Chunked>);

impl CatCol<'_> {
    /// Code at `row`.
    pub fn get(&self, row: usize) -> Option<Sym> {
        self.0?.get(row)
    }
}

/// A boolean column.
pub struct BoolCol<'f>(Option<&'f BooleanChunked>);

impl BoolCol<'_> {
    /// Value at `row`.
    pub fn get(&self, row: usize) -> Option<bool> {
        self.0?.get(row)
    }
}

/// An integer column; also times, in milliseconds since the epoch.
pub struct IntCol<'f>(Option<&'f Int64Chunked>);

impl IntCol<'_> {
    /// Value at `row`.
    pub fn get(&self, row: usize) -> Option<i64> {
        self.0?.get(row)
    }
}

/// An unsigned column without nulls.
pub struct U32Col<'f>(Option<&'f UInt32Chunked>);

impl U32Col<'_> {
    /// Value at `row`; 0 when the frame does not carry the column.
    pub fn get(&self, row: usize) -> u32 {
        self.0.and_then(|column| column.get(row)).unwrap_or(0)
    }
}

fn find<'f>(frame: &'f DataFrame, name: &str) -> Option<&'f Series> {
    frame.column(name).ok().map(|column| column.as_materialized_series())
}

/// Codes of a categorical column; a frame that was spilled holds them bare.
fn codes(series: &Series) -> PolarsResult<&UInt32Chunked> {
    if series.dtype() == &DataType::UInt32 { series.u32() } else { series.cat32().map(|cats| cats.physical()) }
}

/// Milliseconds of a time column; a frame that was spilled holds them bare.
fn millis(series: &Series) -> PolarsResult<&Int64Chunked> {
    if series.dtype() == &DataType::Int64 { series.i64() } else { series.datetime().map(|times| times.physical()) }
}

macro_rules! accessor {
    (Str) => { StrCol<'f> };
    (Cat) => { CatCol<'f> };
    (Bool) => { BoolCol<'f> };
    (Int) => { IntCol<'f> };
    (U32) => { U32Col<'f> };
    (Time) => { IntCol<'f> };
}

macro_rules! open {
    (Str $series:expr) => {
        StrCol($series.map(|s| s.str()).transpose()?)
    };
    (Cat $series:expr) => {
        CatCol($series.map(codes).transpose()?)
    };
    (Bool $series:expr) => {
        BoolCol($series.map(|s| s.bool()).transpose()?)
    };
    (Int $series:expr) => {
        IntCol($series.map(|s| s.i64()).transpose()?)
    };
    (U32 $series:expr) => {
        U32Col($series.map(|s| s.u32()).transpose()?)
    };
    (Time $series:expr) => {
        IntCol($series.map(millis).transpose()?)
    };
}

macro_rules! columns {
    ($(($scope:ident $name:ident $kind:ident $from:literal $doc:literal))*) => {
        /// All columns of one events frame. A column that the frame does not carry reads as null.
        pub struct Columns<'f> {
            $(#[doc = $doc] pub $name: accessor!($kind),)*
        }

        impl<'f> Columns<'f> {
            /// Opens `frame`, which must come from [`super::builder::FrameBuilder`] or a file of the same schema version.
            ///
            /// # Errors
            /// When a column has another type than the table says.
            pub fn open(frame: &'f DataFrame) -> PolarsResult<Self> {
                Ok(Self { $($name: open!($kind find(frame, stringify!($name))),)* })
            }
        }
    };
}
with_columns!(columns);
