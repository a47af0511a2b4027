//! What a rule is: data plus one or two functions.

use super::kit::context::Context;
use super::kit::draft::Draft;
use super::kit::mass::Act;
use crate::finding::{Confidence, Severity};
use crate::view::documents::PolicyDocument;
use crate::view::{KeyView, Stores};

/// When a finding may be alerted on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timing {
    /// More data can only make it grow: alert at once.
    Monotone,
    /// Late events may overturn it: alert after the watermark.
    Settled,
}

impl Timing {
    /// Name in outputs.
    pub fn id(self) -> &'static str {
        match self {
            Self::Monotone => "monotone",
            Self::Settled => "settled",
        }
    }
}

/// What a rule finds in all IAM policy documents.
pub(super) type OfDocuments = fn(&[PolicyDocument], &Context<'_>) -> Vec<Draft>;

/// What a rule finds in what was done to custom key stores.
pub(super) type OfStores = fn(&Stores, &Context<'_>) -> Vec<Draft>;

/// What a rule reads. The engine owns everything else: ids, order, severity overrides, suppressions.
#[derive(Clone, Copy, Debug)]
pub struct Detect {
    /// One key's whole story.
    pub key: Option<fn(&KeyView, &Context<'_>) -> Vec<Draft>>,
    /// What one key contributes to a finding about its whole account and Region.
    pub mention: Option<fn(&KeyView, &Context<'_>) -> Option<Mention>>,
    /// What all keys of one account and Region contributed.
    pub account: Option<fn(&AccountView<'_>, &Context<'_>) -> Vec<Draft>>,
    /// All IAM policy documents of the log, in order of time.
    pub documents: Option<OfDocuments>,
    /// What was done to custom key stores.
    pub stores: Option<OfStores>,
}

impl Detect {
    /// Reads nothing: what a rule's own list starts from.
    pub const NONE: Self = Self { key: None, mention: None, account: None, documents: None, stores: None };
}

/// What a rule about a whole account and Region keeps of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mention {
    /// ARN of the key.
    pub arn: String,
    /// Alias, else key id.
    pub label: String,
    /// How many of what the rule counts.
    pub count: u64,
    /// Their weight, where they have one.
    pub amount: u64,
    /// What was done to it, for rules that look at many keys together.
    pub acts: Vec<Act>,
}

/// What the keys of one account and Region contributed.
#[derive(Clone, Copy, Debug)]
pub struct AccountView<'v> {
    /// Account that owns the keys.
    pub account: &'v str,
    /// Region of the keys.
    pub region: &'v str,
    /// The keys by ARN; at least one.
    pub mentions: &'v [Mention],
}

/// One rule. Help, docs, SARIF and configuration keys are views of these statics.
#[derive(Debug)]
pub struct Rule {
    /// Kebab-case id; the stem of its two files.
    pub id: &'static str,
    /// One line, lower case, no full stop.
    pub summary: &'static str,
    /// The rule's page.
    pub doc: &'static str,
    /// Severity of a typical finding; the rule may go above or below and says so in the finding.
    pub severity: Severity,
    /// Confidence of a typical finding.
    pub confidence: Confidence,
    /// When it may alert.
    pub timing: Timing,
    /// ATT&CK technique ids.
    pub attack: &'static [&'static str],
    /// Controls it speaks to.
    pub controls: &'static [&'static str],
    /// How it finds.
    pub detect: Detect,
}
