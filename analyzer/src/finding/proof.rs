//! What vouches for the object that a record stands in.

/// What the digests say of the bytes that were read. In the order in which one verdict overrules another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Vouched {
    /// Nobody looked.
    #[default]
    Unverified,
    /// No digest covers its time, or none does yet.
    NotCovered,
    /// A digest lists these bytes; that digest itself is not proven.
    Unproven,
    /// A digest that CloudTrail signed lists exactly these bytes.
    Valid,
    /// Signed digests cover its time, and none of them knows it.
    Unlisted,
    /// A digest lists other bytes under its name.
    Tampered,
}

impl Vouched {
    /// Name in outputs.
    pub fn id(self) -> &'static str {
        match self {
            Self::Unverified => "unverified",
            Self::NotCovered => "not-covered",
            Self::Unproven => "unproven",
            Self::Valid => "valid",
            Self::Unlisted => "unlisted",
            Self::Tampered => "tampered",
        }
    }

    /// How much can be built on it; of two that may be meant, the lesser counts.
    pub fn weight(self) -> u8 {
        match self {
            Self::Tampered => 0,
            Self::Unlisted => 1,
            Self::Unverified => 2,
            Self::NotCovered => 3,
            Self::Unproven => 4,
            Self::Valid => 5,
        }
    }

    /// Every verdict, in the order of outputs.
    pub const ALL: [Self; 6] =
        [Self::Valid, Self::Tampered, Self::Unlisted, Self::Unproven, Self::NotCovered, Self::Unverified];
}

/// The object of a record, as it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proof {
    /// SHA-256 of its bytes as stored, hex; `None` when it was not read to its end.
    pub sha256: Option<String>,
    /// What the digests say of it.
    pub vouched: Vouched,
}
