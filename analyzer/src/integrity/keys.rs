//! The public keys that digests are signed with.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};

use super::hex;
use super::wire::KeyList;

/// Keys by fingerprint.
#[derive(Clone, Debug, Default)]
pub struct PublicKeys {
    /// DER of a PKCS #1 `RSAPublicKey`.
    keys: BTreeMap<String, Vec<u8>>,
}

/// Why keys cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeysError {
    /// Not what the AWS CLI prints.
    #[error("not what `aws cloudtrail list-public-keys` prints: {0}")]
    Json(String),
    /// A key that is none.
    #[error("key {0} is no RSA public key in base64")]
    NoKey(String),
    /// A key that does not belong to its fingerprint: the file was damaged or changed.
    #[error("key {0} does not have this fingerprint: the file was damaged or changed")]
    WrongFingerprint(String),
    /// Nothing in it.
    #[error("no key in it")]
    Empty,
}

impl PublicKeys {
    /// Adds the keys of a file: what `aws cloudtrail list-public-keys` prints, once or for several Regions one after the
    /// other. A key that was there before is the same key: its name is the MD5 of its bytes.
    ///
    /// # Errors
    /// When a key or the file as a whole cannot be used. Who gives a damaged file shall hear of it at once.
    pub fn add(&mut self, json: &[u8]) -> Result<(), KeysError> {
        let mut count = 0;
        for document in KeyList::all(json) {
            let document = document.map_err(|error| KeysError::Json(error.to_string()))?;
            for key in document.keys {
                let fingerprint = key.fingerprint.to_ascii_lowercase();
                let der = STANDARD.decode(key.value.trim()).ok();
                let Some((der, bare)) = der.as_deref().and_then(|der| Some((der, bare(der)?))) else {
                    return Err(KeysError::NoKey(fingerprint));
                };
                if hex(&Md5::digest(der)) != fingerprint {
                    return Err(KeysError::WrongFingerprint(fingerprint));
                }
                self.keys.insert(fingerprint, bare.to_vec());
                count += 1;
            }
        }
        if count == 0 { Err(KeysError::Empty) } else { Ok(()) }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// True without any.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Whether a signature (PKCS #1 v1.5, SHA-256) by the key of this fingerprint holds for a message; None when the key is
    /// not here.
    pub(super) fn verify(&self, fingerprint: &str, message: &[u8], signature: &[u8]) -> Option<bool> {
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, self.keys.get(fingerprint)?);
        Some(key.verify(message, signature).is_ok())
    }
}

/// The key itself: CloudTrail's keys are documented as PKCS #1, yet one of the documented samples is wrapped in a
/// `SubjectPublicKeyInfo`.
fn bare(der: &[u8]) -> Option<&[u8]> {
    /// `AlgorithmIdentifier` of rsaEncryption, with its NULL.
    const RSA: [u8; 15] = [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];
    let inside = sequence(der, 0x30)?;
    match inside.strip_prefix(&RSA) {
        // A BIT STRING without unused bits.
        Some(rest) => sequence(rest, 0x03)?.strip_prefix(&[0]).filter(|key| sequence(key, 0x30).is_some()),
        None => inside.starts_with(&[0x02]).then_some(der),
    }
}

/// The content of a DER element of a kind that is all there is.
fn sequence(der: &[u8], tag: u8) -> Option<&[u8]> {
    let (head, rest) = der.split_first_chunk::<2>()?;
    let (len, content) = match head[1] {
        short @ ..=0x7f => (usize::from(short), rest),
        0x81 => rest.split_first().map(|(len, rest)| (usize::from(*len), rest))?,
        0x82 => rest.split_first_chunk::<2>().map(|(len, rest)| (usize::from(u16::from_be_bytes(*len)), rest))?,
        _ => return None,
    };
    (head[0] == tag && content.len() == len).then_some(content)
}

#[cfg(test)]
#[path = "keys_tests.rs"]
mod tests;
