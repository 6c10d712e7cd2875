//! A task that reads one stream of a plugin to its end.

use std::future::Future;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

/// The handle of a task that drains a stream. The task ends with the stream;
/// dropping the handle, or [`finish`](Self::finish), has it read what is there
/// and end soon after, so that no line is lost because somebody stops waiting.
#[derive(Debug)]
pub(crate) struct Drain {
    pub(super) ended: watch::Receiver<bool>,
    finish: DropGuard,
}

impl Drain {
    /// Starts a task on the current runtime. The future must end soon once its
    /// token is cancelled.
    pub(crate) fn spawn<F>(drain: impl FnOnce(CancellationToken) -> F) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let finish = CancellationToken::new();
        let (end, ended) = watch::channel(false);
        let draining = drain(finish.clone());
        tokio::spawn(async move {
            draining.await;
            end.send_replace(true);
        });
        Self { ended, finish: finish.drop_guard() }
    }

    /// Has the task read what is there, and end.
    pub(crate) fn finish(&self) {
        self.finish.token().cancel();
    }

    /// Waits for the end of the task, at most for `limit`.
    pub(crate) async fn ended_within(&self, limit: Duration) {
        let mut ended = self.ended.clone();
        let _limit = tokio::time::timeout(limit, ended.wait_for(|ended| *ended)).await;
    }
}
