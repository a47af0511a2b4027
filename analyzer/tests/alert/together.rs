//! Several processes tell at the same time: one of them does.

use std::collections::BTreeMap;
use std::sync::{Arc, Barrier};
use std::time::Duration;

use keytrail::lake::{Folder, Lake};
use keytrail::pipeline::{Notified, notify};

use super::make::{DAY, HOUR, START, Stage, at, outage, report, rotation};
use super::server::Answer;

/// Everybody at once, each with a view of the lake of its own.
fn race(stage: &Stage, runners: usize, findings: &[keytrail::finding::Finding], now: i64) -> Vec<Notified> {
    let barrier = Arc::new(Barrier::new(runners));
    let threads: Vec<_> = (0..runners)
        .map(|_| {
            let (settings, findings) = (stage.settings.clone(), findings.to_vec());
            let (folder, barrier) = (stage.folder.path().to_owned(), Arc::clone(&barrier));
            std::thread::spawn(move || {
                let lake = Lake::open(Arc::new(Folder::new(&folder))).unwrap();
                barrier.wait();
                notify(&report(findings), &settings, Some(&lake), at(now))
            })
        })
        .collect();
    threads.into_iter().map(|thread| thread.join().unwrap()).collect()
}

#[test]
fn an_incident_is_told_by_one_of_them() {
    let stage = Stage::begun();
    // Slow enough that all of them meet at the lease.
    stage.server.answer(|_| Answer::after(Duration::from_millis(150)));
    let findings: Vec<_> = (0..6).map(|i| outage(&format!("alias/k{i}"), 1)).collect();
    let all = race(&stage, 4, &findings, START + HOUR);
    let mut per_incident: BTreeMap<String, u32> = BTreeMap::new();
    for received in stage.server.take() {
        *per_incident.entry(received.json()["incident"].to_string()).or_default() += 1;
    }
    assert_eq!(per_incident.len(), 6);
    assert!(per_incident.values().all(|count| *count == 1), "{per_incident:?}");
    assert_eq!(all.iter().map(|notified| notified.sent).sum::<u64>(), 6, "{all:?}");
    assert!(all.iter().all(|notified| notified.failed.is_empty()), "{all:?}");
    assert_eq!(stage.tell(findings, START + 2 * HOUR), Notified::default());
}

#[test]
fn a_digest_and_a_summary_are_sent_by_one_of_them() {
    let stage = Stage::begun();
    stage.server.answer(|_| Answer::after(Duration::from_millis(150)));
    let findings: Vec<_> = (0..5).map(|i| rotation(&format!("alias/k{i}"))).collect();
    race(&stage, 4, &findings, START + 2 * DAY);
    assert_eq!(stage.server.said(), [("digest".to_owned(), "[MEDIUM] digest: 5 new".to_owned())]);

    std::fs::remove_dir_all(stage.folder.path().join("alerts")).unwrap();
    let all = race(&stage, 4, &findings, START + 3 * DAY);
    let said = stage.server.said();
    assert_eq!((said.len(), said[0].0.as_str()), (1, "summary"), "{said:?} {all:?}");
    assert_eq!(stage.tell(findings, START + 5 * DAY), Notified::default());
}
