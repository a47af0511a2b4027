//! Work on the runtime that ends with those who wait for it.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use tokio::task::JoinHandle;

/// Work under way. Dropped, it is given up.
pub(super) struct Task<T>(JoinHandle<T>);

impl<T: Send + 'static> Task<T> {
    pub(super) fn spawn(work: impl Future<Output = T> + Send + 'static) -> Self {
        Self(tokio::spawn(work))
    }

    /// What it came to, or how it crashed.
    pub(super) async fn end(mut self) -> Result<T, String> {
        (&mut self.0).await.map_err(|error| error.to_string())
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The end of some work; None when something else happens first, and the work is given up.
pub(super) async fn unless<T>(event: impl Future<Output = ()>, work: impl Future<Output = T>) -> Option<T> {
    let (mut event, mut work) = (pin!(event), pin!(work));
    poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending => event.as_mut().poll(context).map(|()| None),
    })
    .await
}
