//! What a lake holds, as text that can be compared.

use std::collections::BTreeMap;

use keytrail::frame::Dictionary;
use keytrail::frame::schema::{COLUMNS, Kind, Scope};
use keytrail::lake::{EventsReader, Lake, LakeError, PartKind};
use polars::prelude::*;

/// A frame with codes as text, sorted: what it says, however it says it. The key of a row is all of its values.
fn rows_of(frame: &DataFrame, dictionary: &Dictionary, uris: &[String]) -> Vec<BTreeMap<String, String>> {
    let mut rows: Vec<BTreeMap<String, String>> = vec![BTreeMap::new(); frame.height()];
    for column in frame.columns() {
        let name = column.name().as_str();
        let cat = COLUMNS.iter().any(|known| known.name == name && known.kind == Kind::Cat);
        for (row, value) in column.as_materialized_series().iter().enumerate() {
            let text = match value {
                AnyValue::Null => continue,
                AnyValue::UInt32(code) if cat => format!("{:?}", dictionary.text(code)),
                AnyValue::UInt32(number) if name == "object" => uris[number as usize].clone(),
                AnyValue::String(text) => format!("{text:?}"),
                value => format!("{value}"),
            };
            rows[row].insert(name.to_owned(), text);
        }
    }
    rows.sort();
    rows
}

/// All that readers see, as text: objects with their rows. What is there twice is told twice.
pub(crate) fn content(lake: &Lake) -> Vec<String> {
    try_content(lake).unwrap()
}

pub(crate) fn try_content(lake: &Lake) -> Result<Vec<String>, LakeError> {
    let dictionary = Dictionary::default();
    let mut reader = EventsReader::new(dictionary.clone(), Scope::Full);
    let mut seen = Vec::new();
    for state in &lake.snapshot()?.shards {
        let mut uris = Vec::new();
        let mut number = |uri: &str| {
            uris.push(uri.to_owned());
            uris.len() as u32 - 1
        };
        let mut events = Vec::new();
        for part in state.manifest.of(PartKind::Events) {
            let read = lake.read_events(&mut reader, part, &mut number)?;
            assert_eq!(read.height() as u64, part.rows);
            events.push(read);
        }
        let mut objects = Vec::new();
        for part in state.manifest.of(PartKind::Objects) {
            let rows = lake.read_objects(part)?;
            assert_eq!(rows.len() as u64, part.rows);
            objects.extend(rows);
        }
        lake.read_inbox(state, &mut reader, &mut number, &mut |row, rows| {
            objects.push(row);
            events.push(rows);
        })?;
        seen.extend(objects.iter().map(|row| format!("object {row:?}")));
        for frame in events.iter().flat_map(|events| [&events.narrow, &events.wide]) {
            seen.extend(rows_of(frame, &dictionary, &uris).iter().map(|row| format!("event {row:?}")));
        }
    }
    seen.sort();
    Ok(seen)
}

/// Files of a lake.
pub(crate) fn names(lake: &Lake) -> Vec<String> {
    lake.store().list("").unwrap().into_iter().map(|file| file.path).collect()
}
