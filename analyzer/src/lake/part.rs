//! Event rows into Parquet files. A part holds rows of one unit; an inbox file holds those of one object.

use std::cmp::Ordering;

use polars::prelude::*;

use super::parquet::{Parquet, encode};
use super::partition::Unit;
use super::wire::UnitNote;
use crate::frame::builder::times;
use crate::frame::schema::{COLUMNS, Column, Kind, VERSION, with_columns};
use crate::frame::{Columns, Dictionary, Events};

/// The column that names the object of a row: numbers mean nothing outside a run.
pub(super) const OBJECT_URI: &str = "object_uri";

/// Notes in the footer: version of the column table, rows with few columns, unit of a part.
const SCHEMA: &str = "keytrail.events";
const NARROW: &str = "keytrail.narrow";
const UNIT: &str = "keytrail.unit";

/// What the footer of an events file says.
pub(super) struct Notes {
    /// Rows with few columns: they come first.
    pub(super) narrow: u64,
    /// Unit of all rows, whose Account and Region are no columns then.
    pub(super) unit: Option<Unit>,
}

impl Notes {
    /// Reads them.
    ///
    /// # Errors
    /// When the file is not ours, or newer than this program.
    pub(super) fn read(file: &Parquet) -> PolarsResult<Self> {
        let version = file.note(SCHEMA).and_then(|text| text.parse().ok());
        let version: u32 = version.ok_or_else(|| polars_err!(ComputeError: "no events file of keytrail"))?;
        polars_ensure!(
            version <= VERSION,
            ComputeError: "written by a newer keytrail (events table {version}, this one reads {VERSION}); update keytrail"
        );
        let narrow = file.note(NARROW).and_then(|text| text.parse().ok());
        let narrow = narrow.ok_or_else(|| polars_err!(ComputeError: "the number of narrow rows is missing"))?;
        let unit = match file.note(UNIT) {
            None => None,
            Some(note) => Some(UnitNote::read(note).ok_or_else(|| polars_err!(ComputeError: "the unit is garbled"))?),
        };
        Ok(Self { narrow, unit })
    }
}

/// A row of some frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct At {
    /// Which frame.
    pub(super) frame: u32,
    /// Which of its rows.
    pub(super) row: u32,
}

/// A frame whose rows are written.
pub(super) struct Frame<'f> {
    pub(super) columns: Columns<'f>,
    pub(super) wide: bool,
    pub(super) height: usize,
}

impl<'f> Frame<'f> {
    /// Opens the frames of some batches; empty ones are left out.
    ///
    /// # Errors
    /// When a frame does not have the types of the column table.
    pub(super) fn open(events: &'f [Events]) -> PolarsResult<Vec<Self>> {
        let both = events.iter().flat_map(|events| [(&events.narrow, false), (&events.wide, true)]);
        both.filter(|(frame, _)| frame.height() > 0)
            .map(|(frame, wide)| Ok(Self { columns: Columns::open(frame)?, wide, height: frame.height() }))
            .collect()
    }

    /// True when the rows lack columns that files have: they were made to be folded only.
    pub(super) fn is_reduced(&self) -> bool {
        self.columns.compact.iter().any(|column| column.is_carried())
    }
}

/// Frames whose rows are written.
pub(super) struct Source<'s> {
    pub(super) frames: Vec<Frame<'s>>,
    /// URI of an object by the number that rows give it.
    pub(super) uri: &'s (dyn Fn(u32) -> &'s str + Sync),
    pub(super) dictionary: &'s Dictionary,
}

/// A file of event rows.
pub(super) struct Encoded {
    pub(super) bytes: Vec<u8>,
    /// First and last time among the rows.
    pub(super) span: Option<(i64, i64)>,
    /// Distinct objects.
    pub(super) objects: u64,
    /// First and last name, of a file of objects.
    pub(super) names: Option<(String, String)>,
}

