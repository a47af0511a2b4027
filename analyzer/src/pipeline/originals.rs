//! Records as CloudTrail wrote them, fetched again from their objects.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::sources::{Sources, filter};
use super::{Progress, ScanError, ScanOptions};
use crate::decode::{Decoder, Limits, Record, RecordSink, RejectReason};
use crate::source::Names;

/// Records of one object, by their place in it.
pub type Originals = BTreeMap<u32, String>;

/// What came of fetching records again.
#[derive(Clone, Debug, Default)]
pub struct Fetched {
    /// Records by object.
    pub records: BTreeMap<String, Originals>,
    /// Objects that could not be read, and why.
    pub missing: BTreeMap<String, String>,
}

/// Fetches these records, object by object; an object that is not there any more ends nothing.
///
/// # Errors
/// None of the input's making: what cannot be read is told in the answer.
pub fn originals(options: &ScanOptions, wanted: &BTreeMap<String, BTreeSet<u32>>) -> Fetched {
    let mut fetched = Fetched::default();
    for (object, places) in wanted {
        let mut found = Originals::new();
        match of_object(options, object, places, &mut found) {
            Ok(()) if found.is_empty() => {
                fetched.missing.insert(object.clone(), "it has no such record any more".into());
            }
            Ok(()) => {}
            Err(reason) => {
                fetched.missing.insert(object.clone(), reason);
            }
        }
        fetched.records.insert(object.clone(), found);
    }
    fetched
}

fn of_object(options: &ScanOptions, object: &str, places: &BTreeSet<u32>, found: &mut Originals) -> Result<(), String> {
    let said = |error: ScanError| error.to_string();
    if object == "-" {
        return Err("standard input is read once".into());
    }
    let options = ScanOptions { sources: vec![object.to_string()], ..options.clone() };
    let mut sources =
        Sources::open(&options, &filter(&ScanOptions { regions: Vec::new(), ..options.clone() })).map_err(said)?;
    if !sources.lakes.is_empty() {
        return Err("a lake stands there now".into());
    }
    let names = Arc::new(Names::default());
    let mut decoder = Decoder::new(Limits { max_inflated: options.max_inflated, ..Limits::default() });
    // A name is a prefix in a bucket and may be a pattern in a folder: only the object of exactly this name is meant.
    let name = object.to_string();
    for item in sources.feed(&names, &Silent, move |found| found.uri == name) {
        let mut item = item.map_err(said)?;
        let size = item.object.size;
        let mut reader = item.open().map_err(|(reason, detail)| format!("{} {detail}", reason.meaning()))?;
        let mut sink = Picked { places, found, from: None };
        let report = decoder.read(&mut *reader, size, &mut sink);
        if let Some(skip) = report.skip {
            return Err(skip.meaning().to_string());
        }
    }
    Ok(())
}

/// A few objects need no progress bar.
struct Silent;

impl Progress for Silent {}

/// Keeps the records at some places.
struct Picked<'p> {
    places: &'p BTreeSet<u32>,
    found: &'p mut Originals,
    /// Records from here on are provisional.
    from: Option<u32>,
}

impl RecordSink for Picked<'_> {
    fn record(&mut self, record: &Record<'_>) -> Result<(), RejectReason> {
        if self.places.contains(&record.index) {
            self.found.insert(record.index, String::from_utf8_lossy(record.raw).into_owned());
        }
        Ok(())
    }

    fn stage(&mut self) {
        self.from = Some(self.found.last_key_value().map_or(0, |(last, _)| last + 1));
    }

    fn settle(&mut self, keep: bool) {
        if let Some(from) = self.from.take().filter(|_| !keep) {
            self.found.retain(|&place, _| place < from);
        }
    }
}
