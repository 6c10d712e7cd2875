//! Callers that never pause while something happens to their plugin.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use outrigger::helloworld::{Greeter as _, Handle};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::failure::Failure;

const CALLERS: usize = 8;

#[derive(Debug, Default)]
struct Shared {
    stop: AtomicBool,
    calls: AtomicU64,
    failed: AtomicU64,
    first: Notify,
}

/// Calls under way.
#[derive(Debug)]
pub(super) struct Load {
    shared: Arc<Shared>,
    callers: Vec<JoinHandle<()>>,
}

/// What became of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outcome {
    pub(super) calls: u64,
    pub(super) failed: u64,
}

/// Starts eight callers.
pub(super) fn start(greeter: &Handle) -> Load {
    let shared = Arc::new(Shared::default());
    let caller = |_| tokio::spawn(call_on(greeter.clone(), shared.clone()));
    let callers = (0..CALLERS).map(caller).collect();
    Load { shared, callers }
}

async fn call_on(greeter: Handle, shared: Arc<Shared>) {
    while !shared.stop.load(Ordering::Relaxed) {
        if let Err(error) = greeter.greeting("Outrigger").await {
            tracing::error!("a call failed during the reload: {error}");
            shared.failed.fetch_add(1, Ordering::Relaxed);
        }
        shared.calls.fetch_add(1, Ordering::Relaxed);
        shared.first.notify_one();
    }
}

impl Load {
    /// Waits until the first call came back, and counts from there.
    pub(super) async fn under_way(&self, patience: Duration) -> Result<(), Failure> {
        let first = tokio::time::timeout(patience, self.shared.first.notified()).await;
        first.map_err(|_| Failure::Failed("no call came back".into()))?;
        self.shared.calls.store(0, Ordering::Relaxed);
        Ok(())
    }

    /// Ends the callers after the calls that they are at.
    pub(super) async fn finish(self) -> Result<Outcome, Failure> {
        self.shared.stop.store(true, Ordering::Relaxed);
        for caller in self.callers {
            caller.await?;
        }
        Ok(Outcome {
            calls: self.shared.calls.load(Ordering::Relaxed),
            failed: self.shared.failed.load(Ordering::Relaxed),
        })
    }
}
