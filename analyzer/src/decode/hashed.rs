//! The hash of inflated bytes, taken while records are read from them: what is vouched for is what was read.

use sha2::{Digest as _, Sha256};

use super::gzip::Taker;

/// SHA-256 of all inflated bytes of an object.
pub type Content = [u8; 32];

/// Hashes what another takes.
pub(super) struct Hashed<'t> {
    taker: &'t mut dyn Taker,
    hash: Sha256,
    /// Bytes that come again, and are in the hash.
    again: usize,
}

impl<'t> Hashed<'t> {
    pub(super) fn new(taker: &'t mut dyn Taker) -> Self {
        Self { taker, hash: Sha256::new(), again: 0 }
    }

    pub(super) fn finish(self) -> Content {
        self.hash.finalize().into()
    }
}

impl Taker for Hashed<'_> {
    fn stage(&mut self) {
        self.taker.stage();
    }

    fn take(&mut self, bytes: &[u8], last: bool) -> usize {
        self.hash.update(bytes.get(self.again..).unwrap_or_default());
        let done = self.taker.take(bytes, last);
        self.again = bytes.len().saturating_sub(done);
        done
    }
}
