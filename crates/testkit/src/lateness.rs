//! How late the machine itself is, to tell that apart from what is tested: other
//! tests run beside it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::event::{Timespec, poll};
use tokio::time::Instant;

const STEP: Duration = Duration::from_millis(5);

/// A plain thread that wakes every 5 ms, and how late it did at worst.
#[derive(Debug)]
pub struct Lateness {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Duration>,
}

impl Lateness {
    /// Watches from now on.
    #[must_use]
    pub fn watch() -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = std::thread::spawn(move || worst_until(&stopped));
        Self { stop, thread }
    }

    /// Stops watching, and says how late it was at worst.
    ///
    /// # Panics
    ///
    /// Never: its thread does not panic.
    #[must_use]
    pub fn worst(self) -> Duration {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("invariant: the thread does not panic")
    }
}

fn worst_until(stopped: &AtomicBool) -> Duration {
    let timeout = Timespec::try_from(STEP).expect("invariant: a short time");
    let mut worst = Duration::ZERO;
    while !stopped.load(Ordering::Relaxed) {
        let before = Instant::now();
        let _elapsed = poll(&mut [], Some(&timeout));
        worst = worst.max(before.elapsed().saturating_sub(STEP));
    }
    worst
}
