//! What reading a lake costs beside reading the logs that it was made of, on one thread.
//!
//! `cargo bench -p keytrail --bench lake` writes generated logs at 5 % and 60 % KMS into a lake, in batches that give
//! hundreds of small parts, reads it back, compacts it and reads it again.
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
#![expect(clippy::print_stdout, reason = "the figures are the output")]

use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use keytrail::decode::{Decoder, Limits, Record, RecordSink, RejectReason};
use keytrail::extract;
use keytrail::frame::{Dictionary, FrameBuilder, Row, Scope};
use keytrail::lake::{Batch, EventsReader, Folder, Lake, ObjectRow, PartKind};
use keytrail::source::Layout;
use keytrail_fixtures::bulk::{self, Bulk};

/// Times each stage runs; the quickest counts.
const RUNS: usize = 5;

fn main() {
    let folders: Vec<PathBuf> = std::env::args().skip(1).map(PathBuf::from).filter(|path| path.is_dir()).collect();
    if folders.is_empty() {
        for (share, files) in [(0.05, 48), (0.6, 48), (0.6, 2000)] {
            let folder = tempfile::tempdir().expect("a temporary folder");
            let settings = bulk::Settings { raw_mb: 96, files, kms_share: share, ..bulk::Settings::default() };
            Bulk::new(settings).write(folder.path(), 2).expect("logs");
            compare(folder.path());
        }
    }
    for folder in folders {
        compare(&folder);
    }
}

struct Sink {
    builder: FrameBuilder,
    scope: Scope,
    object: u32,
}

impl RecordSink for Sink {
    fn record(&mut self, record: &Record<'_>) -> Result<(), RejectReason> {
        let mut row = Row::default();
        extract::fill(&mut row, record, self.scope)?;
        row.object = self.object;
        self.builder.push(&row);
        Ok(())
    }

    fn stage(&mut self) {}

    fn settle(&mut self, _: bool) {}
}

fn logs(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let files = walkdir::WalkDir::new(folder).sort_by_file_name().into_iter().filter_map(Result::ok);
    let files = files.filter(|entry| entry.path().extension().is_some_and(|end| end == "gz"));
    files.map(|file| (file.path().display().to_string(), fs::read(file.path()).expect("a log"))).collect()
}

/// Reads all logs into rows; they go as they come unless they are to be written.
fn decode(logs: &[(String, Vec<u8>)], lake: Option<&Lake>) -> u64 {
    let scope = if lake.is_some() { Scope::Full } else { Scope::Fold };
    let dictionary = Dictionary::default();
    let mut sink = Sink { builder: FrameBuilder::new(dictionary.clone(), scope), scope, object: 0 };
    let mut decoder = Decoder::new(Limits::default());
    let (mut rows, mut batch) = (0, Batch::new(dictionary.clone()));
    for (uri, log) in logs {
        let report = decoder.read(&mut log.as_slice(), Some(log.len() as u64), &mut sink);
        rows += report.kept;
        if let Some(lake) = lake {
            let layout = Layout::of(uri);
            let unit = ObjectRow::unit_of(layout.account.as_deref(), layout.region.as_deref(), layout.date);
            batch.add_object(sink.object, ObjectRow { uri: uri.clone(), report, unit, ..ObjectRow::default() });
            sink.object += 1;
            if sink.builder.len() >= 1 << 15 {
                batch.add_events(sink.builder.finish_bare().expect("frames"));
                std::mem::replace(&mut batch, Batch::new(dictionary.clone())).write(lake).expect("a lake");
            }
        } else if sink.builder.len() >= 1 << 12 {
            black_box(sink.builder.finish_bare().expect("frames"));
        }
    }
    batch.add_events(sink.builder.finish_bare().expect("frames"));
    if let Some(lake) = lake {
        batch.write(lake).expect("a lake");
    }
    rows
}

fn read(lake: &Lake, scope: Scope) -> (u64, u64, u64) {
    let dictionary = Dictionary::default();
    let mut reader = EventsReader::new(dictionary, scope);
    let (mut rows, mut parts, mut bytes) = (0, 0, 0);
    for state in lake.snapshot().expect("a snapshot").shards {
        for part in state.manifest.of(PartKind::Events) {
            let events = lake.read_events(&mut reader, part, &mut |_| 0).expect("a part");
            rows += black_box(events).height() as u64;
            parts += 1;
            bytes += part.bytes;
        }
    }
    (rows, parts, bytes)
}

fn best<T>(mut stage: impl FnMut() -> T) -> (Duration, T) {
    let runs = (0..RUNS).map(|_| {
        let start = Instant::now();
        let result = stage();
        (start.elapsed(), result)
    });
    runs.min_by_key(|(took, _)| *took).expect("a run")
}

fn compare(folder: &Path) {
    let logs = logs(folder);
    let packed: usize = logs.iter().map(|(_, log)| log.len()).sum();
    println!("{} logs, {} MB compressed", logs.len(), packed / 1_000_000);
    let (raw, rows) = best(|| decode(&logs, None));
    println!("  logs to rows    {:>8.1} ms, {rows} rows", raw.as_secs_f64() * 1e3);
    let place = tempfile::tempdir().expect("a temporary folder");
    let lake = Lake::open_or_create(Arc::new(Folder::new(place.path().join("lake")))).expect("a lake");
    let start = Instant::now();
    decode(&logs, Some(&lake));
    println!("  logs to lake    {:>8.1} ms", start.elapsed().as_secs_f64() * 1e3);
    for (name, scope) in [("as written", Scope::Fold), ("as written, all columns", Scope::Full)] {
        told(name, raw, best(|| read(&lake, scope)));
    }
    let start = Instant::now();
    for shard in lake.shards().expect("shards") {
        lake.compact(&shard, 1).expect("a compaction");
    }
    println!("  compaction      {:>8.1} ms", start.elapsed().as_secs_f64() * 1e3);
    for (name, scope) in [("compacted", Scope::Fold), ("compacted, all columns", Scope::Full)] {
        told(name, raw, best(|| read(&lake, scope)));
    }
}

fn told(name: &str, raw: Duration, (took, (rows, parts, bytes)): (Duration, (u64, u64, u64))) {
    println!(
        "  lake to rows    {:>8.1} ms, {:.1} times as fast as the logs: {name}, {parts} parts, {:.0} bytes and {:.0} ns a row, {:.0} us a part",
        took.as_secs_f64() * 1e3,
        raw.as_secs_f64() / took.as_secs_f64(),
        bytes as f64 / rows as f64,
        took.as_secs_f64() * 1e9 / rows as f64,
        took.as_secs_f64() * 1e6 / parts as f64,
    );
}
