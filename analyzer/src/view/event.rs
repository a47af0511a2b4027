//! References to single events: small enough to keep as samples, enough to open the record again.

use std::collections::BTreeMap;
use std::sync::Arc;

use foldhash::HashSet;

use crate::frame::compact::guid;
use crate::frame::{Columns, Sym};

/// `eventID` in 16 bytes: the GUID itself, else a hash of the text, which [`EventIds`] remembers. Orders the same in
/// every run, so that samples do not depend on the order of arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId([u8; 16]);

impl EventId {
    /// The id of a row, and whether it is a GUID in its usual spelling.
    pub(super) fn of(columns: &Columns<'_>, row: usize) -> (Self, bool) {
        match columns.guid(row) {
            Some(bytes) => (Self(bytes), true),
            None => Self::new(columns.event_id.get(row).unwrap_or_default()),
        }
    }

    /// The id of a text, and whether it is a GUID in its usual spelling.
    pub fn new(text: &str) -> (Self, bool) {
        match guid(text.as_bytes()) {
            Some(bytes) => (Self(bytes), true),
            None => {
                let hash = blake3::hash(text.as_bytes());
                let mut bytes = [0; 16];
                bytes.copy_from_slice(&hash.as_bytes()[..16]);
                (Self(bytes), false)
            }
        }
    }
}

/// Texts of the event ids that are not GUIDs.
#[derive(Clone, Debug, Default)]
pub struct EventIds(BTreeMap<EventId, Box<str>>);

impl EventIds {
    /// Remembers the text of an id of which [`EventId::new`] said that it is no GUID.
    pub(super) fn remember(&mut self, id: EventId, text: &str) {
        self.0.entry(id).or_insert_with(|| text.into());
    }

    /// The id of a text.
    pub fn intern(&mut self, text: &str) -> EventId {
        let (id, is_guid) = EventId::new(text);
        if !is_guid {
            self.0.entry(id).or_insert_with(|| text.into());
        }
        id
    }

    /// The text of an id that is no GUID, where it is remembered here.
    pub fn get(&self, id: EventId) -> Option<&str> {
        self.0.get(&id).map(|text| &**text)
    }

    /// The text of an id.
    pub fn text(&self, id: EventId) -> String {
        if let Some(text) = self.get(id) {
            return text.to_string();
        }
        let value = u128::from_be_bytes(id.0);
        format!(
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            value >> 96,
            value >> 80 & 0xffff,
            value >> 64 & 0xffff,
            value >> 48 & 0xffff,
            value & 0xffff_ffff_ffff
        )
    }

    /// Adds the texts of other views.
    pub fn merge(&mut self, other: Self) {
        self.0.extend(other.0);
    }
}

/// One event, by time, id and place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventRef {
    /// Event time, milliseconds since the epoch.
    pub time: i64,
    /// `eventID`.
    pub id: EventId,
    /// Index of the object in this run.
    pub object: u32,
    /// Index of the record in the object.
    pub record: u32,
}

/// Texts that control-plane events share: agents, addresses, keys and grantees repeat from event to event.
#[derive(Clone, Debug, Default)]
pub(super) struct Texts(HashSet<Arc<str>>);

impl Texts {
    /// How many texts are remembered before all are forgotten: texts that nothing shares must not pile up.
    const REMEMBERED: usize = 1 << 12;

    /// A text, shared with the events that said the same before.
    pub(super) fn share(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.0.get(text) {
            return known.clone();
        }
        if self.0.len() >= Self::REMEMBERED {
            self.0.clear();
        }
        let shared: Arc<str> = text.into();
        self.0.insert(shared.clone());
        shared
    }
}

/// Who made a control-plane call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Actor {
    /// Stable identity.
    pub principal: Option<Sym>,
    /// `userIdentity.type`.
    pub kind: Option<Sym>,
    /// Account of the caller.
    pub account: Option<Sym>,
    /// Service that made the call on the principal's behalf.
    pub invoked_by: Option<Sym>,
    /// direct, via-service, service-self, kms-internal.
    pub call: Option<Sym>,
    /// Identity as logged, with the session.
    pub arn: Option<Arc<str>>,
    /// Session of an assumed role.
    pub session: Option<Arc<str>>,
    /// Who is behind the role.
    pub source_identity: Option<Arc<str>>,
    /// IP address or service name.
    pub source_ip: Option<Arc<str>>,
    /// Text of the caller's choice.
    pub user_agent: Option<Arc<str>>,
}

#[cfg(test)]
mod tests {
    use super::{EventId, EventIds};

    #[test]
    fn event_ids_print_back_as_they_came() {
        let mut ids = EventIds::default();
        for text in [
            "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0",
            "0F1E2D3C-4B5A-6978-8796-A5B4C3D2E1F0",
            "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1g0",
            "00000000-0000-0000-0000-000000000000",
            "e1",
            "",
            "content:00",
        ] {
            let id = ids.intern(text);
            assert_eq!(ids.text(id), text);
        }
        assert!(EventId::new("0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0").1);
    }
}
