//! A year in the life of some seventy keys and a key store: what each rule must find in it, and nothing else, however the logs come.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod lives;
#[allow(dead_code, reason = "shared with tests that need more of it")]
#[path = "../support/run.rs"]
mod run;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use lives::Life;
use run::{ingest, scan};
use serde_json::{Value, json};

const END: &str = "2026-12-31T00:00:00Z";

/// Key and rule.
type Said = BTreeSet<(String, String)>;

fn expected(lives: &[Life]) -> Said {
    let of = |life: &Life| -> Vec<(String, String)> {
        life.expected.iter().map(|rule| (life.arn.clone(), (*rule).to_string())).collect()
    };
    lives.iter().flat_map(of).collect()
}

/// What is said of keys and key stores above `info`.
fn said(document: &Value) -> Said {
    let findings = document["findings"].as_array().unwrap().iter();
    let about = |finding: &Value| -> Option<String> {
        let about = finding["key"]["arn"].as_str().or_else(|| finding["details"]["store"].as_str())?;
        Some(about.to_string())
    };
    let told = findings.filter(|finding| finding["severity"] != "info");
    told.filter_map(|finding| Some((about(finding)?, finding["rule"].as_str().unwrap().into()))).collect()
}

/// Writes records as files of so many, in an order that the seed decides; every `again`-th file twice.
fn write(folder: &Path, records: &[Value], size: usize, seed: u64, again: usize) {
    let mut order: Vec<usize> = (0..records.len()).collect();
    let mut state = seed | 1;
    for at in (1..order.len()).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        if seed != 0 {
            order.swap(at, (state >> 33) as usize % (at + 1));
        }
    }
    std::fs::create_dir_all(folder).unwrap();
    for (number, chunk) in order.chunks(size).enumerate() {
        let records: Vec<&Value> = chunk.iter().map(|&at| &records[at]).collect();
        let text = json!({ "Records": records }).to_string();
        std::fs::write(folder.join(format!("{number:05}.json")), &text).unwrap();
        if again > 0 && number % again == 0 {
            std::fs::write(folder.join(format!("{number:05}-again.json")), &text).unwrap();
        }
    }
}

#[test]
fn every_rule_finds_what_it_must_and_nothing_else() {
    let lives = lives::all();
    assert_eq!(lives.len(), 76);
    let mut records: Vec<(i64, Value)> = lives
        .iter()
        .flat_map(|life| life.records.iter().map(|record| (record.time().epoch(), record.value())))
        .collect();
    records.sort_by_key(|(time, _)| *time);
    let half = records.partition_point(|(time, _)| *time < lives::day(182).epoch());
    let values: Vec<Value> = records.into_iter().map(|(_, value)| value).collect();
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("keytrail.toml");
    std::fs::write(&config, "[keys]\nregions = [\"eu-west-1\", \"us-east-1\"]\n").unwrap();
    let settled = ["--as-of", END, "--config", config.to_str().unwrap()];

    let plain = folder.path().join("plain");
    write(&plain, &values, 500, 0, 0);
    let document = scan(&[&plain], &settled).ended(0).json();
    let (mut must, found) = (expected(&lives), said(&document));
    must.insert(("cks-1234567890abcdef0".into(), "key-store-changed".into()));
    let kinds: BTreeMap<&str, &str> = lives.iter().map(|life| (life.arn.as_str(), life.kind)).collect();
    let mut rules: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    for (at, set) in [(0, &must), (1, &found)] {
        for (_, rule) in set {
            rules.entry(rule).or_default()[at] += 1;
        }
    }
    for (_, rule) in must.intersection(&found) {
        rules.entry(rule).or_default()[2] += 1;
    }
    for (rule, [must, found, both]) in &rules {
        let ratio = |of: usize| if of == 0 { 1.0 } else { *both as f64 / of as f64 };
        println!("{rule:<26} keys {must:>2}  precision {:.2}  recall {:.2}", ratio(*found), ratio(*must));
    }
    let name = |(arn, rule): &(String, String)| format!("{}: {rule}", kinds.get(arn.as_str()).unwrap_or(&"?"));
    let missed: Vec<String> = must.difference(&found).map(name).collect();
    let wrong: Vec<String> = found.difference(&must).map(name).collect();
    assert!(missed.is_empty() && wrong.is_empty(), "missed: {missed:?}\nwrong: {wrong:?}");

    // However the files come: shuffled, split, delivered twice.
    let findings = |document: &Value| -> Vec<Value> {
        let ids = document["findings"].as_array().unwrap().iter();
        ids.map(|finding| {
            json!([finding["id"], finding["severity"], finding["status"], finding["title"], finding["count"]])
        })
        .collect()
    };
    for (seed, size, again) in [(7, 37, 5), (11, 2_000, 1)] {
        let mixed = folder.path().join(format!("mixed-{seed}"));
        write(&mixed, &values, size, seed, again);
        assert_eq!(findings(&document), findings(&scan(&[&mixed], &settled).ended(0).json()), "{seed}");
    }
    // And when the first half of the year is read after the second.
    let (first, second, lake) = (folder.path().join("first"), folder.path().join("second"), folder.path().join("lake"));
    write(&first, &values[..half], 500, 0, 0);
    write(&second, &values[half..], 500, 0, 0);
    ingest(&[&second], &lake, &[]).ended(0);
    ingest(&[&first], &lake, &[]).ended(0);
    assert_eq!(findings(&document), findings(&scan(&[&lake], &settled).ended(0).json()));
}
