//! The files of one sink in a lake.

use std::collections::{BTreeMap, BTreeSet};

use super::super::plan::Memory;
use super::super::state::{self, Ledger, State, Told};
use super::super::wire;
use crate::lake::{Store, StoreError, Tag, Wanted, When};

/// Why state could not be read or changed.
pub(super) enum Trouble {
    /// Somebody else is at it: what they do not do, the next run does.
    Busy,
    /// The lake does not do what it should.
    Lake(String),
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict { .. } => Self::Busy,
            StoreError::Failed { .. } => Self::Lake(format!("the state of alerts in the lake: {error}")),
        }
    }
}

/// What they say.
pub(super) struct Known<'k> {
    pub(super) states: &'k BTreeMap<String, State>,
    pub(super) ledger: &'k Ledger,
}

impl Memory for Known<'_> {
    /// An incident may have changed from one way of being told to the other: the last word counts.
    fn told(&self, incident: &str) -> Option<&Told> {
        let alone = self.states.get(incident).and_then(|state| state.told.as_ref());
        alone.into_iter().chain(self.ledger.told.get(incident)).max_by_key(|told| told.generation)
    }

    fn is_begun(&self, incident: &str) -> bool {
        self.states.get(incident).is_some_and(|state| state.lease_until.is_some())
    }

    fn known(&self) -> BTreeSet<&str> {
        self.states.keys().chain(self.ledger.told.keys()).map(String::as_str).collect()
    }
}

/// Reads and writes them.
#[derive(Clone, Copy)]
pub(super) struct Files<'f> {
    pub(super) store: &'f dyn Store,
    /// Name of the sink.
    pub(super) sink: &'f str,
}

impl Files<'_> {
    /// What is kept of an incident, as it is now.
    pub(super) fn state(&self, incident: &str) -> Result<Option<(State, Tag)>, Trouble> {
        let path = state::state_path(incident, self.sink);
        let Some((bytes, tag)) = self.store.get(&path)? else { return Ok(None) };
        Ok(Some((read(&path, wire::read_state(&bytes))?, tag)))
    }

    pub(super) fn put_state(&self, state: &State, when: When<'_>) -> Result<Tag, Trouble> {
        let path = state::state_path(&state.incident, self.sink);
        Ok(self.store.put(&path, &wire::write_state(state), when)?)
    }

    pub(super) fn ledger(&self) -> Result<(Ledger, Option<Tag>), Trouble> {
        let path = state::ledger_path(self.sink);
        Ok(match self.store.get(&path)? {
            Some((bytes, tag)) => (read(&path, wire::read_ledger(&bytes))?, Some(tag)),
            None => (Ledger { sink: self.sink.to_owned(), ..Ledger::default() }, None),
        })
    }

    pub(super) fn put_ledger(&self, ledger: &Ledger, tag: &mut Option<Tag>) -> Result<(), Trouble> {
        let path = state::ledger_path(self.sink);
        *tag = Some(self.store.put(&path, &wire::write_ledger(ledger), when(tag.as_ref()))?);
        Ok(())
    }

    /// The states of all incidents that this sink was told of, or is being told of.
    pub(super) fn states(&self) -> Result<BTreeMap<String, State>, Trouble> {
        let mut wanted = Vec::new();
        for entry in self.store.list("alerts")? {
            if state::incident_of(&entry.path, self.sink).is_some() {
                let number = u32::try_from(wanted.len()).unwrap_or(u32::MAX);
                wanted.push(Wanted { number, path: entry.path, size: entry.size });
            }
        }
        let mut states = BTreeMap::new();
        let mut keep = |path: &str, bytes: Option<Vec<u8>>| -> Result<(), Trouble> {
            let Some(bytes) = bytes else { return Ok(()) };
            let state = read(path, wire::read_state(&bytes))?;
            states.insert(state.incident.clone(), state);
            Ok(())
        };
        match self.store.fetch(wanted.clone()) {
            Some(fetching) => {
                for (number, bytes) in fetching {
                    let path = wanted.get(number as usize).map_or("alerts", |wanted| wanted.path.as_str());
                    keep(path, bytes?)?;
                }
            }
            None => {
                for Wanted { path, .. } in &wanted {
                    keep(path, self.store.get(path)?.map(|(bytes, _)| bytes))?;
                }
            }
        }
        Ok(states)
    }
}

pub(super) fn when(tag: Option<&Tag>) -> When<'_> {
    tag.map_or(When::Absent, When::Matches)
}

fn read<T>(path: &str, result: Result<T, String>) -> Result<T, Trouble> {
    result.map_err(|reason| Trouble::Lake(format!("{path} in the lake is damaged: {reason}")))
}
