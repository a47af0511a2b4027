//! Objects and their bytes, one after the other.

use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;

use super::{Names, Object};
use crate::decode::SkipReason;

/// One object, ready to be decoded.
pub struct Fetched {
    /// Its number in the run's [`super::Names`].
    pub index: u32,
    /// What it is.
    pub object: Object,
    /// Its bytes.
    pub body: Body,
}

/// Bytes of an object as stored, or where they are.
pub enum Body {
    /// On this machine: opened when their turn comes.
    Local,
    /// In memory.
    Bytes(Vec<u8>),
    /// In a temporary file, from its start on.
    Spooled(File),
    /// They could not be had.
    Failed {
        /// Why.
        reason: SkipReason,
        /// What the other side said.
        detail: String,
    },
}

impl Fetched {
    /// The bytes as stored, unbuffered.
    ///
    /// # Errors
    /// Why there are none, with what the system or the other side said about it.
    pub fn open(&mut self) -> Result<Box<dyn Read + Send + '_>, (SkipReason, String)> {
        if let Some(reason) = self.object.skip {
            return Err((reason, self.object.detail.clone().unwrap_or_default()));
        }
        match &mut self.body {
            Body::Local => self.object.open().map_err(|error: io::Error| (SkipReason::Unreadable, error.to_string())),
            Body::Bytes(bytes) => Ok(Box::new(bytes.as_slice())),
            Body::Spooled(file) => Ok(Box::new(file)),
            Body::Failed { reason, detail } => Err((*reason, detail.clone())),
        }
    }
}

/// Names objects and fetches them.
pub fn fetch(
    objects: impl Iterator<Item = Object> + Send + 'static,
    names: Arc<Names>,
) -> impl Iterator<Item = io::Result<Fetched>> {
    objects.map(move |object| Ok(Fetched { index: names.push(&object.uri)?, object, body: Body::Local }))
}
