//! What answers say of one key.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::call::Call;

/// Who said something, and when.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp {
    /// When KMS said it, milliseconds. Of a file that does not say it, when the file was written.
    pub captured_at: i64,
    /// The file that it stands in, and how that came about.
    pub source: Arc<str>,
    /// The file alone.
    pub file: Arc<str>,
}

/// Something that was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact<T> {
    /// What.
    pub value: T,
    /// By whom and when.
    pub stamp: Stamp,
}

/// What a key is. It does not change in the life of the key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kind {
    /// `SYMMETRIC_DEFAULT`, `RSA_2048`, …
    pub spec: Option<String>,
    /// `ENCRYPT_DECRYPT`, …
    pub usage: Option<String>,
    /// `AWS_KMS`, `EXTERNAL`, `AWS_CLOUDHSM`, `EXTERNAL_KEY_STORE`.
    pub origin: Option<String>,
    /// `CUSTOMER` or `AWS`.
    pub manager: Option<String>,
    /// When it was created, milliseconds.
    pub created: Option<i64>,
    /// Custom key store that holds it.
    pub custom_key_store: Option<String>,
}

/// How a key stood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// KMS's name of the state.
    pub state: Option<String>,
    /// When it will be deleted, milliseconds.
    pub deletion: Option<i64>,
    /// When its imported material expires, milliseconds.
    pub expires: Option<i64>,
    /// `PRIMARY` or `REPLICA` of a multi-Region key.
    pub multi_region: Option<String>,
    /// ARN of the primary of a multi-Region key.
    pub primary: Option<String>,
}

/// Automatic rotation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RotationStatus {
    /// On or off.
    pub enabled: bool,
    /// Days between rotations while it is on.
    pub period_days: Option<i64>,
    /// When the next one is due, milliseconds.
    pub next: Option<i64>,
}

/// Rotations that happened: time in milliseconds, and `AUTOMATIC` or `ON_DEMAND`; in order of time.
pub type Rotations = Vec<(i64, Option<String>)>;

/// A key policy: the document as text.
pub type Policy = String;

/// Grants that are open, by id.
pub type Grants = BTreeMap<String, Grant>;

/// Aliases.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Aliases {
    /// Their names (`alias/…`), sorted.
    pub names: Vec<String>,
    /// There are no others.
    pub all: bool,
}

/// One grant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grant {
    /// When it was created, milliseconds.
    pub created: Option<i64>,
    /// Who may use it.
    pub grantee: Option<String>,
    /// Who may retire it.
    pub retiring: Option<String>,
    /// Account that issued it.
    pub issuer: Option<String>,
    /// What it allows.
    pub operations: Vec<String>,
    /// Its constraints, as JSON text.
    pub constraints: Option<String>,
}

/// Everything that an inventory says of a key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyFacts {
    /// Key ARN.
    pub arn: String,
    /// Key id.
    pub id: String,
    /// Account of the key.
    pub account: String,
    /// Region of the key.
    pub region: String,
    /// What it is.
    pub kind: Option<Fact<Kind>>,
    /// How it stood.
    pub standing: Option<Fact<Standing>>,
    /// Automatic rotation.
    pub rotation: Option<Fact<RotationStatus>>,
    /// Rotations that happened.
    pub rotations: Option<Fact<Rotations>>,
    /// Key policy.
    pub policy: Option<Fact<Policy>>,
    /// Open grants; all of them.
    pub grants: Option<Fact<Grants>>,
    /// Aliases.
    pub aliases: Option<Fact<Aliases>>,
    /// State of the connection of its custom key store.
    pub store: Option<Fact<String>>,
    /// Tags.
    pub tags: Option<Fact<BTreeMap<String, String>>>,
    /// What was asked and not answered.
    pub refused: Vec<Refusal>,
}

impl KeyFacts {
    /// The latest instant at which KMS said something of it.
    pub fn captured_at(&self) -> Option<i64> {
        let stamps = [
            self.kind.as_ref().map(|fact| &fact.stamp),
            self.standing.as_ref().map(|fact| &fact.stamp),
            self.rotation.as_ref().map(|fact| &fact.stamp),
            self.rotations.as_ref().map(|fact| &fact.stamp),
            self.policy.as_ref().map(|fact| &fact.stamp),
            self.grants.as_ref().map(|fact| &fact.stamp),
            self.aliases.as_ref().map(|fact| &fact.stamp),
            self.store.as_ref().map(|fact| &fact.stamp),
            self.tags.as_ref().map(|fact| &fact.stamp),
        ];
        stamps.into_iter().flatten().map(|stamp| stamp.captured_at).max()
    }
}

/// What was asked and not answered.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Refusal {
    /// The call.
    pub call: Call,
    /// Account that was asked about; empty when that is not known.
    pub account: String,
    /// Region that was asked; empty for calls without one.
    pub region: String,
    /// Key ARN, for calls about a key.
    pub key: Option<String>,
    /// Why, in one word: `access-denied`, `throttled`, …
    pub reason: String,
    /// What the service said.
    pub detail: String,
    /// When and where it stands.
    pub stamp: Stamp,
}

/// What an inventory says of an account and Region.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The keys were listed, all of them.
    pub listed: Option<Stamp>,
}
