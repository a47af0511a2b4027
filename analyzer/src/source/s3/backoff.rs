//! Waiting before another attempt.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use super::options::Patience;

/// How long to wait after so many attempts that failed: doubled each time, and a random part of it, so that many that
/// failed together do not come back together.
pub(super) fn wait(patience: &Patience, failed: u32) -> Duration {
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
