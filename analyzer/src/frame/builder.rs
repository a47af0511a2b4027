//! Rows into polars frames.

use polars::prelude::*;

use super::column::{CatColumn, Form, PlainColumn, StrColumn, TimeColumn, U32Column};
use super::compact::{COMPACT, CompactColumns};
use super::dictionary::{Dictionary, Interner};
use super::row::Row;
use super::schema::{COLUMNS, Scope, with_columns};

pub use super::column::{time_dtype, times};

/// Two frames of one batch of rows. Plain cryptographic calls and reads carry few columns; control-plane rows carry all.
#[derive(Clone, Debug, Default)]
pub struct Events {
    /// Rows of cryptographic calls and reads.
    pub narrow: DataFrame,
    /// Rows of the control plane and of other services.
    pub wide: DataFrame,
}

impl Events {
    /// Bytes that the rows take in memory.
    pub fn bytes(&self) -> u64 {
        (self.narrow.estimated_size() + self.wide.estimated_size()) as u64
    }

    /// The same rows without those of one object: it proved damaged after rows were taken from it.
    ///
    /// # Errors
    /// When polars cannot filter.
    pub fn without_object(self, object: u32) -> PolarsResult<Self> {
        let keep = |frame: DataFrame| -> PolarsResult<DataFrame> {
            if frame.height() == 0 {
                return Ok(frame);
            }
            let mask: BooleanChunked =
                frame.column("object")?.u32()?.iter().map(|value| value.is_none_or(|value| value != object)).collect();
            frame.filter(&mask)
        };
        Ok(Self { narrow: keep(self.narrow)?, wide: keep(self.wide)? })
    }

    /// Rows in both frames.
    pub fn height(&self) -> usize {
        self.narrow.height() + self.wide.height()
    }
}

/// Appends rows to typed columns and closes them into [`Events`].
pub struct FrameBuilder {
    interner: Interner,
    narrow: Table,
    wide: Table,
}

impl FrameBuilder {
    /// A builder whose plain rows carry the columns of `scope` and below: [`Scope::Fold`] for a scan that only reports,
    /// [`Scope::Full`] for one that writes its events out.
    pub fn new(dictionary: Dictionary, scope: Scope) -> Self {
        Self { interner: Interner::new(dictionary), narrow: Table::new(scope), wide: Table::new(Scope::Wide) }
    }

    /// Appends one row.
    pub fn push(&mut self, row: &Row<'_>) {
        let table = if row.wide { &mut self.wide } else { &mut self.narrow };
        table.push(row, &mut self.interner);
    }

    /// Rows since the last [`Self::finish`].
    pub fn len(&self) -> usize {
        self.narrow.len + self.wide.len
    }

    /// True when the last row came from this object: rows of one object stand together.
    pub fn holds(&self, object: u32) -> bool {
        [&self.narrow, &self.wide].iter().any(|table| table.object.last() == Some(object))
    }

    /// True when nothing was pushed since the last [`Self::finish`].
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Closes the batch; the builder starts over. Columns without any value are left out.
    ///
    /// # Errors
    /// When polars cannot make a frame of the columns.
    pub fn finish(&mut self) -> PolarsResult<Events> {
        let dtype = self.interner.dictionary().dtype().clone();
        self.close(Form::Logical(&dtype))
    }

    /// As [`Self::finish`], with codes and times as bare numbers: what a scan folds and spills.
    ///
    /// # Errors
    /// When polars cannot make a frame of the columns.
    pub fn finish_bare(&mut self) -> PolarsResult<Events> {
        self.close(Form::Bare)
    }

    fn close(&mut self, form: Form<'_>) -> PolarsResult<Events> {
        Ok(Events { narrow: self.narrow.finish(form)?, wide: self.wide.finish(form)? })
    }
}

macro_rules! column {
    (Str) => { StrColumn };
    (Cat) => { CatColumn };
    (Bool) => { PlainColumn<bool> };
    (Int) => { PlainColumn<i64> };
    (U32) => { U32Column };
    (Time) => { TimeColumn };
}

macro_rules! table {
    ($(($scope:ident $name:ident $kind:ident $from:literal $doc:literal))*) => {
        struct Table {
            scope: Scope,
            len: usize,
            compact: CompactColumns,
            $($name: column!($kind),)*
        }

        impl Table {
            fn new(scope: Scope) -> Self {
                Self { scope, len: 0, compact: Default::default(), $($name: Default::default(),)* }
            }

            fn push(&mut self, row: &Row<'_>, interner: &mut Interner) {
                $(if Scope::$scope <= self.scope {
                    self.$name.push(&row.$name, self.len, interner);
                })*
                if self.scope == Scope::Fold && !self.compact.push(row, self.len) {
                    self.event_id.push(&row.event_id, self.len, interner);
                }
                self.len += 1;
            }

            fn finish(&mut self, form: Form<'_>) -> PolarsResult<DataFrame> {
                let height = std::mem::take(&mut self.len);
                if height == 0 {
                    return Ok(DataFrame::empty());
                }
                let mut columns: Vec<polars::prelude::Column> = Vec::new();
                $(columns.extend(self.$name.finish(stringify!($name), height, form)?.map(Column::from));)*
                columns.extend(self.compact.finish(height, form)?);
                DataFrame::new(height, columns)
            }
        }
    };
}
with_columns!(table);

/// Splits a frame by the partition of each row; empty partitions are left out.
///
/// # Errors
/// When polars cannot gather the rows.
pub fn partition_frame(frame: &DataFrame, of: &[u32], count: u32) -> PolarsResult<Vec<(u32, DataFrame)>> {
    let mut rows: Vec<Vec<IdxSize>> = vec![Vec::new(); count as usize];
    for (row, &partition) in of.iter().enumerate() {
        rows[partition as usize].push(row as IdxSize);
    }
    let mut parts = Vec::new();
    for (partition, rows) in rows.into_iter().enumerate() {
        if !rows.is_empty() {
            let rows = IdxCa::from_vec(PlSmallStr::EMPTY, rows);
            parts.push((partition as u32, frame.take(&rows)?));
        }
    }
    Ok(parts)
}

/// Stacks batches into one, contiguous in memory. A column that only some of them carry is null in the others.
///
/// # Errors
/// When the batches hold columns of one name with different types.
pub fn stack(batches: Vec<Events>) -> PolarsResult<Events> {
    let (narrow, wide) = batches.into_iter().map(|batch| (batch.narrow, batch.wide)).unzip();
    Ok(Events { narrow: stack_frames(narrow)?, wide: stack_frames(wide)? })
}

/// Every column that a frame can carry.
fn names() -> impl Iterator<Item = &'static str> {
    COLUMNS.iter().map(|column| column.name).chain(COMPACT)
}

fn stack_frames(mut frames: Vec<DataFrame>) -> PolarsResult<DataFrame> {
    frames.retain(|frame| frame.height() > 0);
    let dtype = |name: &str| frames.iter().find_map(|frame| Some(frame.column(name).ok()?.dtype().clone()));
    let carried: Vec<(PlSmallStr, DataType)> = names().filter_map(|name| Some((name.into(), dtype(name)?))).collect();
    let mut all = DataFrame::empty();
    for frame in frames {
        let height = frame.height();
        let column = |(name, dtype): &(PlSmallStr, DataType)| match frame.column(name) {
            Ok(column) => column.clone(),
            Err(_) => Column::full_null(name.clone(), height, dtype),
        };
        all.vstack_mut_owned(DataFrame::new(height, carried.iter().map(column).collect())?)?;
    }
    all.rechunk_mut();
    Ok(all)
}
