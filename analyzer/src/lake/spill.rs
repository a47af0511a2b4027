//! Rows that do not fit in memory wait in a temporary folder, one file per partition, until their units are folded. The
//! folder goes when the process ends.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use polars::prelude::*;
use tempfile::TempDir;

use super::codec;
use crate::frame::{Columns, Events};

/// A temporary store of event rows, by partition.
#[derive(Default)]
pub struct Spill {
    folder: OnceLock<TempDir>,
    rows: AtomicU64,
    /// Held while rows are appended: those of one batch stay together.
    writing: Mutex<()>,
}

/// Rows of a batch by partition, of the narrow and of the wide frame.
pub type ByPartition = (Vec<Vec<u32>>, Vec<Vec<u32>>);

impl Spill {
    /// True when nothing was written.
    pub fn is_empty(&self) -> bool {
        self.rows() == 0
    }

    /// Rows written so far.
    pub fn rows(&self) -> u64 {
        self.rows.load(Ordering::Relaxed)
    }

    /// Writes the rows of some batches, each to its partition.
    ///
    /// # Errors
    /// When the temporary folder cannot be written.
    pub fn write(&self, batches: &[(Events, ByPartition)], count: u32) -> PolarsResult<()> {
        let opened: Vec<(Columns<'_>, Columns<'_>, &ByPartition)> = batches
            .iter()
            .map(|(events, rows)| Ok((Columns::open(&events.narrow)?, Columns::open(&events.wide)?, rows)))
            .collect::<PolarsResult<_>>()?;
        let mut bytes = Vec::new();
        for partition in 0..count {
            let at = partition as usize;
            let narrow: Vec<_> = opened.iter().map(|(columns, _, rows)| (columns, &rows.0[at][..])).collect();
            let wide: Vec<_> = opened.iter().map(|(_, columns, rows)| (columns, &rows.1[at][..])).collect();
            bytes.clear();
            if narrow.iter().chain(&wide).any(|(_, rows)| !rows.is_empty()) {
                codec::encode(&narrow, &mut bytes);
                codec::encode(&wide, &mut bytes);
            }
            if !bytes.is_empty() {
                let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
                OpenOptions::new().create(true).append(true).open(self.path(partition)?)?.write_all(&bytes)?;
            }
        }
        let rows: usize = batches.iter().map(|(events, _)| events.height()).sum();
        self.rows.fetch_add(rows as u64, Ordering::Relaxed);
        Ok(())
    }

    /// Reads back all rows of one partition, batch by batch.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn read(&self, partition: u32) -> PolarsResult<Vec<Events>> {
        let mut batches = Vec::new();
        let path = self.path(partition)?;
        if !path.exists() {
            return Ok(batches);
        }
        let mut source = BufReader::with_capacity(1 << 16, File::open(path)?);
        while !source.fill_buf()?.is_empty() {
            batches.push(Events { narrow: codec::decode(&mut source)?, wide: codec::decode(&mut source)? });
        }
        Ok(batches)
    }

    fn path(&self, partition: u32) -> PolarsResult<PathBuf> {
        let folder = match self.folder.get() {
            Some(folder) => folder,
            None => {
                let folder = tempfile::Builder::new().prefix("keytrail-").tempdir()?;
                self.folder.get_or_init(|| folder)
            }
        };
        Ok(folder.path().join(format!("{partition:03}")))
    }
}
