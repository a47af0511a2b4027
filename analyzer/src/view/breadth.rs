//! How many distinct things were seen: exact up to [`Breadth::EXACT`], then an estimate from the smallest hashes. Which
//! hashes are kept does not depend on the order of arrival, and two sketches merge into what one would have seen.

use std::hash::BuildHasher;

use foldhash::quality::FixedState;

/// A set of distinct texts, by hash.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Breadth {
    /// The smallest hashes, ascending.
    smallest: Vec<u64>,
    /// True once a hash was left out.
    full: bool,
}

/// Hash that is the same in every run and on every machine.
pub fn stable_hash(text: &str) -> u64 {
    FixedState::with_seed(0x6b65_7974_7261_696c).hash_one(text)
}

impl Breadth {
    /// Up to how many distinct texts the count is exact.
    pub const EXACT: usize = 1024;

    /// Adds one text by its [`stable_hash`].
    pub fn add(&mut self, hash: u64) {
        let Err(at) = self.smallest.binary_search(&hash) else { return };
        if at == Self::EXACT {
            self.full = true;
            return;
        }
        if self.smallest.len() == Self::EXACT {
            self.smallest.pop();
            self.full = true;
        }
        self.smallest.insert(at, hash);
    }

    /// Adds everything that `other` has seen.
    pub fn merge(&mut self, other: &Self) {
        for &hash in &other.smallest {
            self.add(hash);
        }
        self.full |= other.full;
    }

    /// Distinct texts, and whether the number is exact.
    pub fn count(&self) -> (u64, bool) {
        let kept = self.smallest.len() as u64;
        match (self.full, self.smallest.last()) {
            (true, Some(&largest)) => {
                // k-th smallest of n uniform hashes lies near k/n of the range.
                let fraction = (largest as f64 + 1.0) / (u64::MAX as f64);
                ((((kept - 1) as f64) / fraction).round() as u64, false)
            }
            _ => (kept, true),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Breadth, stable_hash};

    #[test]
    fn exact_when_few_and_close_when_many() {
        let mut few = Breadth::default();
        for i in 0..50 {
            few.add(stable_hash(&format!("context {i}")));
            few.add(stable_hash(&format!("context {i}")));
        }
        assert_eq!(few.count(), (50, true));
        let mut many = Breadth::default();
        for i in 0..100_000 {
            many.add(stable_hash(&format!("context {i}")));
        }
        let (count, exact) = many.count();
        assert!(!exact);
        assert!((90_000..110_000).contains(&count), "{count}");
    }

    #[test]
    fn order_and_split_do_not_matter() {
        let hashes: Vec<u64> = (0..5000).map(|i| stable_hash(&format!("{i}"))).collect();
        let mut one = Breadth::default();
        hashes.iter().for_each(|&hash| one.add(hash));
        let (mut left, mut right) = (Breadth::default(), Breadth::default());
        hashes
            .iter()
            .rev()
            .enumerate()
            .for_each(|(i, &hash)| if i % 3 == 0 { left.add(hash) } else { right.add(hash) });
        left.merge(&right);
        assert_eq!(left, one);
    }
}
