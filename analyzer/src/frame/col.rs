//! Typed access to the columns of an events frame, by the names of the column table.

use polars::prelude::*;

use super::compact::{COMPACT, guid, stable_hash};
use super::dictionary::Sym;
use super::schema::with_columns;

type Array<T> = <T as PolarsDataType>::Array;

/// A text column.
pub struct StrCol<'f>(Option<&'f Array<StringType>>);

impl<'f> StrCol<'f> {
    /// False when the frame does not carry the column.
    pub(crate) fn is_carried(&self) -> bool {
        self.0.is_some()
    }

    /// Text at `row`, `None` when null or when the frame does not carry the column.
    pub fn get(&self, row: usize) -> Option<&'f str> {
        StaticArray::get(self.0?, row)
    }
}

/// A categorical column: codes of the run's dictionary.
pub struct CatCol<'f>(Option<&'f Array<UInt32Type>>);

impl CatCol<'_> {
    /// False when the frame does not carry the column.
    pub(crate) fn is_carried(&self) -> bool {
        self.0.is_some()
    }

    /// Code at `row`.
    pub fn get(&self, row: usize) -> Option<Sym> {
        StaticArray::get(self.0?, row)
    }
}

/// A boolean column.
pub struct BoolCol<'f>(Option<&'f Array<BooleanType>>);

impl BoolCol<'_> {
    /// False when the frame does not carry the column.
    pub(crate) fn is_carried(&self) -> bool {
        self.0.is_some()
    }

    /// Value at `row`.
    pub fn get(&self, row: usize) -> Option<bool> {
        StaticArray::get(self.0?, row)
    }
}

/// An integer column; also times, in milliseconds since the epoch.
pub struct IntCol<'f>(Option<&'f Array<Int64Type>>);

impl IntCol<'_> {
    /// False when the frame does not carry the column.
    pub(crate) fn is_carried(&self) -> bool {
        self.0.is_some()
    }

    /// Value at `row`.
    pub fn get(&self, row: usize) -> Option<i64> {
        StaticArray::get(self.0?, row)
    }
}

/// An unsigned column without nulls.
pub struct U32Col<'f>(Option<&'f Array<UInt32Type>>);

impl U32Col<'_> {
    /// False when the frame does not carry the column.
    pub(crate) fn is_carried(&self) -> bool {
        self.0.is_some()
    }

    /// Value at `row`; 0 when the frame does not carry the column.
    pub fn get(&self, row: usize) -> u32 {
        self.0.and_then(|column| StaticArray::get(column, row)).unwrap_or(0)
    }
}

fn find<'f>(frame: &'f DataFrame, name: &str) -> Option<&'f Series> {
    // Not by `column`: for a column that is not there it writes an error message, which nobody reads.
    let at = frame.get_column_index(name)?;
    Some(frame.columns()[at].as_materialized_series())
}

/// The one array behind a column.
fn array<T: PolarsDataType>(column: &ChunkedArray<T>) -> PolarsResult<&Array<T>> {
    polars_ensure!(column.chunks().len() == 1, ComputeError: "column `{}` is not contiguous", column.name());
    Ok(column.downcast_as_array())
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
        StrCol($series.map(|s| array(s.str()?)).transpose()?)
    };
    (Cat $series:expr) => {
        CatCol($series.map(|s| array(codes(s)?)).transpose()?)
    };
    (Bool $series:expr) => {
        BoolCol($series.map(|s| array(s.bool()?)).transpose()?)
    };
    (Int $series:expr) => {
        IntCol($series.map(|s| array(s.i64()?)).transpose()?)
    };
    (U32 $series:expr) => {
        U32Col($series.map(|s| array(s.u32()?)).transpose()?)
    };
    (Time $series:expr) => {
        IntCol($series.map(|s| array(millis(s)?)).transpose()?)
    };
}

macro_rules! columns {
    ($(($scope:ident $name:ident $kind:ident $from:literal $doc:literal))*) => {
        /// All columns of one events frame. A column that the frame does not carry reads as null.
        pub struct Columns<'f> {
            $(#[doc = $doc] pub $name: accessor!($kind),)*
            /// The columns of [`super::compact`].
            pub(crate) compact: [IntCol<'f>; 3],
        }

        impl<'f> Columns<'f> {
            /// Opens `frame`, which must come from [`super::builder::FrameBuilder`] or a file of the same schema version.
            ///
            /// # Errors
            /// When a column has another type than the table says, or lies in several pieces.
            pub fn open(frame: &'f DataFrame) -> PolarsResult<Self> {
                let [high, low, context] = COMPACT.map(|name| find(frame, name));
                Ok(Self {
                    $($name: open!($kind find(frame, stringify!($name))),)*
                    compact: [open!(Int high), open!(Int low), open!(Int context)],
                })
            }
        }
    };
}
with_columns!(columns);

impl Columns<'_> {
    /// Bytes of the event id where it is a GUID.
    pub fn guid(&self, row: usize) -> Option<[u8; 16]> {
        let [high, low, _] = &self.compact;
        match (high.get(row), low.get(row)) {
            (Some(high), Some(low)) => {
                let value = u128::from(high.cast_unsigned()) << 64 | u128::from(low.cast_unsigned());
                Some(value.to_be_bytes())
            }
            _ => guid(self.event_id.get(row)?.as_bytes()),
        }
    }

    /// [`stable_hash`] of the encryption context.
    pub fn context_hash(&self, row: usize) -> Option<u64> {
        let [.., context] = &self.compact;
        context.get(row).map(i64::cast_unsigned).or_else(|| self.encryption_context.get(row).map(stable_hash))
    }
}
