//! Which key protects what: the resources named by encryption contexts and bindings.

use foldhash::HashMap;

use super::breadth::stable_hash;
use crate::frame::Sym;

/// One resource under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceUse {
    /// ARN, or `<context key>=<value>`.
    pub name: Box<str>,
    /// First use, milliseconds since the epoch.
    pub first: i64,
    /// Last use.
    pub last: i64,
    /// Successful uses.
    pub uses: u64,
    /// Bindings (the resource's owner named this key for it).
    pub bindings: u64,
    /// Principals that used it: the [`Resources::PRINCIPALS`] with the smallest hashes, with their hash.
    pub principals: Vec<(u64, Sym)>,
}

impl ResourceUse {
    fn used_by(&mut self, principal: (u64, Sym)) {
        if let Err(at) = self.principals.binary_search_by_key(&principal.0, |known| known.0)
            && at < Resources::PRINCIPALS
        {
            // Mostly there is one: no room for four from the start.
            if self.principals.len() == self.principals.capacity() {
                self.principals.reserve_exact(1 + self.principals.len() / 2);
            }
            self.principals.insert(at, principal);
            self.principals.truncate(Resources::PRINCIPALS);
        }
    }
}

/// Resources of one key. Keeps those with the smallest hashes: which are kept, and their counts, do not depend on the
/// order of arrival, because a resource that is dropped once can never come back.
#[derive(Clone, Debug, Default)]
pub struct Resources {
    known: HashMap<u64, ResourceUse>,
    /// Largest hash that is still kept once the table is full.
    limit: Option<u64>,
    /// Uses of all resources, kept or not.
    pub total: u64,
}

impl Resources {
    /// How many resources of one key are kept.
    pub const KEPT: usize = 1024;
    /// How many principals of one resource are kept.
    pub const PRINCIPALS: usize = 8;

    /// Counts one use. `principal` comes with the [`stable_hash`] of its text.
    pub fn add(&mut self, name: &str, time: i64, principal: Option<(u64, Sym)>, binding: bool) {
        self.total += 1;
        let hash = stable_hash(name);
        if self.limit.is_some_and(|limit| hash > limit) {
            return;
        }
        let (uses, bindings) = (u64::from(!binding), u64::from(binding));
        let resource = self.known.entry(hash).or_insert_with(|| ResourceUse {
            name: name.into(),
            first: time,
            last: time,
            uses: 0,
            bindings: 0,
            principals: Vec::new(),
        });
        resource.first = resource.first.min(time);
        resource.last = resource.last.max(time);
        resource.uses += uses;
        resource.bindings += bindings;
        if let Some(principal) = principal {
            resource.used_by(principal);
        }
        self.shrink();
    }

    /// Adds disjoint uses of the same key.
    pub fn merge(&mut self, other: Self) {
        self.total += other.total;
        self.limit = match (self.limit, other.limit) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        let limit = self.limit;
        #[expect(clippy::iter_over_hash_type, reason = "each entry goes to its own place; order does not matter")]
        for (hash, theirs) in other.known {
            if limit.is_some_and(|limit| hash > limit) {
                continue;
            }
            match self.known.get_mut(&hash) {
                None => {
                    self.known.insert(hash, theirs);
                }
                Some(ours) => {
                    ours.first = ours.first.min(theirs.first);
                    ours.last = ours.last.max(theirs.last);
                    ours.uses += theirs.uses;
                    ours.bindings += theirs.bindings;
                    theirs.principals.into_iter().for_each(|principal| ours.used_by(principal));
                }
            }
        }
        if let Some(limit) = limit {
            self.known.retain(|hash, _| *hash <= limit);
        }
        self.shrink();
    }

    /// Drops the largest hashes once the table is well over its size, so that the cost is spread over many adds.
    fn shrink(&mut self) {
        if self.known.len() < 2 * Self::KEPT {
            return;
        }
        self.cut();
    }

    fn cut(&mut self) {
        if self.known.len() <= Self::KEPT {
            return;
        }
        let mut hashes: Vec<u64> = self.known.keys().copied().collect();
        hashes.sort_unstable();
        let limit = hashes[Self::KEPT - 1];
        self.limit = Some(self.limit.map_or(limit, |old| old.min(limit)));
        self.known.retain(|hash, _| *hash <= limit);
    }

    /// The kept resources by name, and how many uses belong to resources that were not kept.
    pub fn settle(mut self) -> (Vec<ResourceUse>, u64) {
        self.cut();
        let mut kept: Vec<ResourceUse> = self.known.into_values().collect();
        kept.sort_by(|a, b| a.name.cmp(&b.name));
        let counted: u64 = kept.iter().map(|resource| resource.uses + resource.bindings).sum();
        (kept, self.total - counted)
    }
}
