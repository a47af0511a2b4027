//! The hash of inflated bytes, taken while records are read from them: what is vouched for is what was read.

use sha2::{Digest as _, Sha256};

use super::gzip::{Outcome, Taker};

/// What an object holds, as far as that can be compared with what a digest states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// SHA-256 of all inflated bytes of one sound stream.
    Whole([u8; 32]),
    /// It is not the one gzip stream that CloudTrail writes: damaged, several, or followed by other bytes.
    Unsound,
}

impl Content {
    /// The hash in lower-case hexadecimal digits; None of what is unsound.
    pub fn hex(self) -> Option<String> {
        match self {
            Self::Whole(hash) => Some(hash.iter().map(|byte| format!("{byte:02x}")).collect()),
            Self::Unsound => None,
        }
    }

    /// Reads [`Self::hex`].
    pub fn of_hex(text: &str) -> Option<Self> {
        let digits = text.as_bytes().chunks(2).map(|pair| {
            let pair =
                std::str::from_utf8(pair).ok().filter(|pair| pair.bytes().all(|digit| digit.is_ascii_hexdigit()));
            u8::from_str_radix(pair?, 16).ok()
        });
        let bytes: Vec<u8> = digits.collect::<Option<_>>()?;
        (text.len() == 64).then(|| bytes.try_into().ok().map(Self::Whole)).flatten()
    }
}

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

    /// What the object holds; None when it was not read to its end, for a reason that is not its own.
    pub(super) fn finish(self, outcome: &Outcome) -> Option<Content> {
        match outcome.skip {
            None if outcome.trailing || outcome.several => Some(Content::Unsound),
            None => Some(Content::Whole(self.hash.finalize().into())),
            Some(reason) if reason.is_damage() => Some(Content::Unsound),
            Some(_) => None,
        }
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
