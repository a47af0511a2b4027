//! What each stage of a scan costs on one thread, as a multiple of inflating the same bytes in the same run.
//!
//! `cargo bench -p keytrail --bench pipeline` measures generated logs at 5 % and 60 % KMS, and then lets divan repeat the
//! stages. `cargo bench -p keytrail --bench pipeline -- DIR...` measures the gzipped logs in folders instead, of any size:
//! for example 2 GB from `keytrail-fixtures`. For figures that another core does not disturb: `taskset -c 0 cargo bench ...`.
#![expect(clippy::disallowed_types, reason = "raw libdeflate is what everything is compared with")]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock and its arguments")]
#![expect(clippy::print_stdout, reason = "the figures are the output")]

use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use divan::Bencher;
use divan::counter::BytesCount;
use keytrail::config::Settings;
use keytrail::decode::{Decoder, Limits, Record, RecordSink, RejectReason};
use keytrail::extract;
use keytrail::frame::{Dictionary, FrameBuilder, Row, Scope};
use keytrail::pipeline::{Progress, ScanOptions, scan};
use keytrail_fixtures::bulk::{self, Bulk};
use libdeflater::Decompressor;
use tempfile::TempDir;

/// Megabytes of JSON that are generated for each share: enough for stable ratios, quick to make.
const GENERATED_MB: u64 = 64;
/// Times each stage runs; the quickest counts.
const RUNS: usize = 3;
/// Rows after which a batch is closed, as in a scan.
const BATCH_ROWS: usize = 1 << 12;

fn main() {
    let folders: Vec<PathBuf> = std::env::args().skip(1).map(PathBuf::from).filter(|path| path.is_dir()).collect();
    if folders.is_empty() {
        for (share, logs) in SHARES.iter().zip([&*LOGS_5, &*LOGS_60]) {
            compare(&format!("{share} % KMS, generated"), &logs.logs);
        }
        divan::main();
    }
    for folder in folders {
        compare(&folder.display().to_string(), &Logs::read(&folder));
    }
}

/// Shares of KMS among the records, percent.
const SHARES: [u64; 2] = [5, 60];

static LOGS_5: LazyLock<Generated> = LazyLock::new(|| Generated::new(SHARES[0]));
static LOGS_60: LazyLock<Generated> = LazyLock::new(|| Generated::new(SHARES[1]));

/// Logs in a folder that goes when the process ends.
struct Generated {
    logs: Logs,
    _folder: TempDir,
}

impl Generated {
    fn new(share: u64) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let settings = bulk::Settings {
            raw_mb: GENERATED_MB,
            files: 48,
            kms_share: share as f64 / 100.0,
            ..bulk::Settings::default()
        };
        Bulk::new(settings).write(folder.path(), 2).expect("logs");
        Self { logs: Logs::read(folder.path()), _folder: folder }
    }
}

/// Compressed logs in memory, so that no stage waits for a disk.
struct Logs {
    folder: PathBuf,
    packed: Vec<Vec<u8>>,
    inflated: u64,
}

impl Logs {
    fn read(folder: &Path) -> Self {
        let mut paths: Vec<PathBuf> = walkdir::WalkDir::new(folder)
            .into_iter()
            .filter_map(Result::ok)
            .filter(|entry| entry.path().extension().is_some_and(|end| end == "gz"))
            .map(walkdir::DirEntry::into_path)
            .collect();
        paths.sort();
        let packed: Vec<Vec<u8>> = paths.iter().map(|path| fs::read(path).expect("a log")).collect();
        let inflated = packed.iter().map(|log| size(log) as u64).sum();
        Self { folder: folder.into(), packed, inflated }
    }

    /// Raw libdeflate: what no reader of these logs can be faster than.
    fn inflate(&self) -> usize {
        let (mut inflater, mut plain) = (Decompressor::new(), Vec::new());
        let mut total = 0;
        for log in &self.packed {
            if plain.len() < size(log) {
                plain.resize(size(log), 0);
            }
            total += inflater.gzip_decompress(log, &mut plain[..size(log)]).expect("sound gzip");
        }
        total
    }

    fn decode<S: RecordSink>(&self, sink: &mut S) -> u64 {
        let mut decoder = Decoder::new(Limits::default());
        let read = |log: &Vec<u8>| decoder.read(&mut log.as_slice(), Some(log.len() as u64), sink).records;
        self.packed.iter().map(read).sum()
    }

    fn extract(&self) -> u64 {
        let mut sink = Extract { keyed: 0 };
        self.decode(&mut sink);
        sink.keyed
    }

    fn frame(&self) -> usize {
        let mut sink = Frame { builder: FrameBuilder::new(Dictionary::default(), Scope::Fold), rows: 0 };
        self.decode(&mut sink);
        sink.close();
        sink.rows
    }

