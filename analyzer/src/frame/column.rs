//! Columns of one batch while rows are appended. A row without a value costs nothing until a later row has one, and a
//! column without any value is left out of the frame: most columns of the control plane stay empty in most batches.

use polars::prelude::*;

use super::dictionary::{Interner, Sym};
use super::row::Text;

/// Stands for null among the codes of a categorical column.
const NULL: Sym = Sym::MAX;

/// How frames hold codes and times.
#[derive(Clone, Copy)]
pub(super) enum Form<'d> {
    /// As polars categories (of this type) and times with a zone.
    Logical(&'d DataType),
    /// As bare numbers: half the work, and what folding reads anyway.
    Bare,
}

/// A text column.
#[derive(Default)]
pub(super) struct StrColumn {
    builder: Option<StringChunkedBuilder>,
    len: usize,
}

impl StrColumn {
    pub(super) fn push(&mut self, value: &Text<'_>, row: usize, _: &mut Interner) {
        if let Some(text) = value {
            self.fill(row).append_value(text);
            self.len += 1;
        }
    }

    /// The builder, with nulls for the rows before `row` that had no value.
    fn fill(&mut self, row: usize) -> &mut StringChunkedBuilder {
        let builder = self.builder.get_or_insert_with(|| StringChunkedBuilder::new(PlSmallStr::EMPTY, 0));
        for _ in self.len..row {
            builder.append_null();
        }
        self.len = row;
        builder
    }

    pub(super) fn finish(&mut self, name: &'static str, height: usize, _: Form<'_>) -> PolarsResult<Option<Series>> {
        if self.builder.is_some() {
            self.fill(height);
        }
        self.len = 0;
        Ok(self.builder.take().map(|builder| builder.finish().with_name(name.into()).into_series()))
    }
}

/// A column of codes.
#[derive(Default)]
pub(super) struct CatColumn {
    codes: Vec<Sym>,
    last: String,
    last_code: Option<Sym>,
}

impl CatColumn {
    pub(super) fn push(&mut self, value: &Text<'_>, row: usize, interner: &mut Interner) {
        let Some(text) = value.as_deref() else { return };
        let code = match self.last_code {
            Some(code) if self.last == text => code,
            _ => {
                let code = interner.sym(text);
                self.last.clear();
                self.last.push_str(text);
                self.last_code = Some(code);
                code
            }
        };
        if self.codes.len() < row {
            self.codes.resize(row, NULL);
        }
        self.codes.push(code);
    }

    pub(super) fn finish(&mut self, name: &'static str, height: usize, form: Form<'_>) -> PolarsResult<Option<Series>> {
        if self.codes.is_empty() {
            return Ok(None);
        }
        self.codes.resize(height, NULL);
        // The vector is kept for the next batch; the frame gets one of just the size.
        let codes = codes(name, self.codes.as_slice().into());
        self.codes.clear();
        Ok(Some(match form {
            Form::Bare => codes.into_series(),
            Form::Logical(categorical) => {
                CategoricalChunked::<Categorical32Type>::from_cats_and_dtype(codes, categorical.clone()).into_series()
            }
        }))
    }
}

/// Codes as a column; the largest number stands for null.
pub(crate) fn codes(name: &'static str, codes: Vec<Sym>) -> UInt32Chunked {
    let null = codes.contains(&NULL);
    let valid = null.then(|| {
        let valid = BooleanChunked::from_iter_values(PlSmallStr::EMPTY, codes.iter().map(|code| *code != NULL));
        valid.downcast_as_array().values().clone()
    });
    UInt32Chunked::from_vec_validity(name.into(), codes, valid)
}

/// A column of booleans or integers.
#[derive(Default)]
pub(super) struct PlainColumn<T>(Vec<Option<T>>);

impl<T: Copy> PlainColumn<T> {
    pub(super) fn push(&mut self, value: &Option<T>, row: usize, _: &mut Interner) {
        self.add(*value, row);
    }

    pub(super) fn add(&mut self, value: Option<T>, row: usize) {
        if value.is_some() {
            if self.0.len() < row {
                self.0.resize(row, None);
            }
            self.0.push(value);
        }
    }

    /// All values, and nothing when there is none; the vector starts over.
    fn take(&mut self, height: usize) -> Option<impl Iterator<Item = Option<T>> + '_> {
        if self.0.is_empty() {
            return None;
        }
        self.0.resize(height, None);
        Some(self.0.drain(..))
    }
}

impl PlainColumn<bool> {
    pub(super) fn finish(&mut self, name: &'static str, height: usize, _: Form<'_>) -> PolarsResult<Option<Series>> {
        Ok(self.take(height).map(|values| BooleanChunked::from_iter_options(name.into(), values).into_series()))
    }
}

impl PlainColumn<i64> {
    pub(super) fn finish(&mut self, name: &'static str, height: usize, _: Form<'_>) -> PolarsResult<Option<Series>> {
        Ok(self.take(height).map(|values| Int64Chunked::from_iter_options(name.into(), values).into_series()))
    }
}

/// A column of times.
#[derive(Default)]
pub(super) struct TimeColumn(PlainColumn<i64>);

impl TimeColumn {
    pub(super) fn push(&mut self, value: &Option<i64>, row: usize, interner: &mut Interner) {
        self.0.push(value, row, interner);
    }

    pub(super) fn finish(&mut self, name: &'static str, height: usize, form: Form<'_>) -> PolarsResult<Option<Series>> {
        let bare = self.0.finish(name, height, form)?;
        match form {
            Form::Bare => Ok(bare),
            Form::Logical(_) => bare.map(|series| times(&series)).transpose(),
        }
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

/// A column of numbers that every row has.
#[derive(Default)]
pub(super) struct U32Column(Vec<u32>);

impl U32Column {
    pub(super) fn last(&self) -> Option<u32> {
        self.0.last().copied()
    }

    pub(super) fn push(&mut self, value: &u32, _: usize, _: &mut Interner) {
        self.0.push(*value);
    }

    pub(super) fn finish(&mut self, name: &'static str, _: usize, _: Form<'_>) -> PolarsResult<Option<Series>> {
        let numbers = UInt32Chunked::from_vec(name.into(), self.0.as_slice().into());
        self.0.clear();
        Ok(Some(numbers.into_series()))
    }
}
