//! Files, folders and patterns.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use super::{Object, Place, SourceError};
use crate::decode::SkipReason;

/// Collects the objects of several sources.
#[derive(Default)]
pub(super) struct Finder {
    found: Vec<Found>,
    /// Set when one file may have been found by two ways.
    overlap: bool,
}

struct Found {
    object: Object,
    /// The last part of the path is a symbolic link.
    is_link: bool,
}

impl Finder {
    /// Finds what one source names: a file, a folder, or else a pattern.
    pub(super) fn add(&mut self, source: &str) -> Result<(), SourceError> {
        self.overlap |= !self.found.is_empty();
        // `logs/**` means all that is in there. The pattern library takes it for the folders inside, and would leave out
        // the files that stand in `logs` itself.
        let trimmed = source.trim_end_matches('/');
        let source = match trimmed.strip_suffix("**") {
            Some("") => ".",
            Some(stem) if stem.ends_with('/') && fs::metadata(trimmed).is_err() => return self.add(stem),
            _ => source,
        };
        let path = Path::new(source);
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => self.walk(path),
            Ok(metadata) => {
                // Named one by one, a pipe or a device is meant: `<(zcat …)` is one.
                let is_link = fs::symlink_metadata(path).is_ok_and(|link| link.is_symlink());
                self.push(Object { size: size_of(&metadata), ..Object::file(path) }, is_link);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound || error.kind() == io::ErrorKind::InvalidInput => {
                if fs::symlink_metadata(path).is_ok() {
                    return Err(SourceError::DanglingLink(source.to_owned()));
                }
                if !source.contains(['*', '?', '[']) {
                    return Err(SourceError::NotFound(source.to_owned()));
                }
                self.expand(source)?;
            }
            Err(error) => return Err(SourceError::Refused { source_name: source.to_owned(), error }),
        }
        Ok(())
    }

    /// Everything found, sorted by URI, each file once.
    pub(super) fn into_objects(self) -> Vec<Object> {
        let Self { mut found, overlap } = self;
        found.sort_by(|a, b| {
            // The path decides between names that are not UTF-8 and look the same once printed.
            a.object.uri.cmp(&b.object.uri).then_with(|| a.object.path().cmp(&b.object.path()))
        });
        if overlap {
            let mut seen = Identities::default();
            found.retain(|found| seen.is_new(found));
        }
        let mut objects: Vec<Object> = found.into_iter().map(|found| found.object).collect();
        name_apart(&mut objects);
        objects
    }

    fn push(&mut self, object: Object, is_link: bool) {
        self.found.push(Found { object, is_link });
    }

    fn walk(&mut self, root: &Path) {
        let mut entries = WalkDir::new(root).follow_links(true).into_iter();
        while let Some(entry) = entries.next() {
            let entry = match entry {
                Ok(entry) => entry,
                // A link to a folder above itself: all that is there is found already.
                Err(error) if error.loop_ancestor().is_some() => continue,
                Err(error) => {
                    let mut path = error.path().unwrap_or(root).to_owned();
                    if path.is_dir() {
                        // Named as a folder: what comes of it later has names that begin so.
                        path.push("");
                    }
                    let detail = error.io_error().map_or_else(|| error.to_string(), io::Error::to_string);
                    self.push_unreadable(path, detail);
                    continue;
                }
            };
            self.overlap |= entry.path_is_symlink();
            if entry.depth() > 0 && is_hidden(&entry) {
                // A hidden folder is told as one: it is somebody's tool, not somebody's logs.
                self.push(
                    Object { skip: Some(SkipReason::Hidden), ..Object::file(entry.path()) },
                    entry.path_is_symlink(),
                );
                if entry.file_type().is_dir() {
                    entries.skip_current_dir();
                }
            } else if !entry.file_type().is_dir() {
                self.push_entry(entry);
            }
        }
    }

    fn push_entry(&mut self, entry: DirEntry) {
        let is_link = entry.path_is_symlink();
        match entry.metadata() {
            Ok(metadata) => self.push_file(entry.into_path(), &metadata, is_link),
            Err(error) => self.push_unreadable(entry.into_path(), error.to_string()),
        }
    }

