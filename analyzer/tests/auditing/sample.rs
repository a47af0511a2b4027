//! A sample that anybody can draw again.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::{SAMPLE, json, pack, report, rows, texts};

/// `printf %s SEED:EVENT_ID:KEY_ARN | sha256sum`
fn sha256sum(text: &str) -> Option<String> {
    let mut child = Command::new("sha256sum").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()?;
    child.stdin.take()?.write_all(text.as_bytes()).ok()?;
    let out = child.wait_with_output().ok()?;
    Some(String::from_utf8_lossy(&out.stdout).split(' ').next()?.to_string())
}

#[test]
fn whoever_has_the_population_and_the_seed_draws_the_same_sample() {
    let folder = tempfile::tempdir().unwrap();
    let written = |name: &str, seed: &str| {
        let at = folder.path().join(name);
        pack(SAMPLE, &at, &["--sample", "7", "--seed", seed]);
        texts(&at)
    };
    let first = written("first", "auditor: 2026");
    let population = rows(&first["changes.csv"]);
    assert!(population.len() > 20, "{}", population.len());
    let mut again: Vec<(String, &BTreeMap<String, String>)> = Vec::new();
    for row in &population {
        let Some(sum) = sha256sum(&format!("auditor: 2026:{}:{}", row["event_id"], row["key"])) else {
            println!("skipped: sha256sum cannot be run");
            return;
        };
        again.push((sum, row));
    }
    again.sort_by(|a, b| a.0.cmp(&b.0));
    let drawn = rows(&first["sample.csv"]);
    assert_eq!(drawn.len(), 7);
    for ((rank, row), (sum, of)) in (1u32..).zip(&drawn).zip(&again) {
        assert_eq!((&row["rank"], &row["draw_sha256"]), (&rank.to_string(), sum));
        assert!(of.iter().all(|(column, cell)| row[column] == *cell));
        assert!(first["report.html"].contains(&sum[..16]));
    }
    let document: serde_json::Value = serde_json::from_str(&first["report.json"]).unwrap();
    let sample = &document["sample"];
    assert_eq!((&sample["seed"], &sample["asked"]), (&"auditor: 2026".into(), &7.into()));
    assert_eq!(sample["population"], population.len());
    for (call, row) in sample["calls"].as_array().unwrap().iter().zip(&drawn) {
        for column in ["draw_sha256", "event_id", "key", "object", "sha256", "time", "what"] {
            assert_eq!(call[column], row[column].as_str(), "{column}");
        }
    }
    // The same again, and another with another seed.
    assert_eq!(first, written("second", "auditor: 2026"));
    assert_ne!(first["sample.csv"], written("third", "auditor: 2027")["sample.csv"]);
}

#[test]
fn more_than_there_is_gives_all_and_half_a_question_is_refused() {
    let document = json(&[SAMPLE, "--framework", "soc2", "--sample", "99999", "--seed", "<b>=x</b>"]);
    assert_eq!(document["sample"]["calls"].as_array().unwrap().len(), document["changes"]);
    report(&[SAMPLE, "--sample", "3"]).ended(2);
    report(&[SAMPLE, "--seed", "3"]).ended(2);
    report(&[SAMPLE, "--sample", "0", "--seed", "3"]).ended(2);
    let page = report(&[SAMPLE, "--framework", "soc2", "--sample", "1", "--seed", "<b>\u{202e}x</b>"]).ended(0).out;
    let page = String::from_utf8(page).unwrap();
    assert!(page.contains("&lt;b&gt;") && !page.contains('\u{202e}'));
}
