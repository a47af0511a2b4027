//! THE table of calls that an inventory is made of.

/// A read-only call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Call {
    /// Keys of an account and Region.
    ListKeys,
    /// What a key is, and its state.
    DescribeKey,
    /// Automatic rotation.
    GetKeyRotationStatus,
    /// Rotations that happened.
    ListKeyRotations,
    /// The key policy.
    GetKeyPolicy,
    /// Grants that are open.
    ListGrants,
    /// Aliases of an account and Region.
    ListAliases,
    /// Tags of a key.
    ListResourceTags,
    /// Custom key stores of an account and Region.
    DescribeCustomKeyStores,
    /// Regions that an account has enabled.
    ListRegions,
    /// Accounts of an organization.
    ListAccounts,
    /// Credentials for another account.
    AssumeRole,
}

impl Call {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::ListKeys,
        Self::DescribeKey,
        Self::GetKeyRotationStatus,
        Self::ListKeyRotations,
        Self::GetKeyPolicy,
        Self::ListGrants,
        Self::ListAliases,
        Self::ListResourceTags,
        Self::DescribeCustomKeyStores,
        Self::ListRegions,
        Self::ListAccounts,
        Self::AssumeRole,
    ];

    /// What IAM calls the right to make it.
    pub fn action(self) -> &'static str {
        match self {
            Self::ListKeys => "kms:ListKeys",
            Self::DescribeKey => "kms:DescribeKey",
            Self::GetKeyRotationStatus => "kms:GetKeyRotationStatus",
            Self::ListKeyRotations => "kms:ListKeyRotations",
            Self::GetKeyPolicy => "kms:GetKeyPolicy",
            Self::ListGrants => "kms:ListGrants",
            Self::ListAliases => "kms:ListAliases",
            Self::ListResourceTags => "kms:ListResourceTags",
            Self::DescribeCustomKeyStores => "kms:DescribeCustomKeyStores",
            Self::ListRegions => "account:ListRegions",
            Self::ListAccounts => "organizations:ListAccounts",
            Self::AssumeRole => "sts:AssumeRole",
        }
    }

    /// Its name.
    pub fn id(self) -> &'static str {
        self.action().split_once(':').map_or("", |(_, name)| name)
    }

    /// The call of this name.
    pub fn find(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|call| call.id() == id)
    }
}
