//! CloudTrail's digest chains: whether logs are what CloudTrail delivered, and whether all of them are there.
//!
//! CloudTrail writes one digest file per trail, account, Region and hour. It lists the log files delivered in that hour
//! with the SHA-256 of their content, names the digest before it with its hash and signature, and is itself signed: the
//! signature stands in the metadata of the object. Nothing here reads, fetches or decompresses; [`crate::pipeline`] does.
//!
//! [`Digest::parse`] reads one digest file, [`PublicKeys`] the keys, [`chain::judge`] one chain, [`Verdicts`] adds up
//! chains and log files. Whoever can write to the bucket writes all of that input: nothing of it is believed before a
//! signature holds, and a name in it is only ever compared with the names of objects that were found.

pub mod chain;
mod coverage;
mod digest;
mod interval;
mod keys;
mod name;
mod problem;
mod signature;
mod verdict;
mod wire;

pub use coverage::{Coverage, Home, Standing};
pub use digest::{Digest, Listed, Malformed, Place, Previous};
pub use interval::Interval;
pub use keys::{KeysError, PublicKeys};
pub use name::{DigestName, Stream};
pub use problem::{Kind, Problem, Verdict};
pub use signature::{Sealed, Signature};
pub use verdict::{Scope, Tally, Verdicts};

/// SHA-256 of the inflated bytes of an object.
pub type Hash = [u8; 32];

/// One hour: what a digest of a regular chain covers.
pub const HOUR_MS: i64 = 3_600_000;

/// Bytes of a text of hexadecimal digits, in either case; None for anything else.
fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let bytes = text.as_bytes();
    if !bytes.len().is_multiple_of(2) {
        return None;
    }
    bytes.chunks_exact(2).map(|pair| Some(digit(*pair.first()?)? << 4 | digit(*pair.last()?)?)).collect()
}

/// Lower-case hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A moment as CloudTrail writes it, in milliseconds.
fn moment(text: &str) -> Option<i64> {
    chrono::DateTime::parse_from_rfc3339(text).ok().map(|time| time.timestamp_millis())
}
