//! A batch of named objects into a lake, as parts. This is how a backfill is done: many processes bring a batch each, at the
//! same time, and each batch that comes again changes nothing.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::deliver::{Fate, Outcome, Receiver, outcome};
use super::fill::{Gather, Planner, Told, unit_of};
use super::ingest::{Done, Keep, Shared, ingest};
use super::{Progress, ScanError};
use crate::frame::{Dictionary, Events, Scope};
use crate::lake::{ObjectRow, Standing};
use crate::source::{Fetched, Names, Object};
use crate::view::Across;

impl Receiver {
    /// Reads what the lake does not have yet and writes it as parts: one of each kind for a day, an account and a Region,
    /// where an inbox would have one file for each object. Runs no rules and merges nothing: the next evaluation does.
    /// By URI; each object counts once, however often it is named.
    ///
    /// # Errors
    /// When there is no lake, or it cannot be read or written. What was written by then stays. An object that cannot be read
    /// is an outcome, and the lake remembers it.
    pub fn bring(&self, objects: Vec<Object>, progress: &dyn Progress) -> Result<BTreeMap<String, Outcome>, ScanError> {
        let lake =
            self.lake.as_ref().ok_or_else(|| ScanError::Usage("there is no lake to bring objects into".into()))?;
        let objects: BTreeMap<String, Object> =
            objects.into_iter().map(|object| (object.uri.clone(), object)).collect();
        let mut planner = Planner::new(lake.clone(), Arc::<Told>::default())?;
        let names = Arc::new(Names::default());
        let (mut outcomes, mut wanted) = (BTreeMap::new(), Vec::new());
        for (uri, object) in objects {
            if planner.standing(&object)? == Standing::Known {
                outcomes.insert(uri, KNOWN);
            } else {
                wanted.push((names.push(&uri)?, object));
            }
        }
        if wanted.is_empty() {
            return Ok(outcomes);
        }
        let options = self.whole();
        let mut fetched = self.session.fetch(wanted.into_iter()).map(Fetched::from).peekable();
        while fetched.peek().is_some() {
            let dictionary = Dictionary::default();
            // Rows and the files that come of them are in memory together.
            let kept = Kept { gather: Gather::new(dictionary.clone(), options.memory), outcomes: Mutex::default() };
            let shared = Shared {
                options: &options,
                scope: Scope::Full,
                dictionary: &dictionary,
                names: &names,
                keep: &kept,
                progress,
            };
            let items = std::iter::from_fn(|| if kept.gather.is_full() { None } else { fetched.next().map(Ok) });
            ingest(&self.pool, items, shared, &Across::default())?;
            let batch = kept.gather.into_batch();
            self.pool.install(|| batch.write(lake))?;
            outcomes.append(&mut kept.outcomes.into_inner().unwrap_or_else(PoisonError::into_inner));
        }
        Ok(outcomes)
    }
}

/// Nothing was read.
const KNOWN: Outcome = Outcome { fate: Fate::Known, compressed: 0, records: 0, events: 0, rejected: 0 };

/// Gathers rows, and what came of each object.
struct Kept {
    gather: Gather,
    outcomes: Mutex<BTreeMap<String, Outcome>>,
}

impl Keep for Kept {
    fn rows(&self, events: Events) -> Result<(), ScanError> {
        self.gather.rows(events)
    }

    fn object(&self, done: Done<'_>) -> Result<(), ScanError> {
        let (index, unit) = (done.index, unit_of(done.object));
        let row = ObjectRow { unit, ..done.into_row() };
        let mut outcomes = self.outcomes.lock().unwrap_or_else(PoisonError::into_inner);
        outcomes.insert(row.uri.clone(), outcome(&row));
        drop(outcomes);
        self.gather.add(index, row);
        Ok(())
    }

    fn hashes(&self) -> bool {
        true
    }

    fn hashes_content(&self) -> bool {
        true
    }
}
