//! Objects and their bytes, one after the other.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;
#[cfg(feature = "aws")]
use std::sync::{Mutex, PoisonError};

#[cfg(feature = "aws")]
use super::s3::{self, Session};
use super::{Names, Object};
use crate::decode::SkipReason;

/// What its owner wrote beside an object: names and values. Files have none.
pub type Metadata = BTreeMap<String, String>;

/// One object, ready to be decoded.
pub struct Fetched {
    /// Its number in the run's [`super::Names`].
    pub index: u32,
    /// What it is.
    pub object: Object,
    /// Its bytes.
    pub body: Body,
    /// What is written beside it.
    pub metadata: Metadata,
}

/// Bytes of an object as stored, or where they are.
pub enum Body {
    /// On this machine: opened when their turn comes.
    Local,
    /// In memory, brought by whoever named the object.
    Brought(Vec<u8>),
    /// In memory: as long as they are held, their room is taken.
    #[cfg(feature = "aws")]
    Held(s3::Held),
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
            #[cfg(feature = "aws")]
            Body::Held(bytes) => Ok(Box::new(&**bytes)),
            Body::Brought(bytes) => Ok(Box::new(bytes.as_slice())),
            Body::Spooled(file) => Ok(Box::new(file)),
            Body::Failed { reason, detail } => Err((*reason, detail.clone())),
        }
    }
}

/// Objects with their bytes.
type Items = Box<dyn Iterator<Item = io::Result<Fetched>>>;

/// Names objects and fetches them: those on this machine come as they are, those in S3 as they arrive.
pub fn fetch(
    objects: impl Iterator<Item = Object> + Send + 'static,
    names: Arc<Names>,
    #[cfg(feature = "aws")] session: Option<&Session>,
) -> Items {
    #[cfg(feature = "aws")]
    if let Some(session) = session {
        return from_s3(objects, names, session);
    }
    Box::new(objects.map(move |object| {
        Ok(Fetched { index: names.push(&object.uri)?, object, body: Body::Local, metadata: Metadata::new() })
    }))
}

/// Objects that have numbers already, with their bytes: as of [`fetch`].
pub fn fetch_numbered(
    objects: Vec<(u32, Object)>,
    #[cfg(feature = "aws")] session: Option<&Session>,
) -> Box<dyn Iterator<Item = Fetched>> {
    #[cfg(feature = "aws")]
    if let Some(session) = session {
        return Box::new(session.fetch(objects.into_iter()).map(Fetched::from));
    }
    let local = |(index, object)| Fetched { index, object, body: Body::Local, metadata: Metadata::new() };
    Box::new(objects.into_iter().map(local))
}

/// Objects are named on the thread that lists them: what comes after a failure there is not asked for any more.
#[cfg(feature = "aws")]
fn from_s3(objects: impl Iterator<Item = Object> + Send + 'static, names: Arc<Names>, session: &Session) -> Items {
    let failed: Arc<Mutex<Option<io::Error>>> = Arc::default();
    let failure = failed.clone();
    let named = objects.map_while(move |object| match names.push(&object.uri) {
        Ok(index) => Some((index, object)),
        Err(error) => {
            *failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            None
        }
    });
    let fetched = session.fetch(named).map(|fetched| Ok(Fetched::from(fetched)));
    let failed = std::iter::from_fn(move || failure.lock().unwrap_or_else(PoisonError::into_inner).take().map(Err));
    Box::new(fetched.chain(failed))
}

#[cfg(feature = "aws")]
impl From<s3::Fetched> for Fetched {
    fn from(fetched: s3::Fetched) -> Self {
        let s3::Fetched { index, object, body, metadata } = fetched;
        let body = match body {
            _ if object.bucket_and_key().is_none() => Body::Local,
            s3::Body::Bytes(held) => Body::Held(held),
            s3::Body::Spooled(file) => Body::Spooled(file),
            s3::Body::Failed { reason, detail } => Body::Failed { reason, detail },
        };
        Self { index, object, body, metadata }
    }
}
