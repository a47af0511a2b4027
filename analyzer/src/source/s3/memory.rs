//! Room for bodies: whoever wants to hold one waits until there is enough.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes of a permit: semaphores count in 32 bits.
const UNIT: u64 = 1024;

/// Room for so many bytes.
#[derive(Debug)]
pub(super) struct Memory {
    all: u32,
    free: Arc<Semaphore>,
}

impl Memory {
    pub(super) fn new(bytes: u64) -> Self {
        // Rounded down: the limit holds for bytes.
        let all = u32::try_from(bytes / UNIT).unwrap_or(u32::MAX).max(1);
        Self { all, free: Arc::new(Semaphore::new(all as usize)) }
    }

    /// The most that can be had at once.
    pub(super) fn limit(&self) -> u64 {
        u64::from(self.all) * UNIT
    }

    pub(super) fn taken(&self) -> u64 {
        (self.all as usize).saturating_sub(self.free.available_permits()) as u64 * UNIT
    }

    /// Waits for room. None only when the session is gone. More than the limit is cut to it.
    pub(super) async fn take(&self, bytes: u64) -> Option<OwnedSemaphorePermit> {
        let units = u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX).clamp(1, self.all);
        self.free.clone().acquire_many_owned(units).await.ok()
    }
}

/// The bytes of an object. As long as they are held, their room is taken.
pub struct Held {
    bytes: Vec<u8>,
    _room: OwnedSemaphorePermit,
}

impl Held {
    pub(super) fn new(bytes: Vec<u8>, room: OwnedSemaphorePermit) -> Self {
        Self { bytes, _room: room }
    }
}

impl Deref for Held {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Held({} bytes)", self.bytes.len())
    }
}
