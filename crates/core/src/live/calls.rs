//! Calls of one generation, counted.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use tokio::sync::Notify;

/// Counts calls; the highest bit says that nobody may enter.
#[derive(Debug, Default)]
pub(super) struct Calls {
    pub(super) state: AtomicU64,
    emptied: Notify,
    /// Calls that wait for another one to end.
    pub(super) queued: AtomicU32,
    pub(super) freed: Notify,
}

/// What came of an attempt to be counted in.
pub(super) enum Counted {
    In,
    Full,
    Closed,
}

pub(super) const CLOSED: u64 = 1 << 63;

impl Calls {
    pub(super) fn enter(&self, limit: u32) -> Counted {
        // Never more than is true: a count that is taken back would hide the room
        // that somebody is being told of.
        let room = |state: u64| (state < u64::from(limit)).then_some(state + 1);
        match self.state.fetch_update(Ordering::SeqCst, Ordering::SeqCst, room) {
            Ok(_) => Counted::In,
            Err(state) if state & CLOSED != 0 => Counted::Closed,
            Err(_) => Counted::Full,
        }
    }

    pub(super) fn leave(&self) {
        if self.state.fetch_sub(1, Ordering::SeqCst) == CLOSED + 1 {
            self.emptied.notify_waiters();
        }
        // In one order with the count, so that whoever queues after it was full
        // either sees the room or is seen here.
        if self.queued.load(Ordering::SeqCst) > 0 {
            self.freed.notify_one();
        }
    }

    pub(super) fn close(&self) {
        if self.state.fetch_or(CLOSED, Ordering::SeqCst) & !CLOSED == 0 {
            self.emptied.notify_waiters();
        }
        self.freed.notify_waiters();
    }

    pub(super) fn count(&self) -> u64 {
        self.state.load(Ordering::Acquire) & !CLOSED
    }

    pub(super) async fn drained(&self) {
        loop {
            let emptied = self.emptied.notified();
            tokio::pin!(emptied);
            emptied.as_mut().enable();
            if self.state.load(Ordering::Acquire) == CLOSED {
                return;
            }
            emptied.await;
        }
    }
}
