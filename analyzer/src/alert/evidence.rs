//! What a lake proves of alerting: who was told of what and when, and which test messages arrived.

use super::{state, wire};
use crate::lake::{Entry, Lake, LakeError, Store, Wanted};
use crate::report::audit::{Drill, Record, Recorded, Telling, Unfinished};
use crate::report::human;

/// Where drills are.
const DRILLS: &str = "drills/";
/// Where what was told is.
const ALERTS: &str = "alerts/";
/// A file of one incident has some 2 kB, one of a sink that for each incident of a digest.
const MOST_BYTES: u64 = 64 << 20;
/// Beyond it, somebody fills the lake. What is left out is told.
const MOST_FILES: usize = 200_000;

/// Where a drill of this moment is; a second of the same second takes its place.
pub(super) fn drill_path(at: i64) -> String {
    format!("{DRILLS}{}.json", human::rfc3339(at).replace(':', ""))
}

/// Reads it. A lake that nobody was alerted from has none, which is no error.
///
/// # Errors
/// When the lake cannot be read.
pub fn evidence(lake: &Lake) -> Result<Recorded, LakeError> {
    let store = lake.store();
    let place = store.describe();
    let mut recorded = Recorded::default();
    let mut files = Vec::new();
    for folder in [ALERTS, DRILLS] {
        let there = store.list(folder.trim_end_matches('/'))?;
        files.extend(there.into_iter().filter(|entry| entry.path.starts_with(folder) && entry.path.ends_with(".json")));
    }
    let name = |path: &str| format!("{}/{path}", place.trim_end_matches(['/', '\\']));
    for entry in files.iter().skip(MOST_FILES) {
        recorded.damaged.push((name(&entry.path), format!("not read: there are more than {MOST_FILES}")));
    }
    files.truncate(MOST_FILES);
    files.retain(|entry| {
        let is_large = entry.size > MOST_BYTES;
        if is_large {
            recorded.damaged.push((name(&entry.path), format!("not read: larger than {}", human::bytes(MOST_BYTES))));
        }
        !is_large
    });
    each(store, &files, &mut |path, bytes| {
        let record = Record::of(name(path), bytes);
        if let Err(reason) = read(path, bytes, &record, &mut recorded) {
            recorded.damaged.push((record.path, reason));
        }
    })?;
    last_word(&mut recorded.tellings);
    let mut all = Recorded::default();
    all.add(recorded);
    Ok(all)
}

/// Shows every file that is still there, in any order: many at a time where reading one is waiting.
fn each(store: &dyn Store, files: &[Entry], show: &mut dyn FnMut(&str, &[u8])) -> Result<(), LakeError> {
    let wanted =
        files.iter().zip(0u32..).map(|(entry, number)| Wanted { number, path: entry.path.clone(), size: entry.size });
    if let Some(fetching) = store.fetch(wanted.collect()) {
        for (number, content) in fetching {
            if let (Some(bytes), Some(entry)) = (content?, files.get(number as usize)) {
                show(&entry.path, &bytes);
            }
        }
        return Ok(());
    }
    for entry in files {
        if let Some((bytes, _)) = store.get(&entry.path)? {
            show(&entry.path, &bytes);
        }
    }
    Ok(())
}

/// Takes up what one file says.
fn read(path: &str, bytes: &[u8], record: &Record, recorded: &mut Recorded) -> Result<(), String> {
    if path.starts_with(DRILLS) {
        let drill = wire::read_drill(bytes)?;
        recorded.drills.push(Drill { record: record.clone(), ..drill });
    } else if path.starts_with("alerts/sinks/") {
        let ledger = wire::read_ledger(bytes)?;
        let tellings = ledger.told.iter().map(|(incident, told)| telling(incident, &ledger.sink, told, record));
        recorded.tellings.extend(tellings);
    } else {
        let state = wire::read_state(bytes)?;
        match &state.told {
            Some(told) => recorded.tellings.push(telling(&state.incident, &state.sink, told, record)),
            None => recorded.unfinished.push(Unfinished {
                incident: state.incident,
                sink: state.sink,
                record: record.clone(),
            }),
        }
    }
    Ok(())
}

/// An incident may have been told to one sink alone and in bundles: that is one story. What has fewer messages was first.
fn last_word(tellings: &mut Vec<Telling>) {
    tellings.sort_by(|a, b| (&a.incident, &a.sink, a.messages).cmp(&(&b.incident, &b.sink, b.messages)));
    tellings.dedup_by(|later, earlier| {
        let is_same = later.incident == earlier.incident && later.sink == earlier.sink;
        if is_same {
            let (first_at, first_alone) = (earlier.first_at.min(later.first_at), earlier.first_alone);
            *earlier = Telling { first_at, first_alone, ..later.clone() };
        }
        is_same
    });
}

fn telling(incident: &str, sink: &str, told: &state::Told, record: &Record) -> Telling {
    Telling {
        first_at: told.first_at,
        last_at: told.at,
        incident: incident.to_owned(),
        sink: sink.to_owned(),
        status: told.status.id(),
        messages: told.generation,
        first_alone: told.alone,
        alone: told.alone,
        severity: told.severity,
        rules: told.rules.clone(),
        findings: told.findings.clone(),
        subject: told.subject.clone(),
        record: record.clone(),
    }
}
