//! The hash of an object's bytes, taken on the way to the decoder.

use std::io::{self, Read};

use sha2::{Digest as _, Sha256};

use crate::report::human::hex;

/// Hashes what is read through it.
pub(super) struct Hashing<'r> {
    source: &'r mut dyn Read,
    hash: Sha256,
    /// The source has no more bytes.
    ended: bool,
}

impl<'r> Hashing<'r> {
    pub(super) fn new(source: &'r mut dyn Read) -> Self {
        Self { source, hash: Sha256::new(), ended: false }
    }

    /// SHA-256 of all bytes, hex. `None` when the reader stopped before the end: the hash of a part proves nothing.
    pub(super) fn finish(self) -> Option<String> {
        // Who knows the length need not ask for more.
        if !self.ended && !matches!(self.source.read(&mut [0]), Ok(0)) {
            return None;
        }
        Some(hex(&self.hash.finalize()))
    }
}

impl Read for Hashing<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        self.hash.update(&buffer[..count]);
        self.ended |= count == 0 && !buffer.is_empty();
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::Hashing;

    #[test]
    fn only_the_whole_has_a_hash() {
        let hash = |wanted: usize| {
            let mut source = b"abc".as_slice();
            let mut hashing = Hashing::new(&mut source);
            let mut bytes = vec![0; wanted];
            let _ = hashing.read(&mut bytes).unwrap();
            hashing.finish()
        };
        // The test vector of FIPS 180-4.
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!((hash(3), hash(10), hash(2)), (Some(abc.into()), Some(abc.into()), None));
    }
}
