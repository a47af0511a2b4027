//! Custom key stores: what was done to them. These events name no key, and yet they decide whether keys can be used.

use super::event::EventIds;
use super::ledger::ControlEvent;
use crate::frame::{Dictionary, Sym};

/// Rows about key stores, as they are folded.
#[derive(Clone, Debug, Default)]
pub(super) struct StoreRows {
    events: Vec<(Option<Sym>, Option<Sym>, ControlEvent)>,
    /// Texts of their event ids that are not GUIDs.
    pub(super) ids: EventIds,
}

impl StoreRows {
    /// Adds one event of an account and Region.
    pub(super) fn add(&mut self, account: Option<Sym>, region: Option<Sym>, control: ControlEvent) {
        self.events.push((account, region, control));
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.events.extend(other.events);
        self.ids.merge(other.ids);
    }

    pub(super) fn settle(&self, dictionary: &Dictionary) -> Stores {
        let text = |sym: Option<Sym>| sym.map(|sym| dictionary.text(sym).to_string()).unwrap_or_default();
        let event = |(account, region, control): &(Option<Sym>, Option<Sym>, ControlEvent)| StoreEvent {
            account: text(*account),
            region: text(*region),
            store: text(control.detail.custom_key_store_id),
            control: control.clone(),
        };
        let mut events: Vec<StoreEvent> = self.events.iter().map(event).collect();
        events.sort_by(|a, b| (a.control.event, &a.account, &a.region).cmp(&(b.control.event, &b.account, &b.region)));
        let connects = |event: &StoreEvent| match dictionary.text(event.control.name) {
            "ConnectCustomKeyStore" => Some(true),
            "DisconnectCustomKeyStore" => Some(false),
            _ => None,
        };
        let mut outages: Vec<StoreOutage> = Vec::new();
        for (at, event) in events.iter().enumerate().filter(|(_, event)| event.control.error.is_none()) {
            let same = |outage: &&mut StoreOutage| {
                let begun = &events[outage.by];
                outage.until.is_none()
                    && (&begun.account, &begun.region, &begun.store) == (&event.account, &event.region, &event.store)
            };
            match (connects(event), outages.iter_mut().find(same)) {
                (Some(true), Some(outage)) => outage.until = Some(at),
                (Some(false), None) => outages.push(StoreOutage { by: at, until: None }),
                _ => {}
            }
        }
        Stores { events, outages, ids: self.ids.clone() }
    }
}

/// One call about a key store, successful or not.
#[derive(Clone, Debug, PartialEq)]
pub struct StoreEvent {
    /// Account of the store.
    pub account: String,
    /// Its Region.
    pub region: String,
    /// Its id; empty when the record names none.
    pub store: String,
    /// The call.
    pub control: ControlEvent,
}

/// A stretch in which a store was disconnected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreOutage {
    /// Index of the call that disconnected it.
    pub by: usize,
    /// Index of the call that connected it again.
    pub until: Option<usize>,
}

/// The key stores of all accounts, in order of time.
#[derive(Clone, Debug, Default)]
pub struct Stores {
    /// What was done to them.
    pub events: Vec<StoreEvent>,
    /// When they were disconnected.
    pub outages: Vec<StoreOutage>,
    /// Texts of their event ids that are not GUIDs.
    pub ids: EventIds,
}

impl Stores {
    /// The stretches in which the store of a key was disconnected. Without the id of its store: those of the only store of
    /// that account and Region, if there is but one.
    pub fn outages_of(&self, account: &str, region: &str, store: Option<&str>) -> Vec<StoreOutage> {
        let here = |event: &StoreEvent| event.account == account && event.region == region;
        let store = match store {
            Some(store) => store,
            None => {
                let mut stores: Vec<&str> =
                    self.events.iter().filter(|event| here(event)).map(|event| event.store.as_str()).collect();
                stores.sort_unstable();
                stores.dedup();
                match stores[..] {
                    [only] => only,
                    _ => return Vec::new(),
                }
            }
        };
        let own = |outage: &&StoreOutage| {
            let event = &self.events[outage.by];
            here(event) && event.store == store
        };
        self.outages.iter().filter(own).copied().collect()
    }
}
