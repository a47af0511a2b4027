//! The order in which records come, how they are split into files, how often they are delivered, how many threads read
//! them and how little memory there is: none of it changes what is found.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::collections::BTreeSet;
use std::fs;
use std::ops::Range;
use std::path::Path;

use keytrail::finding::Finding;
use keytrail::pipeline::{Progress, ScanOptions, scan};
use keytrail_fixtures::{Rng, story};

const AMPLE: u64 = 1 << 30;

struct Silent;

impl Progress for Silent {}

/// The records of the sample, each once, as JSON.
fn records() -> Vec<String> {
    let records: BTreeSet<String> = story::files().into_iter().flat_map(|file| file.records).collect();
    records.into_iter().collect()
}

fn write(folder: &Path, name: &str, records: &[&str]) {
    fs::write(folder.join(name), format!("{{\"Records\":[{}]}}", records.join(","))).unwrap();
}

fn findings(folder: &Path, threads: usize, memory: u64) -> Vec<String> {
    let options = ScanOptions {
        memory,
        threads: Some(threads),
        ..ScanOptions::new(vec![folder.to_string_lossy().into_owned()], keytrail::config::Settings::default())
    };
    let report = scan(&options, &Silent).unwrap();
    report.findings.iter().map(essence).collect()
}

/// A finding without the places of its evidence, which do depend on the files.
fn essence(finding: &Finding) -> String {
    let mut finding = finding.clone();
    for evidence in &mut finding.evidence {
        evidence.object.clear();
        evidence.record = 0;
    }
    format!("{finding:#?}")
}

/// The sample in one file and in order: what every other run is held against.
fn expected(records: &[String]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let all: Vec<&str> = records.iter().map(String::as_str).collect();
    write(folder.path(), "all.json", &all);
    let expected = findings(folder.path(), 1, AMPLE);
    assert!(expected.len() >= 8, "the sample shows at least the eight troubles that are told in it");
    expected
}

/// The records in any order, some of them twice, in any number of files.
fn scatter(records: &[String], seed: u64, folder: &Path) {
    let mut rng = Rng::new(seed);
    let mut mixed: Vec<&str> = records.iter().map(String::as_str).collect();
    for _ in 0..rng.below(200) {
        mixed.push(&records[rng.index(records.len())]);
    }
    for at in (1..mixed.len()).rev() {
        mixed.swap(at, rng.index(at + 1));
    }
    // From a few large files to hundreds of small ones.
    let most = mixed.len() >> rng.below(9);
    let mut rest = mixed.as_slice();
    for number in 0.. {
        let (file, left) = rest.split_at((1 + rng.index(most)).min(rest.len()));
        write(folder, &format!("{:016x}-{number}.json", rng.next_u64()), file);
        rest = left;
        if rest.is_empty() {
            break;
        }
    }
}

fn holds(seeds: Range<u64>, memory: u64) {
    let records = records();
    let expected = expected(&records);
    for seed in seeds {
        let folder = tempfile::tempdir().unwrap();
        scatter(&records, seed, folder.path());
        let threads = 1 + seed as usize % 2;
        let found = findings(folder.path(), threads, memory);
        for (found, expected) in found.iter().zip(&expected) {
            assert_eq!(found, expected, "seed {seed}, {threads} threads, {memory} bytes");
        }
        assert_eq!(found.len(), expected.len(), "seed {seed}, {threads} threads, {memory} bytes");
    }
}

#[test]
fn findings_do_not_depend_on_order_files_copies_or_threads() {
    holds(0..12, AMPLE);
}

#[test]
fn findings_do_not_depend_on_memory() {
    // Everything goes to disk and comes back.
    holds(12..20, 1024);
}