    fn scan(&self) -> usize {
        let settings = Settings::default();
        let options =
            ScanOptions { threads: Some(1), ..ScanOptions::new(vec![self.folder.display().to_string()], settings) };
        scan(&options, &Silent).expect("a report").findings.len()
    }
}

/// Size that a gzip of one member says it inflates to.
fn size(log: &[u8]) -> usize {
    u32::from_le_bytes(*log.last_chunk().expect("a gzip trailer")) as usize
}

struct Silent;

impl Progress for Silent {}

/// Takes records and does nothing with them.
struct Nothing;

impl RecordSink for Nothing {
    fn record(&mut self, record: &Record<'_>) -> Result<(), RejectReason> {
        black_box(record.index);
        Ok(())
    }

    fn stage(&mut self) {}

    fn settle(&mut self, _: bool) {}
}

struct Extract {
    keyed: u64,
}

impl RecordSink for Extract {
    fn record(&mut self, record: &Record<'_>) -> Result<(), RejectReason> {
        let mut row = Row::default();
        extract::fill(&mut row, record, Scope::Fold)?;
        self.keyed += u64::from(black_box(&row).key_arn.is_some());
        Ok(())
    }

    fn stage(&mut self) {}

    fn settle(&mut self, _: bool) {}
}

struct Frame {
    builder: FrameBuilder,
    rows: usize,
}

impl Frame {
    fn close(&mut self) {
        self.rows += black_box(self.builder.finish_bare().expect("frames")).height();
    }
}

impl RecordSink for Frame {
    fn record(&mut self, record: &Record<'_>) -> Result<(), RejectReason> {
        let mut row = Row::default();
        extract::fill(&mut row, record, Scope::Fold)?;
        self.builder.push(&row);
        if self.builder.len() >= BATCH_ROWS {
            self.close();
        }
        Ok(())
    }

    fn stage(&mut self) {}

    fn settle(&mut self, _: bool) {}
}

/// A stage by name.
type Stage<'s> = (&'static str, &'s dyn Fn(&Logs));

/// Times all stages and prints each as a multiple of the first.
fn compare(title: &str, logs: &Logs) {
    println!("{title}: {} files, {} MB inflated", logs.packed.len(), logs.inflated / 1_000_000);
    let stages: [Stage<'_>; 5] = [
        ("inflate", &|logs| _ = black_box(logs.inflate())),
        ("+ decode", &|logs| _ = black_box(logs.decode(&mut Nothing))),
        ("+ extract", &|logs| _ = black_box(logs.extract())),
        ("+ frame", &|logs| _ = black_box(logs.frame())),
        ("whole scan", &|logs| _ = black_box(logs.scan())),
    ];
    // Round by round, so that a neighbour's burst meets all stages alike.
    let mut best = [Duration::MAX; 5];
    for _ in 0..RUNS {
        for ((_, stage), best) in stages.iter().zip(&mut best) {
            let start = Instant::now();
            stage(logs);
            *best = start.elapsed().min(*best);
        }
    }
    for ((name, _), took) in stages.iter().zip(best) {
        let times = took.as_secs_f64() / best[0].as_secs_f64();
        let ms = took.as_secs_f64() * 1000.0;
        println!("  {name:<12} {ms:>9.1} ms  {times:>5.2} times inflate, {:.3} of its speed", 1.0 / times);
    }
}

fn measure(bencher: Bencher<'_, '_>, share: u64, stage: impl Fn(&Logs) -> u64 + Sync) {
    let logs = if share == SHARES[0] { &LOGS_5.logs } else { &LOGS_60.logs };
    bencher.counter(BytesCount::new(logs.inflated)).bench(|| stage(logs));
}

#[divan::bench(args = SHARES, sample_count = 10, sample_size = 1)]
fn a_inflate(bencher: Bencher<'_, '_>, share: u64) {
    measure(bencher, share, |logs| logs.inflate() as u64);
}

#[divan::bench(args = SHARES, sample_count = 10, sample_size = 1)]
fn b_decode(bencher: Bencher<'_, '_>, share: u64) {
    measure(bencher, share, |logs| logs.decode(&mut Nothing));
}

#[divan::bench(args = SHARES, sample_count = 10, sample_size = 1)]
fn c_extract(bencher: Bencher<'_, '_>, share: u64) {
    measure(bencher, share, Logs::extract);
}

#[divan::bench(args = SHARES, sample_count = 10, sample_size = 1)]
fn d_frame(bencher: Bencher<'_, '_>, share: u64) {
    measure(bencher, share, |logs| logs.frame() as u64);
}

#[divan::bench(args = SHARES, sample_count = 10, sample_size = 1)]
fn e_scan(bencher: Bencher<'_, '_>, share: u64) {
    measure(bencher, share, |logs| logs.scan() as u64);
}
