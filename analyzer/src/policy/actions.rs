//! KMS actions, as policies name them, and what each is good for.

use super::document::Selection;
use super::pattern::matches_ignoring_case;

/// What an action lets its caller do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Change the key, its policy, state, material, aliases or tags.
    Administer,
    /// Create and end grants.
    Grant,
    /// Encrypt, decrypt, sign, verify with it.
    Use,
    /// Learn about it.
    Metadata,
}

impl Class {
    /// Stable name.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Administer => "administer",
            Self::Grant => "grant",
            Self::Use => "use",
            Self::Metadata => "metadata",
        }
    }
}

use Class::{Administer, Grant, Metadata, Use};

/// Name of each action, its class, and whether a key policy can give it to another account: KMS ignores the others there.
const ACTIONS: [(&str, Class, bool); 58] = [
    ("CancelKeyDeletion", Administer, false),
    ("ConnectCustomKeyStore", Administer, false),
    ("CreateAlias", Administer, false),
    ("CreateCustomKeyStore", Administer, false),
    ("CreateGrant", Grant, true),
    ("CreateKey", Administer, false),
    ("Decapsulate", Use, true),
    ("Decrypt", Use, true),
    ("DeleteAlias", Administer, false),
    ("DeleteCustomKeyStore", Administer, false),
    ("DeleteImportedKeyMaterial", Administer, false),
    ("DeriveSharedSecret", Use, true),
    ("DescribeCustomKeyStores", Metadata, false),
    ("DescribeKey", Metadata, true),
    ("DisableKey", Administer, false),
    ("DisableKeyRotation", Administer, false),
    ("DisconnectCustomKeyStore", Administer, false),
    ("EnableKey", Administer, false),
    ("EnableKeyRotation", Administer, false),
    ("Encapsulate", Use, true),
    ("Encrypt", Use, true),
    ("GenerateDataKey", Use, true),
    ("GenerateDataKeyPair", Use, true),
    ("GenerateDataKeyPairWithoutPlaintext", Use, true),
    ("GenerateDataKeyWithoutPlaintext", Use, true),
    ("GenerateMac", Use, true),
    ("GenerateRandom", Metadata, false),
    ("GetKeyLastUsage", Metadata, false),
    ("GetKeyPolicy", Metadata, false),
    ("GetKeyRotationStatus", Metadata, true),
    ("GetParametersForImport", Metadata, false),
    ("GetPublicKey", Metadata, true),
    ("ImportKeyMaterial", Administer, false),
    ("ListAliases", Metadata, false),
    ("ListGrants", Metadata, true),
    ("ListKeyPolicies", Metadata, false),
    ("ListKeyRotations", Metadata, false),
    ("ListKeys", Metadata, false),
    ("ListResourceTags", Metadata, false),
    ("ListRetirableGrants", Metadata, false),
    ("PutKeyPolicy", Administer, false),
    ("ReEncryptFrom", Use, true),
    ("ReEncryptTo", Use, true),
    ("ReplicateKey", Administer, false),
    ("RetireGrant", Grant, true),
    ("RevokeGrant", Grant, true),
    ("RotateKeyOnDemand", Administer, false),
    ("ScheduleKeyDeletion", Administer, false),
    ("Sign", Use, true),
    ("SynchronizeMultiRegionKey", Administer, false),
    ("TagResource", Administer, false),
    ("UntagResource", Administer, false),
    ("UpdateAlias", Administer, false),
    ("UpdateCustomKeyStore", Administer, false),
    ("UpdateKeyDescription", Administer, false),
    ("UpdatePrimaryRegion", Administer, false),
    ("Verify", Use, true),
    ("VerifyMac", Use, true),
];

/// Stands for a `kms:` action that this table does not have. KMS may have got it since.
const UNKNOWN: u64 = 1 << 63;

/// A set of KMS actions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ActionSet(u64);

impl ActionSet {
    /// No action.
    pub const EMPTY: Self = Self(0);

    /// Every action, also those that the table does not have.
    pub const ALL: Self = Self(((1 << ACTIONS.len()) - 1) | UNKNOWN);

    /// Actions that a statement is about. Actions of other services are left out.
    pub fn of(selection: &Selection<String>) -> Self {
        let listed = selection.items.iter().fold(Self::EMPTY, |set, pattern| set.and_also(Self::matching(pattern)));
        if selection.except { Self::ALL.without(listed) } else { listed }
    }

