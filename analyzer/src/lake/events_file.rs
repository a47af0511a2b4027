//! Event rows as one Parquet file for SQL: every column of the table, text as text, the object's URI beside its index.

use std::fs::File;
use std::path::{Path, PathBuf};

use polars::prelude::*;
use polars_io::prelude::{BatchedWriter, KeyValueMetadata, ParquetCompression, ParquetWriter};
use tempfile::NamedTempFile;

use crate::frame::builder::{time_dtype, times};
use crate::frame::schema::{COLUMNS, Kind, VERSION};
use crate::frame::{Dictionary, Events};
use crate::source::Names;

/// Rows of one row group.
const GROUP_ROWS: usize = 1 << 16;

/// A Parquet file in the making: it appears under its name whole, or not at all.
pub struct EventsFile {
    path: PathBuf,
    temporary: NamedTempFile,
    writer: BatchedWriter<File>,
}

impl EventsFile {
    /// Begins a file that will stand at `path`.
    ///
    /// # Errors
    /// When the folder of `path` cannot be written.
    pub fn create(path: &Path) -> PolarsResult<Self> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut builder = tempfile::Builder::new();
        builder.prefix(".keytrail-");
        // As readable as any file that the user writes: the umask decides.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let temporary = builder.tempfile_in(folder)?;
        let metadata = vec![("keytrail.schema".to_string(), format!("events/{VERSION}"))];
        let writer = ParquetWriter::new(temporary.reopen()?)
            .with_compression(ParquetCompression::Zstd(None))
            .with_row_group_size(Some(GROUP_ROWS))
            .with_key_value_metadata(Some(KeyValueMetadata::from_static(metadata)))
            .batched(&schema())?;
        Ok(Self { path: path.into(), temporary, writer })
    }

    /// Appends these rows: of the wide frame where `true`, of the narrow one where `false`.
    ///
    /// # Errors
    /// When polars cannot gather or write them.
    pub fn write(
        &mut self,
        events: &Events,
        rows: &[(bool, u32)],
        names: &Names,
        dictionary: &Dictionary,
    ) -> PolarsResult<()> {
        if rows.is_empty() {
            return Ok(());
        }
        // Narrow rows stand before wide ones in the stacked frame.
        let narrow = events.narrow.height() as IdxSize;
        let order: Vec<IdxSize> =
            rows.iter().map(|&(wide, row)| if wide { narrow + row as IdxSize } else { row as IdxSize }).collect();
        let order = IdxCa::from_vec(PlSmallStr::EMPTY, order);
        let mut stacked = full(&events.narrow, names, dictionary)?;
        stacked.vstack_mut_owned(full(&events.wide, names, dictionary)?)?;
        stacked.rechunk_mut();
        self.writer.write_batch(&stacked.take(&order)?)
    }

    /// Closes the file and puts it in its place.
    ///
    /// # Errors
    /// When the last bytes cannot be written or the file cannot be renamed.
    pub fn finish(self) -> PolarsResult<()> {
        self.writer.finish()?;
        self.temporary.persist(&self.path).map_err(|error| error.error)?;
        Ok(())
    }
}

fn dtype(kind: Kind) -> DataType {
    match kind {
        Kind::Str | Kind::Cat => DataType::String,
        Kind::Bool => DataType::Boolean,
        Kind::Int => DataType::Int64,
        Kind::U32 => DataType::UInt32,
        Kind::Time => time_dtype(),
    }
}

fn schema() -> Schema {
    let object = Field::new("object_uri".into(), DataType::String);
    std::iter::once(object)
        .chain(COLUMNS.iter().map(|column| Field::new(column.name.into(), dtype(column.kind))))
        .collect()
}

/// A frame with every column of the table, codes as text again.
fn full(frame: &DataFrame, names: &Names, dictionary: &Dictionary) -> PolarsResult<DataFrame> {
    let height = frame.height();
    let mut columns = Vec::with_capacity(COLUMNS.len() + 1);
    let uris: StringChunked = match frame.column("object") {
        Ok(column) => uris(column.u32()?, names)?,
        Err(_) => StringChunked::full_null(PlSmallStr::EMPTY, height),
    };
    columns.push(uris.with_name("object_uri".into()).into_column());
    for column in COLUMNS {
        let name: PlSmallStr = column.name.into();
        let found = frame.column(column.name).ok().map(|column| column.as_materialized_series());
        columns.push(match found {
            None if column.kind == Kind::Time => {
                times(&Int64Chunked::full_null(name, height).into_series())?.into_column()
            }
            None => Column::full_null(name, height, &dtype(column.kind)),
            Some(series) if column.kind == Kind::Cat => {
                let codes = series.to_physical_repr();
                let texts: StringChunked =
                    codes.u32()?.iter().map(|code| code.map(|code| dictionary.text(code))).collect();
                texts.with_name(name).into_column()
            }
            Some(series) if column.kind == Kind::Time => times(&series.to_physical_repr())?.into_column(),
            Some(series) => series.clone().into_column(),
        });
    }
    DataFrame::new(height, columns)
}

/// The name of each row's object. Rows of one object stand together mostly.
fn uris(objects: &UInt32Chunked, names: &Names) -> PolarsResult<StringChunked> {
    let mut last: Option<(u32, String)> = None;
    let mut builder = StringChunkedBuilder::new(PlSmallStr::EMPTY, objects.len());
    for object in objects.iter() {
        let Some(object) = object else {
            builder.append_null();
            continue;
        };
        let known = match last.take() {
            Some(known) if known.0 == object => known,
            _ => (object, names.get(object)?),
        };
        builder.append_value(&last.insert(known).1);
    }
    Ok(builder.finish())
}
