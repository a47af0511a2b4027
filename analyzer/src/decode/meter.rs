//! Counts the bytes that are looked at, so that tests can hold the work to the input without a clock.

#[cfg(test)]
thread_local! {
    static EXAMINED: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

/// Notes that `bytes` bytes were looked at; nothing outside of tests.
#[inline(always)]
pub(super) fn examined(bytes: usize) {
    #[cfg(test)]
    EXAMINED.set(EXAMINED.get() + bytes as u64);
    #[cfg(not(test))]
    let _ = bytes;
}

/// Gives the count of this thread and starts over.
#[cfg(test)]
pub(super) fn take() -> u64 {
    EXAMINED.take()
}
