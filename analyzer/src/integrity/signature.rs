//! What of a digest is signed, and whether a signature holds.

use super::wire::HeadObject;
use super::{Digest, Hash, PublicKeys, hex, unhex};

/// A signature as the metadata of an object, a sidecar or the next digest states it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// Hexadecimal digits, whatever they are.
    pub hex: String,
    /// Algorithm, where it is stated.
    pub algorithm: Option<String>,
}

/// What a signature comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sealed {
    /// It holds.
    Good,
    /// It does not.
    Bad,
    /// The key is not known.
    UnknownKey,
}

impl Signature {
    /// Reads what `aws s3api head-object` prints of a digest file; None when it states no signature.
    pub fn of_head_object(json: &[u8]) -> Option<Self> {
        let head: HeadObject = serde_json::from_slice(json).ok()?;
        Self::of_metadata(head.metadata.iter().map(|(name, value)| (name.as_str(), value.as_str())))
    }

    /// Reads the metadata of a digest file.
    pub fn of_metadata<'m>(metadata: impl Iterator<Item = (&'m str, &'m str)>) -> Option<Self> {
        let (mut signature, mut algorithm) = (None, None);
        for (name, value) in metadata {
            // S3 gives names in lower case; tools that copy objects may not.
            match name.to_ascii_lowercase().as_str() {
                "signature" => signature = Some(value.to_owned()),
                "signature-algorithm" => algorithm = Some(value.to_owned()),
                _ => {}
            }
        }
        Some(Self { hex: signature?, algorithm })
    }

    /// Whether it holds for a digest whose inflated bytes have this hash.
    pub fn seals(&self, digest: &Digest, hash: &Hash, keys: &PublicKeys) -> Sealed {
        let known = self.algorithm.as_deref().is_none_or(|name| name.eq_ignore_ascii_case("SHA256withRSA"));
        let bytes = unhex(&self.hex).filter(|_| known).unwrap_or_default();
        match keys.verify(&digest.fingerprint, signed(digest, hash).as_bytes(), &bytes) {
            None => Sealed::UnknownKey,
            Some(true) => Sealed::Good,
            Some(false) => Sealed::Bad,
        }
    }
}

/// The text that is signed: end, place, hash of the content, and the signature of the digest before, line by line.
fn signed(digest: &Digest, hash: &Hash) -> String {
    let previous = digest.previous_signature.as_deref().unwrap_or("null");
    format!("{}\n{}/{}\n{}\n{previous}", digest.end, digest.place.bucket, digest.place.key, hex(hash))
}

#[cfg(test)]
#[path = "signature_tests.rs"]
mod tests;
