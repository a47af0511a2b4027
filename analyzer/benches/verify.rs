//! What verifying costs beside `sha256sum` over the same files on the same cores, in one run.
//!
//! `cargo bench -p keytrail --bench verify` makes a signed trail of `KEYTRAIL_FILES` log files (default 4000) and verifies it
//! offline. A digest states hashes of the inflated content: what has to be done is what `gunzip | sha256sum` does; the time
//! of `sha256sum` over the files as they are stored, a tenth of the bytes, is told too.
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock and its environment")]
#![expect(clippy::print_stdout, reason = "the figures are the output")]

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use keytrail::config::Settings;
use keytrail::integrity::{PublicKeys, Verdict};
use keytrail::pipeline::{Progress, ScanOptions, verify};
use keytrail_fixtures::Time;
use keytrail_fixtures::bulk::{self, Bulk};
use keytrail_fixtures::signed::{Chain, Signer, Store, Trail};

/// Times each way runs; the quickest counts.
const RUNS: usize = 3;

struct Silent;

impl Progress for Silent {}

fn main() {
    let files: usize = std::env::var("KEYTRAIL_FILES").ok().and_then(|count| count.parse().ok()).unwrap_or(4000);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (stored, inflated) = write(folder.path(), files);
    let mut keys = PublicKeys::default();
    keys.add(Signer::list(&[&Signer::first()]).as_bytes()).expect("our own keys");
    let options = ScanOptions::new(vec![folder.path().display().to_string()], Settings::default());
    let ours = quickest(|| {
        let found = verify(&options, Some(&keys), None, &Silent).expect("our own trail").verdicts;
        assert_eq!((found.verdict, found.logs.valid), (Verdict::Valid, files as u64));
    });
    let pipe = quickest(|| shell(folder.path(), "gzip -dc \"$0\" | sha256sum", "1"));
    let plain = quickest(|| shell(folder.path(), "sha256sum \"$0\" \"$@\"", "64"));
    println!("{files} log files, {} MB as stored, {} MB inflated", stored >> 20, inflated >> 20);
    let line = |what: &str, time: Duration| {
        println!("{what:<40} {:>8.3} s  {:>6.2}", time.as_secs_f64(), time.as_secs_f64() / ours.as_secs_f64());
    };
    line("keytrail verify", ours);
    line("gzip -dc | sha256sum, file by file", pipe);
    line("sha256sum of the files as stored", plain);
}

/// Writes a trail of so many log files, forty in an hour; gives its size as stored and inflated.
fn write(root: &Path, files: usize) -> (u64, u64) {
    let bulk = Bulk::new(bulk::Settings { seed: 7, raw_mb: files as u64 / 20 + 1, files, ..bulk::Settings::default() });
    let (mut store, signer) = (Store::default(), Signer::first());
    let start = Time::parse("2026-09-01T00:01:31Z").expect("a time");
    let mut chain = Chain::new(Trail::default(), start, 1);
    let (mut json, mut inflated, mut logs) = (String::new(), 0, Vec::new());
    for index in 0..files {
        bulk.json(index % bulk.len(), &mut json);
        inflated += json.len() as u64;
        logs.push(chain.deliver(&mut store, 1 + (index as i64 % 40), &json));
        if logs.len() == 40 || index + 1 == files {
            chain.digest(&mut store, &signer, &logs);
            logs.clear();
        }
    }
    store.write(root, true).expect("room on disk");
    (store.objects.values().map(|object| object.bytes.len() as u64).sum(), inflated)
}

/// Runs a command on all files with as many processes as there are cores.
fn shell(root: &Path, command: &str, files: &str) {
    let all = format!("find . -name '*.gz' -print0 | xargs -0 -P \"$(nproc)\" -n {files} sh -c '{command}'");
    let status = Command::new("sh").args(["-c", &all]).current_dir(root).stdout(Stdio::null()).status();
    assert!(status.is_ok_and(|status| status.success()), "{all}");
}

fn quickest(mut work: impl FnMut()) -> Duration {
    let times = (0..RUNS).map(|_| {
        let start = Instant::now();
        work();
        start.elapsed()
    });
    times.min().unwrap_or_default()
}
