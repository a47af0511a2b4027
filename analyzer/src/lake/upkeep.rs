//! What keeps a lake quick to read and free of leftovers.

use std::collections::{BTreeMap, BTreeSet};

use foldhash::{HashMap, HashMapExt, HashSet, HashSetExt};

use super::manifest::{LakeError, Part, PartKind};
use super::objects::ObjectRow;
use super::partition::{Shard, Unit};
use super::shard::Lake;
use super::swap::{Old, PartName, shard_id};

/// Rows of a part that is large enough: merging holds the rows of what it merges in memory.
const LARGE: u64 = 1 << 16;

/// Small parts that become one each.
fn groups<'p>(parts: &[&'p Part]) -> Vec<Vec<&'p Part>> {
    let mut small: Vec<&Part> = parts.iter().copied().filter(|part| part.rows < LARGE / 2).collect();
    small.sort_by_key(|part| (part.rows, &part.path));
    let mut groups: Vec<(u64, Vec<&Part>)> = Vec::new();
    for part in small {
        match groups.last_mut() {
            Some((rows, group)) if *rows + part.rows <= LARGE => {
                *rows += part.rows;
                group.push(part);
            }
            _ => groups.push((part.rows, vec![part])),
        }
    }
    groups.into_iter().map(|(_, group)| group).filter(|group| group.len() > 1).collect()
}

/// What upkeep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Files removed.
    pub removed: u64,
    /// Leftovers that stayed because their shard was being written.
    pub stayed: u64,
}

impl Lake {
    /// Merges the parts of every unit of a shard that has more than `most` of them. Gives the number of parts merged.
    ///
    /// # Errors
    /// When a part cannot be read or the store fails.
    pub fn compact(&self, shard: &Shard, most: usize) -> Result<u64, LakeError> {
        self.retry(shard, |state, swap| {
            let mut units: BTreeMap<(PartKind, &Unit), Vec<&Part>> = BTreeMap::new();
            for part in &state.manifest.parts {
                units.entry((part.kind, &part.unit)).or_default().push(part);
            }
            let mut merged = 0;
            for ((kind, unit), parts) in units {
                if parts.len() <= most.max(1) {
                    continue;
                }
                for parts in groups(&parts) {
                    merged += parts.len() as u64;
                    match kind {
                        PartKind::Events => swap.rewrite(self, &parts, &|_| true, true)?,
                        PartKind::Objects => {
                            let mut rows: Vec<ObjectRow> = Vec::new();
                            for part in &parts {
                                rows.extend(self.read_objects(part)?);
                                swap.remove(part);
                            }
                            swap.write_objects(unit, &rows.iter().collect::<Vec<_>>())?;
                        }
                    }
                }
            }
            Ok(merged)
        })
    }

    /// Takes out these objects of a shard, whose names tell no day and which have no rows.
    ///
    /// # Errors
    /// When a part cannot be read or the store fails.
    pub fn forget(&self, shard: &Shard, uris: &BTreeSet<String>) -> Result<(), LakeError> {
        let old: HashMap<String, Old> = uris.iter().map(|uri| (uri.clone(), Old { date: None, span: None })).collect();
        self.retry(shard, |state, swap| swap.replace(self, state, &old))
    }

    /// Removes parts that no manifest lists and what killed writers left behind. Inboxes are left alone.
    ///
    /// A part is safe to remove when its manifest has moved on from the generation that it was planned from: it can
    /// never be listed then. Where the manifest has not moved on, the part may be of a writer at work; the manifest is
    /// moved on, and a writer at work finds out when it swaps and starts over.
    ///
    /// # Errors
    /// When the store fails.
    pub fn sweep(&self) -> Result<Swept, LakeError> {
        let mut files = self.store.list("events/")?;
        files.extend(self.store.list("objects/")?);
        let mut swept = Swept { removed: self.store.tidy()?, stayed: 0 };
        // After the list: what is listed by then was either written before, or is not among the files.
        let mut shards: HashMap<String, Vec<(Shard, u64)>> = HashMap::new();
        let mut listed: HashSet<String> = HashSet::new();
        for state in self.snapshot()?.shards {
            let own = (state.shard().clone(), state.manifest.generation);
            shards.entry(shard_id(state.shard())).or_default().push(own);
            listed.extend(state.manifest.parts.into_iter().map(|part| part.path));
        }
        let mut leftovers = Vec::new();
        for file in files.into_iter().filter(|file| !listed.contains(&file.path)) {
            // Files of others are none of our business.
            let Some(name) = PartName::of(&file.path) else { continue };
            leftovers.push((file.path, name));
        }
        // Ids of shards are short: two shards may share one, and then both move on.
        let mut fenced: HashSet<String> = HashSet::new();
        for (path, name) in leftovers {
            let own = shards.get(&name.shard).map_or(&[][..], Vec::as_slice);
            let moved_on = own.iter().all(|(_, generation)| *generation > name.generation);
            if own.is_empty() {
                swept.stayed += 1;
                continue;
            }
            if !moved_on && fenced.insert(name.shard.clone()) {
                for (shard, _) in own {
                    self.retry(shard, |_, swap| {
                        swap.fence();
                        Ok(())
                    })?;
                }
            }
            // A writer at work may have got in before the fence.
            let taken = !moved_on && own.iter().any(|(shard, _)| self.lists(shard, &path).unwrap_or(true));
            if taken {
                swept.stayed += 1;
            } else {
                self.store.delete(&path)?;
                swept.removed += 1;
            }
        }
        Ok(swept)
    }

    fn lists(&self, shard: &Shard, path: &str) -> Result<bool, LakeError> {
        Ok(self.shard(shard)?.manifest.lists(path))
    }
}
