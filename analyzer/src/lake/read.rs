//! Event rows out of Parquet files, in the bare form that folding reads: codes of the run's dictionary, times as numbers.

use polars::prelude::*;
use polars_parquet::read::RowGroupMetadata;

use super::parquet::{Parquet, guarded};
use super::part;
use crate::frame::column::codes;
use crate::frame::compact::{COMPACT, guid, stable_hash};
use crate::frame::dictionary::Interner;
use crate::frame::schema::{COLUMNS, Kind, Scope};
use crate::frame::{Dictionary, Events, Sym};

/// Stands for null among codes.
const NULL: Sym = Sym::MAX;

/// Reads files one after the other: one per worker.
pub struct EventsReader {
    interner: Interner,
    scope: Scope,
}

impl EventsReader {
    /// A reader whose plain rows carry the columns of `scope` and below, as those of a
    /// [`FrameBuilder`](crate::frame::FrameBuilder) do.
    pub fn new(dictionary: Dictionary, scope: Scope) -> Self {
        Self { interner: Interner::new(dictionary), scope }
    }

    /// Reads one file. `object` is asked for the number of every object whose rows are in it, more than once perhaps.
    ///
    /// # Errors
    /// When the bytes are no event file of a version that this program reads.
    pub fn read(&mut self, bytes: Vec<u8>, object: &mut dyn FnMut(&str) -> u32) -> PolarsResult<Events> {
        guarded(|| {
            let file = Parquet::open(bytes)?;
            self.file(&file, object)
        })
    }

    pub(super) fn file(&mut self, file: &Parquet, object: &mut dyn FnMut(&str) -> u32) -> PolarsResult<Events> {
        let notes = part::Notes::read(file)?;
        let (mut narrow, mut wide, mut seen) = (Vec::new(), Vec::new(), 0);
        for group in file.groups() {
            if seen < notes.narrow { &mut narrow } else { &mut wide }.push(group);
            let before = seen < notes.narrow;
            seen += group.num_rows() as u64;
            polars_ensure!(!before || seen <= notes.narrow, ComputeError: "rows of both kinds stand in one row group");
        }
        Ok(Events {
            narrow: self.section(file, &notes, &narrow, self.scope, object)?,
            wide: self.section(file, &notes, &wide, Scope::Wide, object)?,
        })
    }

    /// Row groups as one frame.
    fn section(
        &mut self,
        file: &Parquet,
        notes: &part::Notes,
        groups: &[&RowGroupMetadata],
        scope: Scope,
        object: &mut dyn FnMut(&str) -> u32,
    ) -> PolarsResult<DataFrame> {
        let height: usize = groups.iter().map(|group| group.num_rows()).sum();
        if height == 0 {
            return Ok(DataFrame::empty());
        }
        let source = Section { file, groups, height };
        let mut columns: Vec<Option<Series>> = Vec::new();
        let mut compact = None;
        for column in COLUMNS {
            let name = column.name;
            columns.push(match name {
                "object" => Some(source.objects(object)?),
                "account" | "region" if notes.unit.is_some() => {
                    let shard = notes.unit.as_ref().map(|unit| &unit.shard);
                    let value = shard.map(|shard| if name == "account" { &shard.account } else { &shard.region });
                    let code = value.and_then(Option::as_deref).map(|text| self.interner.sym(text));
                    code.map(|code| codes(name, vec![code; height]).into_series())
                }
                "event_id" if scope == Scope::Fold => {
                    let (texts, halves) = source.event_ids()?;
                    compact = Some(halves);
                    texts
                }
                _ if column.scope > scope => None,
                _ => source.column(name, column.kind, &mut self.interner)?,
            });
        }
        if let Some([high, low]) = compact {
            columns.push(whole(COMPACT[0], high));
            columns.push(whole(COMPACT[1], low));
            columns.push(source.context_hashes()?);
        }
        DataFrame::new(height, columns.into_iter().flatten().map(Column::from).collect())
    }
}

fn whole(name: &'static str, values: Vec<Option<i64>>) -> Option<Series> {
    let any = values.iter().any(Option::is_some);
    any.then(|| Int64Chunked::from_iter_options(name.into(), values.into_iter()).into_series())
}

/// Some row groups, of which columns are read.
struct Section<'f> {
    file: &'f Parquet,
    groups: &'f [&'f RowGroupMetadata],
    height: usize,
}

