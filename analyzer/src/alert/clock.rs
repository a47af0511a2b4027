//! Time while alerts are sent: what is left of a budget, and when a lease runs out.

use std::time::{Duration, Instant};

/// Runs from the moment that the caller names.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    /// Milliseconds since the epoch at the start.
    now: i64,
    start: Instant,
    budget: Duration,
}

impl Clock {
    #[expect(
        clippy::disallowed_methods,
        reason = "what is sent must not take longer than allowed; no output depends on it"
    )]
    pub(super) fn start(now: i64, budget: Duration) -> Self {
        Self { now, start: Instant::now(), budget }
    }

    /// Milliseconds since the epoch.
    pub(super) fn now(&self) -> i64 {
        self.now.saturating_add(millis(self.start.elapsed()))
    }

    /// What is left of the budget.
    pub(super) fn left(&self) -> Duration {
        self.budget.saturating_sub(self.start.elapsed())
    }

    /// Until when nobody else shall send what is being sent: longer than sending can take.
    pub(super) fn lease(&self) -> i64 {
        const MARGIN: i64 = 30_000;
        self.now().saturating_add(millis(self.budget)).saturating_add(MARGIN)
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
