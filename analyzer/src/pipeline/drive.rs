//! Hands work to the thread pool as it arrives: the caller's thread waits for it, the pool's threads only compute.

use std::sync::{Condvar, Mutex, PoisonError};

use rayon::ThreadPool;

use super::ScanError;

/// Items that are handed on together: most objects are so small that handing on one costs more than reading it.
const TOGETHER: usize = 64;

/// Weight after which no more items are added to those that are handed on together.
pub(super) const HEAVY: u64 = 1 << 18;

/// Groups of items that may wait per thread of the pool: enough that no thread ever waits, few enough to hold.
const AHEAD: usize = 4;

/// Does some work on every item, in any order, on the threads of a pool. As many states as threads are made; whoever works
/// has one to itself. Ends early with the first error.
///
/// An item as heavy as [`HEAVY`] is handed on at once.
pub(super) fn drive<I: Send, W: Send>(
    pool: &ThreadPool,
    items: impl Iterator<Item = Result<I, ScanError>>,
    weigh: impl Fn(&I) -> u64,
    make: impl Fn() -> W + Sync,
    work: impl Fn(&mut W, I) -> Result<(), ScanError> + Sync,
) -> Result<Vec<W>, ScanError> {
    let gate = Gate::new(AHEAD * pool.current_num_threads());
    let idle: Mutex<Vec<W>> = Mutex::default();
    let failed: Mutex<Option<ScanError>> = Mutex::default();
    let fail = |error: ScanError| {
        lock(&failed).get_or_insert(error);
    };
    pool.in_place_scope(|scope| {
        let (gate, idle, fail, make, work) = (&gate, &idle, &fail, &make, &work);
        let hand_on = |group: Vec<I>| {
            gate.enter();
            scope.spawn(move |_| {
                // Leaves the gate whatever happens: a panic must end the run, not hang it.
                let _pass = Pass(gate);
                let mut state = lock(idle).pop().unwrap_or_else(make);
                if let Err(error) = group.into_iter().try_for_each(|item| work(&mut state, item)) {
                    fail(error);
                }
                lock(idle).push(state);
            });
        };
        let (mut group, mut weight) = (Vec::new(), 0u64);
        for item in items {
            let item = match item {
                Ok(item) => item,
                Err(error) => {
                    fail(error);
                    break;
                }
            };
            weight = weight.saturating_add(weigh(&item));
            group.push(item);
            if weight >= HEAVY || group.len() >= TOGETHER {
                if lock(&failed).is_some() {
                    break;
                }
                hand_on(std::mem::take(&mut group));
                weight = 0;
            }
        }
        if !group.is_empty() && lock(&failed).is_none() {
            hand_on(group);
        }
    });
    match failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(error) => Err(error),
        None => Ok(idle.into_inner().unwrap_or_else(PoisonError::into_inner)),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Lets so many in at a time.
struct Gate {
    free: Mutex<usize>,
    left: Condvar,
}

impl Gate {
    fn new(places: usize) -> Self {
        Self { free: Mutex::new(places.max(1)), left: Condvar::new() }
    }

    fn enter(&self) {
        let mut free = lock(&self.free);
        while *free == 0 {
            free = self.left.wait(free).unwrap_or_else(PoisonError::into_inner);
        }
        *free -= 1;
    }
}

struct Pass<'g>(&'g Gate);

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        *lock(&self.0.free) += 1;
        self.0.left.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::{HEAVY, drive};
    use crate::pipeline::ScanError;

    fn pool(threads: usize) -> rayon::ThreadPool {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap()
    }

    #[test]
    fn every_item_is_worked_on_once() {
        for (threads, weight) in [(1, 1), (2, 1), (3, HEAVY), (2, u64::MAX)] {
            let items = (0..1000u64).map(Ok);
            let states = drive(
                &pool(threads),
                items,
                |_| weight,
                || 0u64,
                |sum, item| {
                    *sum += item;
                    Ok(())
                },
            );
            let states = states.unwrap();
            assert!(states.len() <= threads);
            assert_eq!(states.iter().sum::<u64>(), 499_500);
        }
    }

    #[test]
    fn the_first_error_ends_the_run() {
        let taken = AtomicUsize::new(0);
        let endless = std::iter::repeat_with(|| Ok(taken.fetch_add(1, Ordering::Relaxed)));
        let result = drive(
            &pool(2),
            endless,
            |_| 1,
            || (),
            |_, item| if item == 500 { Err(ScanError::Failed("no".into())) } else { Ok(()) },
        );
        assert_eq!(result.unwrap_err().to_string(), "no");
        let broken = (0..10).map(|n| if n == 5 { Err(ScanError::Failed("gone".into())) } else { Ok(n) });
        assert_eq!(drive(&pool(2), broken, |_| 1, || (), |_, _| Ok(())).unwrap_err().to_string(), "gone");
    }
}
