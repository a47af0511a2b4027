//! `--format parquet`: findings as a Parquet file for Athena, DuckDB and data frames, columns as in [`flat::COLUMNS`].
//! Times are UTC timestamps; facts, details and evidence are JSON text. The file's metadata carries the coverage of the
//! run, so that the file also says what was not looked at.

use polars::prelude::*;
use polars_io::parquet::write::{KeyValueMetadata, ParquetCompression, ParquetWriter};

use super::flat::{self, Cell, Kind};
use super::{Report, ndjson};

/// Metadata key of the coverage line, `keytrail.coverage/1`.
pub const COVERAGE_KEY: &str = "keytrail.coverage";
/// Metadata key of [`flat::VERSION`].
pub const VERSION_KEY: &str = "keytrail.findings.version";

/// The file.
///
/// # Errors
/// When polars refuses to write, which no finding makes it do.
pub fn render(report: &Report) -> PolarsResult<Vec<u8>> {
    let mut bytes = Vec::new();
    let metadata = vec![
        (VERSION_KEY.to_string(), flat::VERSION.to_string()),
        (COVERAGE_KEY.to_string(), ndjson::last_line(report)),
    ];
    ParquetWriter::new(&mut bytes)
        .with_compression(ParquetCompression::Zstd(None))
        .with_key_value_metadata(Some(KeyValueMetadata::from_static(metadata)))
        .finish(&mut frame(report)?)?;
    Ok(bytes)
}

fn frame(report: &Report) -> PolarsResult<DataFrame> {
    let rows: Vec<_> = report.findings.iter().map(|finding| flat::row(finding, &report.run)).collect();
    let mut columns = Vec::with_capacity(flat::COLUMNS.len());
    for (i, column) in flat::COLUMNS.iter().enumerate() {
        let cells = rows.iter().map(|row| &row[i]);
        let name = column.name.into();
        let series = match column.kind {
            Kind::Text => StringChunked::from_iter_options(name, cells.map(Cell::text)).into_series(),
            // A cast would drop the time zone: this build of polars has none but UTC.
            Kind::Time => Int64Chunked::from_iter_options(name, cells.map(Cell::time))
                .into_datetime(TimeUnit::Milliseconds, Some(TimeZone::UTC))
                .into_series(),
            Kind::Count => UInt64Chunked::from_iter_options(name, cells.map(Cell::count)).into_series(),
        };
        columns.push(series.into());
    }
    DataFrame::new(rows.len(), columns)
}

impl Cell {
    fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { text.as_deref() } else { None }
    }

    fn time(&self) -> Option<i64> {
        if let Self::Time(ms) = self { Some(*ms) } else { None }
    }

    fn count(&self) -> Option<u64> {
        if let Self::Count(n) = self { Some(*n) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use polars_io::SerReader;
    use polars_io::parquet::read::ParquetReader;

    use super::*;
    use crate::report::sample;

    #[test]
    fn reads_back() {
        let report = sample::report();
        let bytes = render(&report).unwrap();
        let mut reader = ParquetReader::new(Cursor::new(&bytes));
        let metadata = reader.get_metadata().unwrap().key_value_metadata().clone().unwrap();
        let coverage = metadata.iter().find(|item| item.key == COVERAGE_KEY).unwrap().value.clone().unwrap();
        assert_eq!(coverage, ndjson::last_line(&report));

        let frame = reader.finish().unwrap();
        assert_eq!(frame.height(), report.findings.len());
        let names: Vec<&str> = frame.get_column_names().iter().map(|name| name.as_str()).collect();
        assert_eq!(names, flat::COLUMNS.map(|column| column.name));
        assert_eq!(
            frame.column("first_seen").unwrap().dtype(),
            &DataType::Datetime(TimeUnit::Milliseconds, Some(TimeZone::UTC))
        );
        assert_eq!(frame.column("title").unwrap().str().unwrap().get(0), Some(report.findings[0].title.as_str()));
        assert_eq!(frame.column("count").unwrap().u64().unwrap().get(0), Some(1204));
        assert_eq!(frame.column("key_alias").unwrap().str().unwrap().get(2), None, "no alias is null, not empty");
    }

    #[test]
    fn no_findings_are_a_file_with_every_column() {
        let bytes = render(&sample::empty()).unwrap();
        let frame = ParquetReader::new(Cursor::new(&bytes)).finish().unwrap();
        assert_eq!((frame.height(), frame.width()), (0, flat::COLUMNS.len()));
    }

    #[test]
    fn hostile_text_is_kept_as_it_is() {
        let report = sample::hostile();
        let frame = ParquetReader::new(Cursor::new(render(&report).unwrap())).finish().unwrap();
        assert_eq!(frame.column("title").unwrap().str().unwrap().get(0), Some(report.findings[0].title.as_str()));
    }
}
