//! Callers that never pause while something happens to their plugin.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use outrigger::GatewayError;
use outrigger::helloworld::{Greeter as _, Handle};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// What became of the calls.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Calls that were answered.
    pub answered: u64,
    /// Calls that were answered with something else than they should be.
    pub wrong: u64,
    /// Calls that failed, the first hundred.
    pub failed: Vec<GatewayError>,
}

#[derive(Debug, Default)]
struct Shared {
    stop: AtomicBool,
    answered: AtomicU64,
    wrong: AtomicU64,
    failed: Mutex<Vec<GatewayError>>,
    progress: Notify,
}

impl Shared {
    fn note(&self, error: GatewayError) {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        if failed.len() < 100 {
            failed.push(error);
        }
    }
}

/// Calls under way.
#[derive(Debug)]
pub struct Load {
    shared: Arc<Shared>,
    callers: Vec<JoinHandle<()>>,
}

impl Load {
    /// Starts `callers` that greet one after another; each checks that the
    /// answer is its own.
    #[must_use]
    pub fn start(handle: &Handle, callers: u64) -> Self {
        let shared = Arc::new(Shared::default());
        let caller = |number| tokio::spawn(call(handle.clone(), shared.clone(), number));
        let callers = (0..callers).map(caller).collect();
        Self { shared, callers }
    }

    /// Waits for this many further answers.
    pub async fn progress(&self, answers: u64) {
        let until = self.shared.answered.load(Ordering::Relaxed) + answers;
        while self.shared.answered.load(Ordering::Relaxed) < until {
            self.shared.progress.notified().await;
        }
    }

    /// Ends the callers after the calls that they are at.
    ///
    /// # Panics
    ///
    /// When a caller panicked.
    pub async fn finish(self) -> Outcome {
        self.shared.stop.store(true, Ordering::Relaxed);
        for caller in self.callers {
            caller.await.expect("callers do not panic");
        }
        let failed =
            std::mem::take(&mut *self.shared.failed.lock().unwrap_or_else(PoisonError::into_inner));
        Outcome {
            answered: self.shared.answered.load(Ordering::Relaxed),
            wrong: self.shared.wrong.load(Ordering::Relaxed),
            failed,
        }
    }
}

async fn call(handle: Handle, shared: Arc<Shared>, number: u64) {
    let mut count = 0_u64;
    while !shared.stop.load(Ordering::Relaxed) {
        count += 1;
        let name = format!("caller-{number}-{count}");
        match handle.greeting(&name).await {
            Ok(answer) => {
                if !answer.contains(&name) {
                    shared.wrong.fetch_add(1, Ordering::Relaxed);
                }
                shared.answered.fetch_add(1, Ordering::Relaxed);
                shared.progress.notify_one();
            }
            Err(error) => {
                shared.note(error);
                // A plugin that is down fails calls at once; let others run.
                tokio::task::yield_now().await;
            }
        }
    }
}
