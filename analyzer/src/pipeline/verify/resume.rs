//! What a verification that was interrupted has hashed already.
//!
//! A file of records of one length, appended some at a time. Each says what the object of a name, ETag and size holds, and has
//! a checksum of its own: a record that a kill has torn, and what follows it, is cut off. Objects in S3 only: there, an object
//! that was changed has another ETag, whoever changed it. A file on disk can be given any time of change, and is read again.
//! Digests are always read again, and so is what was damaged.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use foldhash::{HashMap, HashMapExt};

use crate::decode::Content;
use crate::integrity::Hash;
use crate::source::Object;

/// The first line: whose file it is.
const HEADER: &str = "keytrail verify, state 1\n";

/// Digits of the name of an object, a space, those of its hash, a space, those of the checksum, and the end of the line.
const RECORD: usize = 32 + 1 + 64 + 1 + 16 + 1;

/// Records that a kill may cost.
const TOGETHER: usize = 32;

/// The state of a verification.
#[derive(Debug)]
pub struct Resume {
    path: PathBuf,
    known: HashMap<u128, Hash>,
    /// The file, and what is not in it yet.
    pending: Mutex<(File, String)>,
    failed: Mutex<Option<io::Error>>,
}

impl Resume {
    /// Opens the state, or begins one.
    ///
    /// # Errors
    /// When the file cannot be read or written, or holds something else.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let mut known = HashMap::new();
        let mut good = 0;
        if file.metadata()?.len() == 0 {
            file.write_all(HEADER.as_bytes())?;
        } else {
            let mut reader = BufReader::new(&file);
            let mut header = vec![0; HEADER.len()];
            if reader.read_exact(&mut header).is_err() || header != HEADER.as_bytes() {
                return Err(io::Error::other("it holds something else"));
            }
            let mut record = [0; RECORD];
            while reader.read_exact(&mut record).is_ok() {
                let Some((name, hash)) = std::str::from_utf8(&record).ok().and_then(parse) else { break };
                known.insert(name, hash);
                good += RECORD as u64;
            }
        }
        // What comes next begins where a record ends.
        let end = HEADER.len() as u64 + good;
        file.set_len(end)?;
        file.seek(SeekFrom::Start(end))?;
        let pending = Mutex::new((file, String::new()));
        Ok(Self { path: path.to_owned(), known, pending, failed: Mutex::default() })
    }

    /// Objects of which it is known what they hold.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// True at the start.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// What an object holds that was hashed before and is the same still.
    pub(super) fn known(&self, object: &Object) -> Option<Hash> {
        self.known.get(&name_of(object)?).copied()
    }

    /// Keeps what an object holds, as it was read.
    pub(super) fn note(&self, object: &Object, hash: &Hash) {
        let Some(name) = name_of(object) else { return };
        let text = format!("{name:032x} {}", Content::Whole(*hash).hex().unwrap_or_default());
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        pending.1.push_str(&format!("{text} {}\n", check(&text)));
        if pending.1.len() >= TOGETHER * RECORD {
            self.write(&mut pending);
        }
    }

    fn write(&self, (file, text): &mut (File, String)) {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        // After a failure nothing is in its place any more.
        if failed.is_none() {
            *failed = file.write_all(text.as_bytes()).err();
        }
        text.clear();
    }

    /// Ends the run: the state of one that is complete is of no more use, and the next looks at everything.
    ///
    /// # Errors
    /// When the state could not be written or removed.
    pub fn finish(self, is_complete: bool) -> io::Result<()> {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        self.write(&mut pending);
        drop(pending);
        match self.failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(error) => Err(error),
            None if is_complete => fs::remove_file(&self.path),
            None => Ok(()),
        }
    }
}

/// What tells an object in S3, as it is, from all others.
fn name_of(object: &Object) -> Option<u128> {
    let (etag, size) = object.etag.as_deref().zip(object.size)?;
    object.uri.starts_with("s3://").then_some(())?;
    let hash = blake3::hash(format!("{}\n{etag}\n{size}", object.uri).as_bytes());
    Some(hash.as_bytes().iter().take(16).fold(0, |sum, byte| sum << 8 | u128::from(*byte)))
}

fn check(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex().chars().take(16).collect()
}

fn parse(record: &str) -> Option<(u128, Hash)> {
    let (text, sum) = record.strip_suffix('\n')?.rsplit_once(' ')?;
    let (name, hash) = text.split_once(' ')?;
    let Content::Whole(hash) = Content::of_hex(hash)? else { return None };
    (check(text) == sum).then_some((u128::from_str_radix(name, 16).ok()?, hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(uri: &str, etag: Option<&str>, size: u64) -> Object {
        let mut object = Object::named(uri.to_owned());
        (object.etag, object.size) = (etag.map(Into::into), Some(size));
        object
    }

    #[test]
    fn only_the_very_object_is_known_again_and_a_torn_end_is_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let noted = object("s3://trail-bucket/a", Some("\"1\""), 5);
        let others = [
            object("s3://trail-bucket/a", Some("\"2\""), 5),
            object("s3://trail-bucket/a", Some("\"1\""), 6),
            object("s3://trail-bucket/b", Some("\"1\""), 5),
            object("s3://trail-bucket/a", None, 5),
        ];
        let on_disk = object("./a", Some("2026-09-01T00:00:00Z"), 5);
        let resume = Resume::open(&path).unwrap();
        assert!(resume.is_empty());
        resume.note(&noted, &[7; 32]);
        resume.note(&on_disk, &[7; 32]);
        resume.finish(false).unwrap();
        let whole = fs::read(&path).unwrap();
        for cut in [0, 1, RECORD / 2, RECORD - 1, RECORD] {
            let torn = [whole.as_slice(), &whole[HEADER.len()..HEADER.len() + cut]].concat();
            fs::write(&path, torn).unwrap();
            let resume = Resume::open(&path).unwrap();
            assert_eq!((resume.known(&noted), resume.len()), (Some([7; 32]), 1), "{cut}");
            assert!(others.iter().chain([&on_disk]).all(|other| resume.known(other).is_none()));
            resume.note(&others[0], &[8; 32]);
            resume.finish(false).unwrap();
            assert_eq!(Resume::open(&path).unwrap().known(&others[0]), Some([8; 32]), "{cut}");
        }
        // A digit of the hash changed: nothing is believed that its checksum does not hold.
        let mut forged = whole.clone();
        forged[HEADER.len() + 40] ^= 1;
        fs::write(&path, forged).unwrap();
        let resume = Resume::open(&path).unwrap();
        assert!(resume.is_empty());
        resume.finish(true).unwrap();
        assert!(!path.exists());
        fs::write(&path, "somebody's notes, and more of them").unwrap();
        assert!(Resume::open(&path).is_err());
        assert_eq!(fs::read(&path).unwrap(), b"somebody's notes, and more of them");
    }
}
