//! Files beside the logs that the command line names. Each is read whole, and none without an end: a device, a pipe or a
//! log in the wrong place must not fill the memory.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use crate::report::human;

/// What people write by hand: a configuration, a framework.
pub(super) const BY_HAND: u64 = 16 << 20;

/// The bytes of a file.
///
/// # Errors
/// When it cannot be read, or has more than `most` bytes. What its length is said to be does not count: a pipe says 0.
pub(super) fn bytes(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::Error::other(format!("it has more than {}", human::bytes(most))));
    }
    Ok(bytes)
}

/// The text of a file.
///
/// # Errors
/// As of [`bytes`], and when it is not UTF-8.
pub(super) fn text(path: &Path, most: u64) -> io::Result<String> {
    String::from_utf8(bytes(path, most)?).map_err(|_| io::Error::other("it is not text"))
}
