//! What a policy lets happen that its owner may not want.

use super::actions::Class;
use crate::finding::{Confidence, Severity};

/// Something that a policy allows and should be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exposure {
    /// What it is.
    pub kind: Kind,
    /// How bad it is, as far as the document tells.
    pub severity: Severity,
    /// How sure it is that the document allows it.
    pub confidence: Confidence,
    /// Index of the allowing statement, from 0.
    pub statement: usize,
    /// Its `Sid`.
    pub sid: Option<String>,
    /// Who may do it, sorted; empty for an IAM policy, which does not tell.
    pub principals: Vec<String>,
    /// What they may do.
    pub actions: Vec<Class>,
    /// One sentence without a full stop, for people. Parts of it come from the document: escape it at the output.
    pub reason: String,
}

/// Kind of an exposure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Any AWS account is let in.
    PublicAccess,
    /// An account that is neither the owner's nor trusted.
    ForeignAccount,
    /// A trusted account that may hand out grants as it likes.
    TrustedAccountControl,
    /// Another account of the own organization uses the key.
    MemberAccount,
    /// An organization that is not the owner's.
    ForeignOrganization,
    /// An organization, and the settings do not say which one is ours.
    UnplacedOrganization,
    /// Every principal of the account, the organization or a network may change or hand over the key, or an AWS service.
    BroadControl,
    /// An AWS service, whoever it works for.
    ConfusedDeputy,
    /// An identity provider: whoever signs in there.
    FederatedPrincipal,
    /// A principal that AWS does not accept or that cannot be placed.
    UnreadablePrincipal,
    /// The id of a user or role that was deleted.
    DeletedPrincipal,
    /// One principal both administers the key and uses it.
    AdminAndUser,
    /// A principal of the own account may hand the key to anybody by a grant.
    UnrestrictedGrant,
    /// An IAM policy opens the ciphertexts of every key: what KMS.1 and KMS.2 of AWS Security Hub ask for, except that
    /// these two look at no condition.
    DecryptAllKeys,
    /// An IAM policy hands out grants for every key.
    GrantAllKeys,
    /// An IAM policy can take away, destroy or hand over every key.
    AdministerAllKeys,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 16] = [
        Self::PublicAccess,
        Self::ForeignAccount,
        Self::TrustedAccountControl,
        Self::MemberAccount,
        Self::ForeignOrganization,
        Self::UnplacedOrganization,
        Self::BroadControl,
        Self::ConfusedDeputy,
        Self::FederatedPrincipal,
        Self::UnreadablePrincipal,
        Self::DeletedPrincipal,
        Self::AdminAndUser,
        Self::UnrestrictedGrant,
        Self::DecryptAllKeys,
        Self::GrantAllKeys,
        Self::AdministerAllKeys,
    ];

    /// Stable name.
    pub const fn id(self) -> &'static str {
        match self {
            Self::PublicAccess => "public-access",
            Self::ForeignAccount => "foreign-account",
            Self::TrustedAccountControl => "trusted-account-control",
            Self::MemberAccount => "member-account",
            Self::ForeignOrganization => "foreign-organization",
            Self::UnplacedOrganization => "unplaced-organization",
            Self::BroadControl => "broad-control",
            Self::ConfusedDeputy => "confused-deputy",
            Self::FederatedPrincipal => "federated-principal",
            Self::UnreadablePrincipal => "unreadable-principal",
            Self::DeletedPrincipal => "deleted-principal",
            Self::AdminAndUser => "admin-and-user",
            Self::UnrestrictedGrant => "unrestricted-grant",
            Self::DecryptAllKeys => "decrypt-all-keys",
            Self::GrantAllKeys => "grant-all-keys",
            Self::AdministerAllKeys => "administer-all-keys",
        }
    }
}
