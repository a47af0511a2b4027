//! Standard input, `-`.

use std::io::Read;

use super::{Object, Place};

/// The one object of standard input.
pub(super) fn object() -> Object {
    Object { uri: "-".into(), size: None, skip: None, detail: None, etag: None, place: Place::Stdin }
}

/// Its bytes.
pub(super) fn open() -> Box<dyn Read + Send> {
    Box::new(std::io::stdin())
}
