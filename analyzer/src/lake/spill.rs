//! Rows that do not fit in memory wait in a temporary folder, one file per partition and write, until their units are
//! folded. The folder goes when the process ends.

use std::fs::File;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use polars::prelude::*;
use polars_io::parquet::read::ParallelStrategy;
use polars_io::prelude::{ParquetCompression, ParquetReader, ParquetWriter};
use tempfile::TempDir;

use crate::frame::Events;
use crate::frame::builder::partition_frame;

/// A temporary store of event rows, by partition.
#[derive(Default)]
pub struct Spill {
    folder: OnceLock<TempDir>,
    writes: AtomicU64,
    rows: AtomicU64,
}

impl Spill {
    /// True when nothing was written.
    pub fn is_empty(&self) -> bool {
        self.writes.load(Ordering::Relaxed) == 0
    }

    /// Rows written so far.
    pub fn rows(&self) -> u64 {
        self.rows.load(Ordering::Relaxed)
    }

    /// Writes the rows of a batch, each to its partition.
    ///
    /// # Errors
    /// When the temporary folder cannot be written.
    pub fn write(&self, events: &Events, partitions: (&[u32], &[u32]), count: u32) -> PolarsResult<()> {
        let number = self.writes.fetch_add(1, Ordering::Relaxed);
        self.rows.fetch_add(events.height() as u64, Ordering::Relaxed);
        for (table, frame, of) in [("narrow", &events.narrow, partitions.0), ("wide", &events.wide, partitions.1)] {
            for (partition, mut part) in partition_frame(frame, of, count)? {
                let file = File::create(self.path(partition, number, table)?)?;
                // Dictionary codes stay valid while the process lives, and no reader but this process ever sees the file.
                let columns = part.columns().iter().map(|column| column.to_physical_repr()).collect();
                part = DataFrame::new(part.height(), columns)?;
                ParquetWriter::new(file)
                    .with_compression(ParquetCompression::Uncompressed)
                    .with_statistics(StatisticsOptions::empty())
                    .set_parallel(false)
                    .finish(&mut part)?;
            }
        }
        Ok(())
    }

    /// Reads back all rows of one partition, table by table.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn read(&self, partition: u32) -> PolarsResult<Vec<Events>> {
        let mut parts = Vec::new();
        for number in 0..self.writes.load(Ordering::Relaxed) {
            let table = |name: &str| -> PolarsResult<DataFrame> {
                let path = self.path(partition, number, name)?;
                if !path.exists() {
                    return Ok(DataFrame::empty());
                }
                ParquetReader::new(File::open(path)?).read_parallel(ParallelStrategy::None).finish()
            };
            parts.push(Events { narrow: table("narrow")?, wide: table("wide")? });
        }
        Ok(parts)
    }

    fn path(&self, partition: u32, number: u64, table: &str) -> PolarsResult<PathBuf> {
        let folder = match self.folder.get() {
            Some(folder) => folder,
            None => {
                let folder = tempfile::Builder::new().prefix("keytrail-").tempdir()?;
                self.folder.get_or_init(|| folder)
            }
        };
        Ok(folder.path().join(format!("{partition:03}-{number:06}-{table}.parquet")))
    }
}
