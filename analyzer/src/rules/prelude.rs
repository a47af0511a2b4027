//! What every rule imports.

pub(super) use super::kit::context::{Context, short_principal, short_service};
pub(super) use super::kit::draft::{Draft, event_detail, text_or_null};
pub(super) use super::kit::time::{DAY, HOUR, MINUTE, instant, length, plural};
pub(super) use super::rule::{AccountView, Detect, Mention, Rule, Timing};
pub(super) use crate::finding::{Confidence, Detail, Role, Severity, Status, plain, word};
pub(super) use crate::view::KeyView;
pub(super) use crate::view::ledger::ControlEvent;

/// How many records of one kind a finding shows.
pub(super) const EVIDENCE: usize = 5;
