//! Whether and when to try again.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use super::error::Failure;
use super::options::Patience;

/// Requests that the SDK has repeated itself are begun anew once more: when many fail at a time, it stops repeating.
const ROUNDS: u32 = 2;

/// Attempts at one thing.
pub(super) struct Tries<'a> {
    patience: &'a Patience,
    failed: u32,
    rounds: u32,
}

impl<'a> Tries<'a> {
    pub(super) fn new(patience: &'a Patience) -> Self {
        Self { patience, failed: 0, rounds: 0 }
    }

    /// Waits after a failure, or gives it back when there is no hope.
    pub(super) async fn after(&mut self, failure: Failure) -> Result<(), Failure> {
        self.failed += 1;
        self.rounds += u32::from(failure.is_repeated);
        if !failure.again || self.failed >= self.patience.attempts || self.rounds >= ROUNDS {
            return Err(failure);
        }
        tokio::time::sleep(wait(self.patience, self.failed)).await;
        Ok(())
    }
}

/// How long to wait after so many attempts that failed: doubled each time, and a random part of it, so that many that
/// failed together do not come back together.
fn wait(patience: &Patience, failed: u32) -> Duration {
    let doubled = patience.first_wait.saturating_mul(1 << failed.saturating_sub(1).min(16));
    let whole = doubled.min(patience.longest_wait);
    // A fresh hasher is random enough, and no further dependency.
    let random = RandomState::new().hash_one(failed) >> 40;
    whole / 2 + whole.mul_f64(0.5 * random as f64 / f64::from(1_u32 << 24))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_limit() {
        let patience = Patience::default();
        for failed in 1..40 {
            let whole = patience.first_wait.saturating_mul(1 << (failed - 1).min(16)).min(patience.longest_wait);
            let waited = wait(&patience, failed);
            assert!(waited >= whole / 2 && waited <= whole, "{failed}: {waited:?}");
        }
    }
}
