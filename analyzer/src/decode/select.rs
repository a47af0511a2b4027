//! THE table of which records matter.

/// Why a record is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// An event of `kms.amazonaws.com`.
    Kms,
    /// Another service's failure that a key caused.
    Failure,
    /// Binds a key to a resource (PutBucketEncryption, CreateVolume with a key, ...).
    Binding,
    /// Carries an IAM policy document.
    IamPolicy,
    /// Starts, stops or narrows a trail.
    TrailControl,
}

impl Class {
    /// Every class.
    pub const ALL: [Self; 5] = [Self::Kms, Self::Failure, Self::Binding, Self::IamPolicy, Self::TrailControl];

    /// Name in the `class` column.
    pub fn id(self) -> &'static str {
        match self {
            Self::Kms => "kms",
            Self::Failure => "failure",
            Self::Binding => "binding",
            Self::IamPolicy => "iam-policy",
            Self::TrailControl => "trail-control",
        }
    }
}
