//! A lake in a local folder.
//!
//! A file is written under a hidden temporary name, synced and renamed. Its writer holds a lock on it meanwhile, so that
//! the leftover of a killed writer is told from work in progress: nobody holds its lock.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;
use walkdir::WalkDir;

use super::store::{Entry, Store, StoreError, Tag, When};

/// Begins the name of every temporary file.
const TEMPORARY: &str = ".keytrail-";

/// Begins the name of the file whose lock is held while another is compared and swapped.
const LOCK: &str = ".lock-";

/// A folder as a [`Store`].
#[derive(Clone, Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// The store in this folder, which is made when something is written.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self(root.into())
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.join(path)
    }

    /// Writes `bytes` beside `target` under a temporary name that nobody takes for a leftover.
    fn stage(target: &Path, bytes: &[u8]) -> io::Result<NamedTempFile> {
        let folder = target.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let mut builder = tempfile::Builder::new();
        builder.prefix(TEMPORARY);
        // As readable as any file that the user writes: the umask decides.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let mut temporary = builder.tempfile_in(folder)?;
        temporary.as_file().lock_shared()?;
        temporary.write_all(bytes)?;
        temporary.as_file().sync_all()?;
        Ok(temporary)
    }

    fn put_always(target: &Path, bytes: &[u8]) -> io::Result<()> {
        match Self::stage(target, bytes)?.persist(target) {
            Ok(_) => {}
            // Between its creation and its lock somebody may have taken it for a leftover; not twice in a row.
            Err(error) if error.error.kind() == io::ErrorKind::NotFound => {
                Self::stage(target, bytes)?.persist(target)?;
            }
            Err(error) => return Err(error.error),
        }
        sync_folder(target)
    }

    fn put_absent(target: &Path, bytes: &[u8]) -> io::Result<bool> {
        let mut staged = Self::stage(target, bytes)?.persist_noclobber(target);
        if staged.as_ref().is_err_and(|error| error.error.kind() == io::ErrorKind::NotFound) {
            staged = Self::stage(target, bytes)?.persist_noclobber(target);
        }
        match staged {
            Ok(_) => sync_folder(target).map(|()| true),
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(error.error),
        }
    }

    /// Compares and swaps under a lock that all processes on the folder take: a file system has no such operation.
    fn put_matching(target: &Path, bytes: &[u8], tag: &Tag) -> io::Result<bool> {
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(target.with_file_name(format!("{LOCK}{name}")))?;
        lock.lock()?;
        match fs::read(target) {
            Ok(current) if tag_of(&current) == *tag => {}
            Ok(_) => return Ok(false),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        }
        Self::put_always(target, bytes).map(|()| true)
    }
}

fn tag_of(bytes: &[u8]) -> Tag {
    Tag(blake3::hash(bytes).to_hex().to_string())
}

/// Makes a rename last: the folder holds the name.
fn sync_folder(file: &Path) -> io::Result<()> {
    #[cfg(unix)]
    if let Some(folder) = file.parent() {
        File::open(folder)?.sync_all()?;
    }
    #[cfg(not(unix))]
    let _ = file;
    Ok(())
}

impl Store for Folder {
    fn get(&self, path: &str) -> Result<Option<(Vec<u8>, Tag)>, StoreError> {
        match fs::read(self.path(path)) {
            Ok(bytes) => {
                let tag = tag_of(&bytes);
                Ok(Some((bytes, tag)))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(StoreError::Failed { path: self.path(path).display().to_string(), error }),
        }
    }

    fn put(&self, path: &str, bytes: &[u8], when: When<'_>) -> Result<Tag, StoreError> {
        let target = self.path(path);
        let written = match when {
            When::Always => Self::put_always(&target, bytes).map(|()| true),
            When::Absent => Self::put_absent(&target, bytes),
            When::Matches(tag) => Self::put_matching(&target, bytes, tag),
        };
        match written {
            Ok(true) => Ok(tag_of(bytes)),
            Ok(false) => Err(StoreError::Conflict { path: target.display().to_string() }),
            Err(error) => Err(StoreError::Failed { path: target.display().to_string(), error }),
        }
    }

    fn delete(&self, path: &str) -> Result<(), StoreError> {
        match fs::remove_file(self.path(path)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(StoreError::Failed { path: self.path(path).display().to_string(), error })
            }
            _ => Ok(()),
        }
    }

    fn list(&self, folder: &str) -> Result<Vec<Entry>, StoreError> {
        let mut found = Vec::new();
        for path in self.walk(folder)? {
            let hidden = path.file_name().is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
            // Names that are not UTF-8 are none of ours.
            let Some(name) = path.strip_prefix(&self.0).ok().and_then(Path::to_str).filter(|_| !hidden) else {
                continue;
            };
            let path_of = name.replace(std::path::MAIN_SEPARATOR, "/");
            match fs::metadata(&path) {
                Ok(data) => found.push(Entry { path: path_of, size: data.len() }),
                // Somebody deletes while we list.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(StoreError::Failed { path: path.display().to_string(), error }),
            }
        }
        found.sort();
        Ok(found)
    }

    fn tidy(&self) -> Result<u64, StoreError> {
        let mut removed = 0;
        for path in self.walk("")? {
            let temporary =
                path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(TEMPORARY.as_bytes()));
            // The lock is held until the file is gone: a writer that comes in between finds out and starts over.
            let file = temporary.then(|| File::open(&path).ok()).flatten();
            if file.as_ref().is_some_and(|file| file.try_lock().is_ok()) {
                match fs::remove_file(&path) {
                    Ok(()) => removed += 1,
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Err(StoreError::Failed { path: path.display().to_string(), error }),
                }
            }
        }
        Ok(removed)
    }

    fn describe(&self) -> String {
        self.0.display().to_string()
    }

    fn local_path(&self, path: &str) -> Option<PathBuf> {
        Some(self.path(path))
    }
}

impl Folder {
    /// Files below a folder.
    fn walk(&self, folder: &str) -> Result<Vec<PathBuf>, StoreError> {
        let root = self.path(folder);
        let mut files = Vec::new();
        for entry in WalkDir::new(&root) {
            match entry {
                Ok(entry) if entry.file_type().is_file() => files.push(entry.into_path()),
                Ok(_) => {}
                Err(error) => {
                    let path = error.path().unwrap_or(&root).display().to_string();
                    let error = io::Error::from(error);
                    if error.kind() != io::ErrorKind::NotFound {
                        return Err(StoreError::Failed { path, error });
                    }
                }
            }
        }
        Ok(files)
    }
}