impl Source<'_> {
    /// Rows as a Parquet file: those of a unit, or of one object where `unit` is `None`. Same rows, same bytes, however
    /// they were handed in.
    ///
    /// # Errors
    /// When polars cannot encode them.
    pub(super) fn encode(
        &self,
        mut rows: Vec<At>,
        unit: Option<&Unit>,
        extra: Option<(&'static str, String)>,
    ) -> PolarsResult<Encoded> {
        rows.sort_unstable_by(|a, b| self.order(*a, *b));
        let narrow = rows.partition_point(|at| !self.frames[at.frame as usize].wide);
        let mut notes = vec![(SCHEMA, VERSION.to_string()), (NARROW, narrow.to_string())];
        notes.extend(unit.map(|unit| (UNIT, UnitNote::write(unit))));
        notes.extend(extra);
        let wanted = |name: &str| name != "object" && (unit.is_none() || !matches!(name, "account" | "region"));
        let (narrow, wide) = (self.gather(&rows[..narrow], &wanted)?, self.gather(&rows[narrow..], &wanted)?);
        let mut objects: Vec<&str> = rows.iter().map(|at| self.uri_of(*at)).collect();
        objects.sort_unstable();
        objects.dedup();
        let times = || rows.iter().filter_map(|at| self.frame(*at).event_time.get(at.row as usize));
        let span = times().min().zip(times().max());
        Ok(Encoded { bytes: encode(&[narrow, wide], notes)?, span, objects: objects.len() as u64, names: None })
    }

    fn frame(&self, at: At) -> &Columns<'_> {
        &self.frames[at.frame as usize].columns
    }

    pub(super) fn uri_of(&self, at: At) -> &str {
        (self.uri)(self.frame(at).object.get(at.row as usize))
    }

    fn order(&self, a: At, b: At) -> Ordering {
        let key = |at: At| {
            let Frame { columns, wide, .. } = &self.frames[at.frame as usize];
            let row = at.row as usize;
            (*wide, columns.event_time.get(row), columns.event_id.get(row))
        };
        let rest = |at: At| (self.uri_of(at), self.frame(at).record.get(at.row as usize));
        key(a).cmp(&key(b)).then_with(|| rest(a).cmp(&rest(b)))
    }

    fn texts<'t>(&'t self, name: &'static str, rows: &[At], get: impl Fn(At) -> Option<&'t str>) -> Series {
        let mut builder = StringChunkedBuilder::new(name.into(), rows.len());
        rows.iter().for_each(|at| builder.append_option(get(*at)));
        builder.finish().into_series()
    }
}

/// A column without values.
fn empty(column: &Column, height: usize) -> PolarsResult<Series> {
    let name: PlSmallStr = column.name.into();
    Ok(match column.kind {
        Kind::Str | Kind::Cat => Series::full_null(name, height, &DataType::String),
        Kind::Bool => Series::full_null(name, height, &DataType::Boolean),
        Kind::Int => Series::full_null(name, height, &DataType::Int64),
        Kind::U32 => UInt32Chunked::full(name, 0, height).into_series(),
        Kind::Time => times(&Int64Chunked::full_null(name, height).into_series())?,
    })
}

macro_rules! values {
    (Str $self:ident $name:ident $rows:ident) => {
        $self.texts(stringify!($name), $rows, |at| $self.frame(at).$name.get(at.row as usize))
    };
    (Cat $self:ident $name:ident $rows:ident) => {
        $self.texts(stringify!($name), $rows, |at| {
            $self.frame(at).$name.get(at.row as usize).map(|code| $self.dictionary.text(code))
        })
    };
    (Bool $self:ident $name:ident $rows:ident) => {
        $rows
            .iter()
            .map(|at| $self.frame(*at).$name.get(at.row as usize))
            .collect::<BooleanChunked>()
            .with_name(stringify!($name).into())
            .into_series()
    };
    (Int $self:ident $name:ident $rows:ident) => {
        $rows
            .iter()
            .map(|at| $self.frame(*at).$name.get(at.row as usize))
            .collect::<Int64Chunked>()
            .with_name(stringify!($name).into())
            .into_series()
    };
    (U32 $self:ident $name:ident $rows:ident) => {
        UInt32Chunked::from_vec(
            stringify!($name).into(),
            $rows.iter().map(|at| $self.frame(*at).$name.get(at.row as usize)).collect(),
        )
        .into_series()
    };
    (Time $self:ident $name:ident $rows:ident) => {
        times(&values!(Int $self $name $rows))?
    };
}

macro_rules! gather {
    ($(($scope:ident $name:ident $kind:ident $from:literal $doc:literal))*) => {
        impl Source<'_> {
            /// These rows with every column of the table, codes as text again.
            fn gather(&self, rows: &[At], wanted: &dyn Fn(&str) -> bool) -> PolarsResult<DataFrame> {
                let mut table = COLUMNS.iter();
                let mut columns = vec![self.texts(OBJECT_URI, rows, |at| Some(self.uri_of(at)))];
                $(if let Some(column) = table.next() && wanted(column.name) {
                    let carried = self.frames.iter().any(|frame| frame.columns.$name.is_carried());
                    columns.push(if carried { values!($kind self $name rows) } else { empty(column, rows.len())? });
                })*
                DataFrame::new(rows.len(), columns.into_iter().map(Into::into).collect())
            }
        }
    };
}
with_columns!(gather);
