//! Who may do a task that one does at a time. A lease saves work, it protects nothing: all that writes to a lake stays
//! right without it.

use super::manifest::LakeError;
use super::shard::Lake;
use super::store::{StoreError, Tag, When};
use super::wire::LeaseFile;

/// A task that was taken.
#[derive(Clone, Debug)]
pub struct Lease {
    path: String,
    tag: Tag,
}

impl Lake {
    /// Takes a task until a moment, unless somebody has it at `now`. The holder is a name for people who look at the file.
    ///
    /// # Errors
    /// When the store fails. `None` is no error: somebody else is at it.
    pub fn lease(&self, task: &str, holder: &str, now: i64, until: i64) -> Result<Option<Lease>, LakeError> {
        let path = format!("leases/{task}.json");
        let found = self.store.get(&path)?;
        let when = match &found {
            None => When::Absent,
            Some((bytes, tag)) => match serde_json::from_slice::<LeaseFile>(bytes) {
                Ok(held) if held.lease_until > now => return Ok(None),
                // What nobody can read, nobody holds.
                Ok(_) | Err(_) => When::Matches(tag),
            },
        };
        let file = LeaseFile { holder: holder.to_owned(), lease_until: until };
        // Strings and numbers only, which cannot fail to serialize.
        let bytes = serde_json::to_vec(&file).unwrap_or_default();
        match self.store.put(&path, &bytes, when) {
            Ok(tag) => Ok(Some(Lease { path, tag })),
            Err(StoreError::Conflict { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes a task until a moment, whoever has it.
    ///
    /// # Errors
    /// When the store fails.
    pub fn seize(&self, task: &str, holder: &str, until: i64) -> Result<(), LakeError> {
        let file = LeaseFile { holder: holder.to_owned(), lease_until: until };
        let bytes = serde_json::to_vec(&file).unwrap_or_default();
        self.store.put(&format!("leases/{task}.json"), &bytes, When::Always)?;
        Ok(())
    }

    /// True when somebody has a task at `now`.
    ///
    /// # Errors
    /// When the store fails.
    pub fn is_leased(&self, task: &str, now: i64) -> Result<bool, LakeError> {
        let found = self.store.get(&format!("leases/{task}.json"))?;
        let held = found.and_then(|(bytes, _)| serde_json::from_slice::<LeaseFile>(&bytes).ok());
        Ok(held.is_some_and(|held| held.lease_until > now))
    }

    /// True when somebody has ever taken a task.
    ///
    /// # Errors
    /// When the store fails.
    pub fn was_leased(&self, task: &str) -> Result<bool, LakeError> {
        Ok(self.store.get(&format!("leases/{task}.json"))?.is_some())
    }

    /// Gives a task back. One that ran out, and that somebody else has taken since, stays theirs.
    ///
    /// # Errors
    /// When the store fails.
    pub fn release(&self, lease: Lease) -> Result<(), LakeError> {
        let file = LeaseFile { holder: String::new(), lease_until: 0 };
        let bytes = serde_json::to_vec(&file).unwrap_or_default();
        match self.store.put(&lease.path, &bytes, When::Matches(&lease.tag)) {
            Ok(_) | Err(StoreError::Conflict { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::Folder;
    use super::*;

    #[test]
    fn one_has_it_until_it_is_given_back_or_runs_out() {
        let folder = tempfile::tempdir().unwrap();
        let lake = Lake::open_or_create(Arc::new(Folder::new(folder.path()))).unwrap();
        assert!(!lake.was_leased("evaluate").unwrap());
        let first = lake.lease("evaluate", "a", 1_000, 2_000).unwrap().unwrap();
        assert!(lake.lease("evaluate", "b", 1_999, 9_000).unwrap().is_none());
        assert!(lake.lease("other", "b", 1_999, 9_000).unwrap().is_some(), "another task");
        lake.release(first).unwrap();
        let second = lake.lease("evaluate", "b", 1_500, 2_500).unwrap().unwrap();
        let third = lake.lease("evaluate", "c", 2_500, 3_500).unwrap().unwrap();
        lake.release(second).unwrap();
        assert!(lake.lease("evaluate", "d", 2_600, 9_000).unwrap().is_none(), "it was not theirs any more");
        lake.release(third).unwrap();
        assert!(lake.was_leased("evaluate").unwrap());
    }

    #[test]
    fn who_seizes_asks_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let lake = Lake::open_or_create(Arc::new(Folder::new(folder.path()))).unwrap();
        assert!(!lake.is_leased("backfill", 0).unwrap());
        lake.seize("backfill", "a", 2_000).unwrap();
        lake.seize("backfill", "b", 3_000).unwrap();
        assert!(lake.is_leased("backfill", 2_999).unwrap() && !lake.is_leased("backfill", 3_000).unwrap());
        lake.seize("backfill", "", 0).unwrap();
        assert!(!lake.is_leased("backfill", 1).unwrap());
    }

    #[test]
    fn many_at_once_and_one_has_it() {
        let folder = tempfile::tempdir().unwrap();
        let lake = Lake::open_or_create(Arc::new(Folder::new(folder.path()))).unwrap();
        let taken: usize = std::thread::scope(|scope| {
            let all: Vec<_> = (0..8)
                .map(|at| {
                    let lake = lake.clone();
                    scope.spawn(move || lake.lease("evaluate", &format!("{at}"), 0, 1_000).unwrap().is_some())
                })
                .collect();
            all.into_iter().map(|one| usize::from(one.join().unwrap())).sum()
        });
        assert_eq!(taken, 1);
    }
}