    /// Actions that a pattern matches: `kms:Decrypt`, `kms:Re*`, `*`.
    pub(super) fn matching(pattern: &str) -> Self {
        let ours = pattern.get(..4).is_some_and(|service| service.eq_ignore_ascii_case("kms:"));
        let mut set = 0;
        for (index, (name, ..)) in ACTIONS.iter().enumerate() {
            let found = match pattern.get(4..) {
                Some(rest) if ours => matches_ignoring_case(rest, name),
                // A pattern without a star names one service in full.
                _ => pattern.contains('*') && matches_ignoring_case(pattern, &format!("kms:{name}")),
            };
            if found {
                set |= 1 << index;
            }
        }
        if (set == 0 && ours) || pattern == "*" || pattern.eq_ignore_ascii_case("kms:*") {
            set |= UNKNOWN;
        }
        Self(set)
    }

    /// The actions with these names, which must be in the table.
    pub(super) fn named(names: &[&str]) -> Self {
        let is_named = |(name, ..): &(&str, Class, bool)| names.contains(name);
        Self::filter(is_named)
    }

    /// All actions of a class.
    pub(super) fn class(class: Class) -> Self {
        let set = Self::filter(|(_, of, _)| *of == class);
        // What KMS added since is most likely a way to use a key.
        if class == Use { Self(set.0 | UNKNOWN) } else { set }
    }

    /// Actions that a key policy can give to other accounts.
    pub(super) fn across_accounts() -> Self {
        Self(Self::filter(|(.., across)| *across).0 | UNKNOWN)
    }

    fn filter(wanted: impl Fn(&(&str, Class, bool)) -> bool) -> Self {
        Self(
            ACTIONS.iter().enumerate().filter(|(_, action)| wanted(action)).fold(0, |set, (index, _)| set | 1 << index),
        )
    }

    pub(super) const fn and_also(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub(super) const fn within(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// True if the set has no action.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// True if the two sets share an action.
    pub(super) const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// True if the action of this name, without `kms:`, is in the set.
    pub fn contains(self, name: &str) -> bool {
        self.meets(Self::named(&[name]))
    }

    /// Names in the set, in the order of the alphabet; actions that the table does not have are left out.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        ACTIONS.iter().enumerate().filter(move |(index, _)| self.0 & 1 << index != 0).map(|(_, (name, ..))| *name)
    }

    /// Classes of the actions in the set.
    pub fn classes(self) -> Vec<Class> {
        [Administer, Grant, Use, Metadata].into_iter().filter(|class| self.meets(Self::class(*class))).collect()
    }

    /// Actions that give away what a key protects: they open ciphertexts or speak in the key's name.
    pub(super) fn secrets() -> Self {
        Self::named(&["Decrypt", "ReEncryptFrom", "DeriveSharedSecret", "Decapsulate", "Sign", "GenerateMac"])
    }

    /// Administration that can destroy a key, take it away or hand it over.
    pub(super) fn control() -> Self {
        Self::named(&[
            "PutKeyPolicy",
            "ScheduleKeyDeletion",
            "DisableKey",
            "DeleteImportedKeyMaterial",
            "ImportKeyMaterial",
            "ReplicateKey",
            "UpdatePrimaryRegion",
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_its_names_are_found() {
        assert!(ACTIONS.windows(2).all(|pair| pair[0].0 < pair[1].0));
        for (name, class, _) in ACTIONS {
            assert_eq!(ActionSet::matching(&format!("KMS:{}", name.to_uppercase())), ActionSet::named(&[name]));
            assert!(ActionSet::class(class).contains(name));
        }
        assert_eq!(ActionSet::secrets().names().count(), 6);
        assert_eq!(ActionSet::control().names().count(), 7);
    }

    #[test]
    fn patterns() {
        let names = |pattern| ActionSet::matching(pattern).names().collect::<Vec<_>>();
        assert_eq!(names("kms:ReEncrypt*"), ["ReEncryptFrom", "ReEncryptTo"]);
        assert_eq!(names("kms:?ecrypt"), ["Decrypt"]);
        assert_eq!(names("s3:GetObject"), [""; 0]);
        assert_eq!(ActionSet::matching("*"), ActionSet::ALL);
        assert_eq!(ActionSet::matching("kms:*"), ActionSet::ALL);
        assert_eq!(ActionSet::matching("kms:Foresee"), ActionSet(UNKNOWN));
        let except = Selection { except: true, items: vec!["kms:*".to_owned()] };
        assert!(ActionSet::of(&except).is_empty());
    }
}
