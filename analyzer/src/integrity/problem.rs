//! What can be wrong, and what that makes of the whole.

/// What verifying came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Everything is there, unchanged and signed.
    #[default]
    Valid,
    /// Nothing speaks against it, yet not everything could be proven.
    Incomplete,
    /// Something was changed or removed.
    Invalid,
}

impl Verdict {
    /// Name in outputs.
    pub fn id(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Incomplete => "incomplete",
            Self::Invalid => "invalid",
        }
    }
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A log file does not hold what its digest says.
    LogTampered,
    /// A log file that a digest lists is not there.
    LogMissing,
    /// A log file is there that no digest of its time lists.
    LogUnlisted,
    /// A digest was changed, damaged or put in another's place.
    DigestTampered,
    /// A digest that the chain names, or that its time asks for, is not there.
    DigestMissing,
    /// Digests that are there do not belong together.
    ChainBroken,
    /// A signature does not hold.
    SignatureInvalid,
    /// A digest without a signature: neither metadata nor a later digest state it.
    SignatureMissing,
    /// The key that a digest is signed with was not given.
    KeyUnknown,
    /// Time that was asked for, or that log files are of, without a digest.
    NotCovered,
}

impl Kind {
    /// All of them, worst first.
    pub const ALL: [Self; 10] = [
        Self::LogTampered,
        Self::LogMissing,
        Self::LogUnlisted,
        Self::DigestTampered,
        Self::DigestMissing,
        Self::ChainBroken,
        Self::SignatureInvalid,
        Self::SignatureMissing,
        Self::KeyUnknown,
        Self::NotCovered,
    ];

    /// Name in outputs.
    pub fn id(self) -> &'static str {
        match self {
            Self::LogTampered => "log-tampered",
            Self::LogMissing => "log-missing",
            Self::LogUnlisted => "log-unlisted",
            Self::DigestTampered => "digest-tampered",
            Self::DigestMissing => "digest-missing",
            Self::ChainBroken => "chain-broken",
            Self::SignatureInvalid => "signature-invalid",
            Self::SignatureMissing => "signature-missing",
            Self::KeyUnknown => "key-unknown",
            Self::NotCovered => "not-covered",
        }
    }

    /// What it means, for people.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::LogTampered => "log files do not hold what CloudTrail delivered",
            Self::LogMissing => "log files that CloudTrail delivered are not there",
            Self::LogUnlisted => "log files that no digest of their time lists",
            Self::DigestTampered => "digests were changed, damaged or put in another's place",
            Self::DigestMissing => "digests are not there",
            Self::ChainBroken => "digests that do not belong together",
            Self::SignatureInvalid => "signatures that do not hold",
            Self::SignatureMissing => "digests whose signature is not known",
            Self::KeyUnknown => "digests signed with a key that is not among the public keys given",
            Self::NotCovered => "time without a digest",
        }
    }

    /// What it makes of the whole, where nothing softens it.
    pub fn verdict(self) -> Verdict {
        match self {
            Self::SignatureMissing | Self::KeyUnknown | Self::NotCovered => Verdict::Incomplete,
            _ => Verdict::Invalid,
        }
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What kind of thing.
    pub kind: Kind,
    /// What it makes of the whole.
    pub verdict: Verdict,
    /// The object: its URI as it was found, or where it should stand.
    pub object: String,
    /// Account whose logs it concerns.
    pub account: String,
    /// Region whose logs it concerns.
    pub region: String,
    /// Start of the time that it concerns, milliseconds; times are those of delivery.
    pub from: Option<i64>,
    /// End of it, excluded.
    pub to: Option<i64>,
    /// More in words, with names from the input; may be empty.
    pub detail: String,
}
