//! Rows into polars frames.

use polars::prelude::*;

use super::dictionary::{Dictionary, Interner, Sym};
use super::row::Row;
use super::schema::{Scope, with_columns};

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

    /// Closes the batch; the builder starts over.
    pub fn finish(&mut self) -> PolarsResult<Events> {
        let dtype = self.interner.dictionary().dtype().clone();
        Ok(Events { narrow: self.narrow.finish(&dtype)?, wide: self.wide.finish(&dtype)? })
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
            $($name: column!($kind),)*
        }

        impl Table {
            fn new(scope: Scope) -> Self {
                Self { scope, len: 0, $($name: Default::default(),)* }
            }

            fn push(&mut self, row: &Row<'_>, interner: &mut Interner) {
                $(if Scope::$scope <= self.scope {
                    self.$name.push(&row.$name, interner);
                })*
                self.len += 1;
            }

            fn finish(&mut self, categorical: &DataType) -> PolarsResult<DataFrame> {
                let mut columns: Vec<polars::prelude::Column> = Vec::new();
                $(if Scope::$scope <= self.scope {
                    columns.push(self.$name.finish(stringify!($name), categorical)?.into());
                })*
                let height = std::mem::take(&mut self.len);
                DataFrame::new(height, columns)
            }
        }
    };
}
with_columns!(table);

#[derive(Default)]
struct StrColumn(Option<StringChunkedBuilder>);

impl StrColumn {
    fn push(&mut self, value: &super::row::Text<'_>, _: &mut Interner) {
        self.0.get_or_insert_with(|| StringChunkedBuilder::new(PlSmallStr::EMPTY, 0)).append_option(value.as_deref());
    }

    fn finish(&mut self, name: &'static str, _: &DataType) -> PolarsResult<Series> {
        let builder = self.0.take().unwrap_or_else(|| StringChunkedBuilder::new(PlSmallStr::EMPTY, 0));
        Ok(builder.finish().with_name(name.into()).into_series())
    }
}

#[derive(Default)]
struct CatColumn {
    codes: Vec<Option<Sym>>,
    last: String,
    last_code: Option<Sym>,
}

impl CatColumn {
    fn push(&mut self, value: &super::row::Text<'_>, interner: &mut Interner) {
        let code = value.as_deref().map(|text| match self.last_code {
            Some(code) if self.last == text => code,
            _ => {
                let code = interner.sym(text);
                self.last.clear();
                self.last.push_str(text);
                self.last_code = Some(code);
                code
            }
        });
        self.codes.push(code);
    }

    fn finish(&mut self, name: &'static str, categorical: &DataType) -> PolarsResult<Series> {
        let codes = UInt32Chunked::from_iter_options(name.into(), std::mem::take(&mut self.codes).into_iter());
        Ok(CategoricalChunked::<Categorical32Type>::from_cats_and_dtype(codes, categorical.clone()).into_series())
    }
}

#[derive(Default)]
struct PlainColumn<T>(Vec<Option<T>>);

impl PlainColumn<bool> {
    fn push(&mut self, value: &Option<bool>, _: &mut Interner) {
        self.0.push(*value);
    }

    fn finish(&mut self, name: &'static str, _: &DataType) -> PolarsResult<Series> {
        Ok(BooleanChunked::from_iter_options(name.into(), std::mem::take(&mut self.0).into_iter()).into_series())
    }
}

impl PlainColumn<i64> {
    fn push(&mut self, value: &Option<i64>, _: &mut Interner) {
        self.0.push(*value);
    }

    fn finish(&mut self, name: &'static str, _: &DataType) -> PolarsResult<Series> {
        Ok(Int64Chunked::from_iter_options(name.into(), std::mem::take(&mut self.0).into_iter()).into_series())
    }
}

#[derive(Default)]
struct TimeColumn(PlainColumn<i64>);

impl TimeColumn {
    fn push(&mut self, value: &Option<i64>, interner: &mut Interner) {
        self.0.push(value, interner);
    }

    fn finish(&mut self, name: &'static str, categorical: &DataType) -> PolarsResult<Series> {
        times(&self.0.finish(name, categorical)?)
    }
}

/// Milliseconds as a time column. Not by a cast: polars casts a column of nulls to a time without a zone.
///
/// # Errors
/// When the series holds no integers.
pub fn times(millis: &Series) -> PolarsResult<Series> {
    let zone = Some(TimeZone::UTC);
    Ok(millis.i64()?.clone().into_datetime(TimeUnit::Milliseconds, zone).into_series())
}

/// polars type of time columns.
pub fn time_dtype() -> DataType {
    DataType::Datetime(TimeUnit::Milliseconds, Some(TimeZone::UTC))
}

#[derive(Default)]
struct U32Column(Vec<u32>);

impl U32Column {
    fn last(&self) -> Option<u32> {
        self.0.last().copied()
    }

    fn push(&mut self, value: &u32, _: &mut Interner) {
        self.0.push(*value);
    }

    fn finish(&mut self, name: &'static str, _: &DataType) -> PolarsResult<Series> {
        Ok(UInt32Chunked::from_vec(name.into(), std::mem::take(&mut self.0)).into_series())
    }
}

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

/// Stacks batches into one, contiguous in memory.
///
/// # Errors
/// When the batches differ in their columns.
pub fn stack(batches: Vec<Events>) -> PolarsResult<Events> {
    let mut all = Events { narrow: DataFrame::empty(), wide: DataFrame::empty() };
    for batch in batches {
        for (to, from) in [(&mut all.narrow, batch.narrow), (&mut all.wide, batch.wide)] {
            if from.height() > 0 {
                to.vstack_mut_owned(from)?;
            }
        }
    }
    all.narrow.rechunk_mut();
    all.wide.rechunk_mut();
    Ok(all)
}
