//! The rate model on real count series with labelled anomalies, where they lie beside the repository.
#![expect(clippy::unwrap_used, reason = "a test says by failing that it cannot go on")]

use std::path::Path;

use chrono::NaiveDateTime;
use keytrail::rules::kit::baseline::{Model, judge};

const DAY: i64 = 288;
/// The defaults of the rule, after its warm-up.
const MODEL: Model =
    Model { min_count: 50, factor: 5.0, deviations: 6.0, least_history: 7 * DAY, season_history: 3 * DAY };

fn bucket(text: &str) -> i64 {
    let format = if text.contains('.') { "%Y-%m-%d %H:%M:%S%.f" } else { "%Y-%m-%d %H:%M:%S" };
    NaiveDateTime::parse_from_str(text, format).unwrap().and_utc().timestamp().div_euclid(300)
}

#[test]
fn few_false_alarms_on_real_series() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/rates");
    if !folder.is_dir() {
        eprintln!("skipped: no real data at {}", folder.display());
        return;
    }
    let windows: serde_json::Value =
        serde_json::from_slice(&std::fs::read(folder.join("windows.json")).unwrap()).unwrap();
    let (mut days, mut false_alarms, mut hits, mut labelled) = (0.0, 0, 0, 0);
    for (name, windows) in windows.as_object().unwrap() {
        let text = std::fs::read_to_string(folder.join(name)).unwrap();
        let counts: Vec<(i64, u64)> = text
            .lines()
            .skip(1)
            .map(|line| line.split_once(',').unwrap())
            .map(|(time, value)| (bucket(time), value.parse::<f64>().unwrap().round() as u64))
            .filter(|(_, count)| *count > 0)
            .collect();
        let start = counts[0].0;
        let windows: Vec<(i64, i64)> = windows
            .as_array()
            .unwrap()
            .iter()
            .map(|window| (bucket(window[0].as_str().unwrap()), bucket(window[1].as_str().unwrap())))
            .filter(|window| window.1 - start >= MODEL.least_history)
            .collect();
        // Alarms within a day of each other are one incident.
        let mut incidents: Vec<(i64, i64)> = Vec::new();
        for unusual in judge(&counts, start, &MODEL).unusual {
            match incidents.last_mut() {
                Some(last) if unusual.bucket - last.1 <= DAY => last.1 = unusual.bucket,
                _ => incidents.push((unusual.bucket, unusual.bucket)),
            }
        }
        let inside =
            |incident: &(i64, i64)| windows.iter().any(|window| incident.1 >= window.0 && incident.0 <= window.1);
        let wrong = incidents.iter().filter(|incident| !inside(incident)).count();
        let right = windows
            .iter()
            .filter(|window| incidents.iter().any(|incident| incident.1 >= window.0 && incident.0 <= window.1))
            .count();
        let span = (counts[counts.len() - 1].0 - start) as f64 / DAY as f64;
        eprintln!("{name}: {span:.0} days, {} labelled, {right} found, {wrong} other incidents", windows.len());
        days += span;
        false_alarms += wrong;
        hits += right;
        labelled += windows.len();
    }
    let per_month = false_alarms as f64 / days * 30.0;
    eprintln!("all: {hits} of {labelled} labelled windows found, {per_month:.1} other incidents per series and month");
    assert!(per_month <= 3.0, "{per_month:.1} incidents outside the labelled windows per series and month");
    assert!(hits * 2 >= labelled, "{hits} of {labelled} labelled windows found");
}
