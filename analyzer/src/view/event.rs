//! References to single events: small enough to keep as samples, enough to open the record again.

use std::sync::Arc;

use crate::frame::Sym;

/// `eventID`, 16 bytes when it is a GUID in its usual spelling. Orders like its text within each variant, so that
/// samples do not depend on the order of arrival.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventId {
    /// A GUID.
    Guid(u64, u64),
    /// Anything else.
    Other(Arc<str>),
}

impl EventId {
    /// Reads the text of an event id.
    pub fn new(text: &str) -> Self {
        match guid(text.as_bytes()) {
            Some((high, low)) => Self::Guid(high, low),
            None => Self::Other(text.into()),
        }
    }
}

impl std::fmt::Display for EventId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Guid(high, low) => write!(
                f,
                "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
                high >> 32,
                (high >> 16) & 0xffff,
                high & 0xffff,
                low >> 48,
                low & 0xffff_ffff_ffff
            ),
            Self::Other(text) => f.write_str(text),
        }
    }
}

/// The two halves of a lower-case hyphenated GUID; `None` for any other spelling, which must print back as it came.
fn guid(text: &[u8]) -> Option<(u64, u64)> {
    if text.len() != 36 {
        return None;
    }
    let mut value = 0u128;
    for (at, &byte) in text.iter().enumerate() {
        let digit = match (at, byte) {
            (8 | 13 | 18 | 23, b'-') => continue,
            (8 | 13 | 18 | 23, _) => return None,
            (_, b'0'..=b'9') => byte - b'0',
            (_, b'a'..=b'f') => byte - b'a' + 10,
            _ => return None,
        };
        value = value << 4 | u128::from(digit);
    }
    Some(((value >> 64) as u64, value as u64))
}

/// One event, by time, id and place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
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
    pub arn: Option<Box<str>>,
    /// Session of an assumed role.
    pub session: Option<Box<str>>,
    /// Who is behind the role.
    pub source_identity: Option<Box<str>>,
    /// IP address or service name.
    pub source_ip: Option<Box<str>>,
    /// Text of the caller's choice.
    pub user_agent: Option<Box<str>>,
}

#[cfg(test)]
mod tests {
    use super::EventId;

    #[test]
    fn event_ids_print_back_as_they_came() {
        for text in
            ["0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0", "0F1E2D3C-4B5A-6978-8796-A5B4C3D2E1F0", "e1", "", "content:00"]
        {
            assert_eq!(EventId::new(text).to_string(), text);
        }
        assert!(matches!(EventId::new("0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"), EventId::Guid(..)));
    }
}
