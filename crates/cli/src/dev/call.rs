//! Greeting the plugin over and over, so that a change is seen in what it does.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use outrigger::helloworld::{Greeter as _, Handle};
use tokio::time::MissedTickBehavior;
use tokio_util::task::AbortOnDropHandle;

use super::show::Show;

/// Calls under way, and what came of the others.
#[derive(Debug)]
pub(super) struct Caller {
    tally: Arc<Tally>,
    _task: AbortOnDropHandle<()>,
}

#[derive(Debug, Default)]
struct Tally {
    calls: AtomicU64,
    failed: AtomicU64,
}

impl Caller {
    /// Calls until it is dropped, and shows answers that differ from the one
    /// before, and every failure.
    pub(super) fn start(handle: Handle, message: String, every: Duration, show: Arc<Show>) -> Self {
        let tally = Arc::new(Tally::default());
        let counted = tally.clone();
        let task = async move {
            let mut ticks = tokio::time::interval(every);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let mut before = None;
            loop {
                ticks.tick().await;
                match handle.greeting(&message).await {
                    Ok(answer) => {
                        if before.as_ref() != Some(&answer) {
                            show.answer(&answer);
                            before = Some(answer);
                        }
                    }
                    Err(error) => {
                        show.call_failed(&error);
                        counted.failed.fetch_add(1, Ordering::Relaxed);
                    }
                }
                counted.calls.fetch_add(1, Ordering::Relaxed);
            }
        };
        Self { tally, _task: AbortOnDropHandle::new(tokio::spawn(task)) }
    }

    /// How many calls were made, and how many of them failed.
    pub(super) fn counts(&self) -> (u64, u64) {
        (self.tally.calls.load(Ordering::Relaxed), self.tally.failed.load(Ordering::Relaxed))
    }
}
