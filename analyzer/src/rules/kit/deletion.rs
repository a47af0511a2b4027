//! Deletions that were scheduled: when KMS carries them out, and what stops them.

use super::context::Context;
use super::time::DAY;
use crate::finding::word;
use crate::view::ledger::ControlEvent;

/// What KMS waits when the call does not say, days.
const DEFAULT_WINDOW_DAYS: i64 = 30;

/// A deletion that was scheduled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scheduled {
    /// Days that KMS waits, as the record gives them.
    pub window_days: i64,
    /// When KMS deletes the key, milliseconds. `None` while the waiting period has not begun, or when the record gives one
    /// that KMS does not.
    pub at: Option<i64>,
    /// The waiting period begins when the last replica of this multi-Region key is deleted.
    pub waits_for_replicas: bool,
}

impl Scheduled {
    /// What a ScheduleKeyDeletion call came to. The date in the record is text of the locale of KMS, and not relied on.
    pub fn of(call: &ControlEvent, cx: &Context<'_>) -> Self {
        let window_days = call.detail.pending_window_days.unwrap_or(DEFAULT_WINDOW_DAYS);
        let waits_for_replicas = cx.text(call.detail.key_state) == "PendingReplicaDeletion";
        let known = (7..=30).contains(&window_days) && !waits_for_replicas;
        let at = known.then(|| call.event.time.saturating_add(window_days * DAY));
        Self { window_days, at, waits_for_replicas }
    }
}

/// The command that cancels the deletion of a key. The key stays disabled.
pub fn cancel(region: &str, arn: &str) -> String {
    format!("aws kms cancel-key-deletion --region {} --key-id {}", word(region), word(arn))
}

/// The command that enables a key.
pub fn enable(region: &str, arn: &str) -> String {
    format!("aws kms enable-key --region {} --key-id {}", word(region), word(arn))
}
