//! How many distinct things were seen: exact up to [`Breadth::EXACT`], then an estimate from the smallest hashes. Which
//! hashes are kept does not depend on the order of arrival, and two sketches merge into what one would have seen.

pub use crate::frame::compact::stable_hash;

/// A set of distinct texts, by hash. Most sets hold one text at most: those cost no allocation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Breadth(Set);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Set {
    #[default]
    None,
    One(u64),
    Many(Box<Many>),
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Many {
    /// The smallest hashes, ascending.
    smallest: Vec<u64>,
    /// True once a hash was left out.
    full: bool,
}

impl Breadth {
    /// Up to how many distinct texts the count is exact.
    pub const EXACT: usize = 1024;

    /// Adds one text by its [`stable_hash`].
    pub fn add(&mut self, hash: u64) {
        match &mut self.0 {
            Set::None => self.0 = Set::One(hash),
            Set::One(known) if *known == hash => {}
            Set::One(known) => {
                let mut many = Many { smallest: vec![*known], full: false };
                many.add(hash);
                self.0 = Set::Many(Box::new(many));
            }
            Set::Many(many) => many.add(hash),
        }
    }

    /// Adds everything that `other` has seen.
    pub fn merge(&mut self, other: &Self) {
        match &other.0 {
            Set::None => {}
            Set::One(hash) => self.add(*hash),
            Set::Many(many) => {
                many.smallest.iter().for_each(|hash| self.add(*hash));
                if let (Set::Many(own), true) = (&mut self.0, many.full) {
                    own.full = true;
                }
            }
        }
    }

    /// Distinct texts, and whether the number is exact.
    pub fn count(&self) -> (u64, bool) {
        match &self.0 {
            Set::None => (0, true),
            Set::One(_) => (1, true),
            Set::Many(many) => many.count(),
        }
    }
}

impl Many {
    fn add(&mut self, hash: u64) {
        let Err(at) = self.smallest.binary_search(&hash) else { return };
        if at == Breadth::EXACT {
            self.full = true;
            return;
        }
        if self.smallest.len() == Breadth::EXACT {
            self.smallest.pop();
            self.full = true;
        }
        self.smallest.insert(at, hash);
    }

    fn count(&self) -> (u64, bool) {
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
