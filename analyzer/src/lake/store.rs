//! Where the files of a lake are: a folder, or anything else that can swap one small file atomically.

use std::fmt::Debug;
use std::io;
use std::path::PathBuf;

/// What identifies the content of a file at one moment; only its own store can tell what it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag(pub String);

/// Under which condition a file is written.
#[derive(Clone, Copy, Debug)]
pub enum When<'t> {
    /// Whatever stands there.
    Always,
    /// Only if nothing stands there.
    Absent,
    /// Only if what stands there still has this tag.
    Matches(&'t Tag),
}

/// A file of a store.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Path below the root of the store, with `/` between its parts.
    pub path: String,
    /// Bytes.
    pub size: u64,
}

/// Why a store did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The condition of a write did not hold: somebody else wrote first.
    #[error("{path} was changed by somebody else")]
    Conflict {
        /// Path of the file.
        path: String,
    },
    /// Reading or writing failed.
    #[error("{path}: {error}")]
    Failed {
        /// Path of the file or folder.
        path: String,
        /// What the system says.
        error: io::Error,
    },
}

/// Files that arrive: the number each was asked for with, and its content.
pub type Fetching = Box<dyn Iterator<Item = (u32, Result<Option<Vec<u8>>, StoreError>)>>;

/// A file that is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// What it is called in the answer.
    pub number: u32,
    /// Path below the root of the store.
    pub path: String,
    /// Bytes, as far as they are known.
    pub size: u64,
}

/// Files by path. A file appears whole or not at all, and what was written is there for every reader afterwards.
pub trait Store: Debug + Send + Sync {
    /// Content and tag of a file; `None` when there is none.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    fn get(&self, path: &str) -> Result<Option<(Vec<u8>, Tag)>, StoreError>;

    /// Writes a file under a condition, durably.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the condition does not hold.
    fn put(&self, path: &str, bytes: &[u8], when: When<'_>) -> Result<Tag, StoreError>;

    /// Writes files, whatever stands there, in any order; those that are written when one fails stay.
    ///
    /// # Errors
    /// When one of them could not be written.
    fn put_all(&self, files: Vec<(String, Vec<u8>)>) -> Result<(), StoreError> {
        files.iter().try_for_each(|(path, bytes)| self.put(path, bytes, When::Always).map(drop))
    }

    /// Deletes a file. One that is not there is deleted already.
    ///
    /// # Errors
    /// When it stays.
    fn delete(&self, path: &str) -> Result<(), StoreError>;

    /// All files below a folder, sorted by path, without hidden ones; none when there is no such folder.
    ///
    /// # Errors
    /// When the list is not complete.
    fn list(&self, folder: &str) -> Result<Vec<Entry>, StoreError>;

    /// Removes what writers left behind that were killed. Gives the number of files removed.
    ///
    /// # Errors
    /// When something stays.
    fn tidy(&self) -> Result<u64, StoreError> {
        Ok(0)
    }

    /// What to call it in messages.
    fn describe(&self) -> String;

    /// Fetches many files at a time, in any order. `None` where reading a file is no waiting: then they are best read one by
    /// one, when their turn comes.
    fn fetch(&self, _files: Vec<Wanted>) -> Option<Fetching> {
        None
    }

    /// Where a file is in the local file system, if it is there.
    fn local_path(&self, path: &str) -> Option<PathBuf>;
}
