//! What a rule is: data plus one function.

use crate::finding::{Confidence, Severity};

/// When a finding may be alerted on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timing {
    /// More data can only make it grow: alert at once.
    Monotone,
    /// Late events may overturn it: alert after the watermark.
    Settled,
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
}
