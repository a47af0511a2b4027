//! One digest file: total, whatever its bytes.

use super::wire::DigestFile;
use super::{Hash, moment, unhex};

/// Where an object was written, as a digest states it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Bucket.
    pub bucket: String,
    /// Key.
    pub key: String,
}

impl Place {
    /// As a URI.
    pub fn uri(&self) -> String {
        format!("s3://{}/{}", self.bucket, self.key)
    }
}

/// A log file that a digest lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Where it was written.
    pub place: Place,
    /// What it holds.
    pub hash: Hash,
}

/// The digest before another, as that one names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Previous {
    /// Where it was written.
    pub place: Place,
    /// What it holds.
    pub hash: Option<Hash>,
}

/// What a digest file states. Nothing of it is proven by being parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest {
    /// Account whose logs it covers.
    pub account: String,
    /// Start of the time of delivery that it covers, milliseconds.
    pub from: i64,
    /// End of it, excluded.
    pub to: i64,
    /// The end as it is written: that text is signed.
    pub end: String,
    /// Where it was written.
    pub place: Place,
    /// Names the key that it is signed with.
    pub fingerprint: String,
    /// The digest before it; None at the start of a chain.
    pub previous: Option<Previous>,
    /// Signature of the digest before it, as it is written: that text is signed.
    pub previous_signature: Option<String>,
    /// Log files delivered in its time.
    pub logs: Vec<Listed>,
}

/// Why bytes are no digest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Not the JSON of a digest.
    #[error("not the JSON of a digest: {0}")]
    Json(String),
    /// A member that cannot be used.
    #[error("`{member}` is no {wanted}")]
    Member {
        /// Its name.
        member: &'static str,
        /// What it should be.
        wanted: &'static str,
    },
    /// It ends before it starts.
    #[error("it ends before it starts")]
    Backwards,
}

impl Digest {
    /// Reads the inflated bytes of a digest file. Members that nothing here needs may be missing or new.
    ///
    /// # Errors
    /// When a member is missing without which nothing could be verified, or is not what it should be.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let raw: DigestFile = serde_json::from_slice(bytes).map_err(|error| Malformed::Json(error.to_string()))?;
        let time = |member, text: &str| moment(text).ok_or(Malformed::Member { member, wanted: "time" });
        let (from, to) = (time("digestStartTime", &raw.start)?, time("digestEndTime", &raw.end)?);
        if to < from {
            return Err(Malformed::Backwards);
        }
        algorithm("digestSignatureAlgorithm", raw.signature_algorithm.as_deref(), "SHA256withRSA")?;
        algorithm("previousDigestHashAlgorithm", raw.previous_hash_algorithm.as_deref(), "SHA-256")?;
        let previous_hash = raw.previous_hash.map(|text| hash("previousDigestHashValue", &text)).transpose()?;
        let previous = match (raw.previous_bucket, raw.previous_key) {
            (Some(bucket), Some(key)) => Some(Previous { place: Place { bucket, key }, hash: previous_hash }),
            (None, None) => None,
            _ => return Err(Malformed::Member { member: "previousDigestS3Object", wanted: "place" }),
        };
        let logs = raw.logs.unwrap_or_default().into_iter().map(|log| {
            algorithm("hashAlgorithm", log.algorithm.as_deref(), "SHA-256")?;
            Ok(Listed { place: Place { bucket: log.bucket, key: log.key }, hash: hash("hashValue", &log.hash)? })
        });
        Ok(Self {
            logs: logs.collect::<Result<_, _>>()?,
            account: raw.account,
            from,
            to,
            end: raw.end,
            place: Place { bucket: raw.bucket, key: raw.key },
            fingerprint: raw.fingerprint.to_ascii_lowercase(),
            previous,
            previous_signature: raw.previous_signature,
        })
    }
}

fn hash(member: &'static str, text: &str) -> Result<Hash, Malformed> {
    let bytes = unhex(text).and_then(|bytes| Hash::try_from(bytes).ok());
    bytes.ok_or(Malformed::Member { member, wanted: "SHA-256 in hexadecimal digits" })
}

/// Another algorithm is another recipe: what it would prove is not known here.
fn algorithm(member: &'static str, found: Option<&str>, wanted: &'static str) -> Result<(), Malformed> {
    if found.is_none_or(|found| found.eq_ignore_ascii_case(wanted)) {
        Ok(())
    } else {
        Err(Malformed::Member { member, wanted })
    }
}

#[cfg(test)]
#[path = "digest_tests.rs"]
mod tests;