    /// A file that stands among others. A pipe there would make the run wait for good.
    fn push_file(&mut self, path: PathBuf, metadata: &Metadata, is_link: bool) {
        if metadata.is_file() {
            self.push(Object { size: size_of(metadata), ..Object::file(path) }, is_link);
        } else {
            self.push_unreadable(path, "a pipe, socket or device; name it by itself to read it".into());
        }
    }

    fn push_unreadable(&mut self, path: PathBuf, detail: String) {
        let object = Object { skip: Some(SkipReason::Unreadable), detail: Some(detail), ..Object::file(path) };
        self.push(object, false);
    }

    fn expand(&mut self, pattern: &str) -> Result<(), SourceError> {
        // As a shell does it: a dot in front is matched by a dot only.
        let options = glob::MatchOptions {
            case_sensitive: true,
            require_literal_separator: true,
            require_literal_leading_dot: true,
        };
        let paths = glob::glob_with(pattern, options)
            .map_err(|error| SourceError::BadPattern { pattern: pattern.to_owned(), reason: error.msg })?;
        self.overlap = true;
        let before = self.found.len();
        let mut matched = false;
        let mut walked: Option<PathBuf> = None;
        for path in paths {
            matched = true;
            match path {
                // `logs/**` gives every folder; the first one has been walked to its ends.
                Ok(path) if walked.as_ref().is_some_and(|walked| path.starts_with(walked)) => {}
                Ok(path) => match fs::metadata(&path) {
                    Ok(metadata) if metadata.is_dir() => {
                        self.walk(&path);
                        walked = Some(path);
                    }
                    Ok(metadata) => {
                        let is_link = fs::symlink_metadata(&path).is_ok_and(|link| link.is_symlink());
                        self.push_file(path, &metadata, is_link);
                    }
                    Err(error) => self.push_unreadable(path, error.to_string()),
                },
                Err(error) => self.push_unreadable(error.path().to_owned(), error.error().to_string()),
            }
        }
        if matched || self.found.len() > before { Ok(()) } else { Err(SourceError::NothingMatches(pattern.to_owned())) }
    }
}

/// Only a regular file's length says how much there is to read.
fn size_of(metadata: &Metadata) -> Option<u64> {
    if metadata.is_file() { Some(metadata.len()) } else { None }
}

fn is_hidden(entry: &DirEntry) -> bool {
    entry.file_name().as_encoded_bytes().starts_with(b".")
}

/// Which files have been seen, by whichever path.
#[derive(Default)]
struct Identities {
    seen: HashSet<PathBuf, foldhash::fast::RandomState>,
    /// Folders resolved so far: asking the system once per folder instead of once per file.
    folders: HashMap<PathBuf, PathBuf, foldhash::fast::RandomState>,
}

impl Identities {
    fn is_new(&mut self, found: &Found) -> bool {
        let Some(path) = found.object.path() else { return true };
        let identity = self.resolve(path, found.is_link);
        self.seen.insert(identity)
    }

    fn resolve(&mut self, path: &Path, is_link: bool) -> PathBuf {
        let whole = || fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let (Some(folder), Some(name), false) = (path.parent(), path.file_name(), is_link) else { return whole() };
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        if let Some(resolved) = self.folders.get(folder) {
            return resolved.join(name);
        }
        match fs::canonicalize(folder) {
            Ok(resolved) => {
                let path = resolved.join(name);
                self.folders.insert(folder.to_owned(), resolved);
                path
            }
            Err(_) => path.to_owned(),
        }
    }
}

/// Names that are not UTF-8 may look the same once printed; every object has its own URI all the same.
fn name_apart(objects: &mut [Object]) {
    // They are sorted: those that look the same stand together. Nearly always there are none.
    if objects.windows(2).all(|pair| pair[0].uri != pair[1].uri) {
        return;
    }
    let mut taken: BTreeSet<String> = objects.iter().map(|object| object.uri.clone()).collect();
    let mut before: Option<String> = None;
    for object in objects.iter_mut() {
        if before.as_ref() != Some(&object.uri) {
            before = Some(object.uri.clone());
            continue;
        }
        let path = object.path().map(Path::to_owned);
        let free = (2_u32..).map(|number| format!("{} ({number})", object.uri)).find(|uri| taken.insert(uri.clone()));
        if let Some((path, uri)) = path.zip(free) {
            object.place = Place::Path(path);
            object.uri = uri;
        }
    }
    objects.sort_by(|a, b| a.uri.cmp(&b.uri));
}