impl Section<'_> {
    fn column(&self, name: &'static str, kind: Kind, interner: &mut Interner) -> PolarsResult<Option<Series>> {
        match kind {
            Kind::Cat => self.cat(name, interner),
            Kind::Str => self.arrays(name, &DataType::String, |group| self.file.strings(group, name)),
            Kind::Bool => self.arrays(name, &DataType::Boolean, |group| self.file.booleans(group, name)),
            Kind::Int | Kind::Time => self.arrays(name, &DataType::Int64, |group| {
                Ok(self.file.numbers::<i64>(group, name)?.map(|numbers| numbers.boxed()))
            }),
            Kind::U32 => {
                let numbers = self.arrays(name, &DataType::UInt32, |group| {
                    Ok(self.file.numbers::<u32>(group, name)?.map(|numbers| numbers.boxed()))
                })?;
                Ok(Some(numbers.unwrap_or_else(|| UInt32Chunked::full(name.into(), 0, self.height).into_series())))
            }
        }
    }

    /// A column as the file holds it; `None` when it has no value.
    fn arrays(
        &self,
        name: &'static str,
        dtype: &DataType,
        read: impl Fn(&RowGroupMetadata) -> PolarsResult<Option<ArrayRef>>,
    ) -> PolarsResult<Option<Series>> {
        let arrays = self.groups.iter().map(|group| read(group)).collect::<PolarsResult<Vec<_>>>()?;
        if arrays.iter().all(Option::is_none) {
            return Ok(None);
        }
        let mut all = Series::new_empty(name.into(), dtype);
        for (array, group) in arrays.into_iter().zip(self.groups) {
            let series = match array {
                Some(array) => Series::try_from((PlSmallStr::from_static(name), array))?,
                None => Series::full_null(name.into(), group.num_rows(), dtype),
            };
            if self.groups.len() == 1 {
                return Ok(Some(series));
            }
            all.append(&series)?;
        }
        Ok(Some(all.rechunk()))
    }

    fn cat(&self, name: &'static str, interner: &mut Interner) -> PolarsResult<Option<Series>> {
        let mut all = Vec::with_capacity(self.height);
        let mut any = false;
        for group in self.groups {
            match self.file.texts(group, name)? {
                Some(texts) => {
                    any = true;
                    texts.map(&mut |text| interner.sym(text), &mut |code| all.push(code.unwrap_or(NULL)))?;
                }
                None => all.resize(all.len() + group.num_rows(), NULL),
            }
        }
        Ok(any.then(|| codes(name, all).into_series()))
    }

    fn objects(&self, object: &mut dyn FnMut(&str) -> u32) -> PolarsResult<Series> {
        let mut all = Vec::with_capacity(self.height);
        for group in self.groups {
            let texts = self.file.texts(group, part::OBJECT_URI)?;
            let texts = texts.ok_or_else(|| polars_err!(ComputeError: "rows without an object"))?;
            texts.map(&mut |uri| object(uri), &mut |number| all.extend(number))?;
        }
        polars_ensure!(all.len() == self.height, ComputeError: "rows without an object");
        Ok(UInt32Chunked::from_vec("object".into(), all).into_series())
    }

    /// Event ids: both halves of those that are GUIDs, and the text of all others.
    #[expect(clippy::type_complexity, reason = "three columns that are read in one go")]
    fn event_ids(&self) -> PolarsResult<(Option<Series>, [Vec<Option<i64>>; 2])> {
        let (mut high, mut low) = (Vec::with_capacity(self.height), Vec::with_capacity(self.height));
        let mut others: Option<StringChunkedBuilder> = None;
        for group in self.groups {
            let Some(texts) = self.file.texts(group, "event_id")? else {
                high.resize(high.len() + group.num_rows(), None);
                low.resize(low.len() + group.num_rows(), None);
                if let Some(others) = &mut others {
                    (0..group.num_rows()).for_each(|_| others.append_null());
                }
                continue;
            };
            texts.each(&mut |text| {
                let halves = text.and_then(|text| guid(text.as_bytes())).map(u128::from_be_bytes);
                if halves.is_none() && text.is_some() && others.is_none() {
                    let mut builder = StringChunkedBuilder::new("event_id".into(), self.height);
                    (0..high.len()).for_each(|_| builder.append_null());
                    others = Some(builder);
                }
                if let Some(others) = &mut others {
                    others.append_option(text.filter(|_| halves.is_none()));
                }
                high.push(halves.map(|value| ((value >> 64) as u64).cast_signed()));
                low.push(halves.map(|value| (value as u64).cast_signed()));
            })?;
        }
        Ok((others.map(|builder| builder.finish().into_series()), [high, low]))
    }

    fn context_hashes(&self) -> PolarsResult<Option<Series>> {
        let mut all = Vec::with_capacity(self.height);
        for group in self.groups {
            match self.file.texts(group, "encryption_context")? {
                Some(texts) => {
                    texts.map(&mut |text| stable_hash(text).cast_signed(), &mut |hash| all.push(hash))?;
                }
                None => all.resize(all.len() + group.num_rows(), None),
            }
        }
        Ok(whole(COMPACT[2], all))
    }
}
