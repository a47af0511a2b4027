//! What a shard holds. One small file that is swapped atomically decides it.

use polars::prelude::PolarsError;

use super::partition::{Shard, Unit};
use super::store::StoreError;

/// Kind of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PartKind {
    /// Event rows.
    Events,
    /// Object rows.
    Objects,
}

impl PartKind {
    /// Its folder.
    pub fn folder(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Objects => "objects",
        }
    }
}

/// A live file of a shard.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Part {
    /// Path in the lake.
    pub path: String,
    /// What it holds.
    pub kind: PartKind,
    /// Where its rows stand: of events their own Account, Region and date, of objects those of the objects.
    pub unit: Unit,
    /// Rows.
    pub rows: u64,
    /// Bytes of the file.
    pub bytes: u64,
    /// BLAKE3 of the file, hex.
    pub blake3: String,
    /// Objects that its rows are of.
    pub objects: u64,
    /// First and last event time of its rows, where there are any.
    pub span: Option<(i64, i64)>,
    /// First and last name of its objects, in the order of their bytes; of an objects part only.
    pub names: Option<(String, String)>,
}

/// The live parts of a shard.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    /// What it is about.
    pub shard: Shard,
    /// Raised by one with every swap.
    pub generation: u64,
    /// Live parts, sorted by path.
    pub parts: Vec<Part>,
    /// Inbox files whose rows are in parts, sorted by name. They are listed until they are deleted.
    pub absorbed: Vec<String>,
}

impl Manifest {
    /// Where the manifest of a shard is.
    pub fn path(shard: &Shard) -> String {
        format!("manifest/{}/current.json", shard.folder())
    }

    /// Parts of one kind.
    pub fn of(&self, kind: PartKind) -> impl Iterator<Item = &Part> {
        self.parts.iter().filter(move |part| part.kind == kind)
    }

    /// True when a part is live.
    pub fn lists(&self, path: &str) -> bool {
        self.parts.binary_search_by(|part| part.path.as_str().cmp(path)).is_ok()
    }
}

/// Why the lake did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum LakeError {
    /// There is no lake.
    #[error("{0} is no lake; `keytrail ingest` makes one")]
    NotALake(String),
    /// There is something else where a lake should be made.
    #[error("{0} holds other files; give a folder that is empty or does not exist, or an existing lake")]
    Occupied(String),
    /// It was written by a newer version.
    #[error("{place} was written by a newer keytrail ({found}; this one knows {known}); update keytrail")]
    Newer {
        /// Which lake or file.
        place: String,
        /// What it says.
        found: String,
        /// What this program reads.
        known: String,
    },
    /// A file is not what it should be.
    #[error("{path} is damaged: {reason}")]
    Damaged {
        /// Which file.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// A part that a manifest listed is gone: somebody compacted meanwhile. A new snapshot names what replaced it.
    #[error("{0} is gone: the lake was changed while it was read; try again")]
    Gone(String),
    /// Other writers were faster, again and again.
    #[error("{0} keeps being changed by others; try again later")]
    Conflict(String),
    /// Rows that cannot be stored.
    #[error("rows for the lake: {0}")]
    Rows(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl LakeError {
    pub(super) fn damaged(path: &str, error: &PolarsError) -> Self {
        Self::Damaged { path: path.to_owned(), reason: reason(error) }
    }

    pub(super) fn rows(error: &PolarsError) -> Self {
        Self::Rows(reason(error))
    }
}

/// What an error says, without the name of its kind.
fn reason(error: &PolarsError) -> String {
    match error {
        PolarsError::ComputeError(text) => text.to_string(),
        other => other.to_string(),
    }
}
