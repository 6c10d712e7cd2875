//! Bytes that wait for a reader, the oldest of which go when there are too many.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::Notify;

/// Bytes that wait at most. Go's plugins stop printing after about 70 KiB.
const CAPACITY: usize = 256 * 1024;

/// Go-plugin's pieces are never larger, and hosts may count on it.
const PIECE: usize = 1024;

#[derive(Debug)]
pub(super) struct Queue {
    /// For the log.
    name: &'static str,
    state: Mutex<State>,
    changed: Notify,
    /// Nothing waits for a reader, or no reader is left.
    taken: Notify,
}

#[derive(Debug, Default)]
struct State {
    bytes: VecDeque<u8>,
    /// Bytes that no reader got, since the last piece.
    dropped: u64,
    finished: bool,
    readers: usize,
}

/// Reads a queue, and counts as a reader until it is dropped.
#[derive(Debug)]
pub(super) struct Reader(Arc<Queue>);

impl Reader {
    pub(super) fn new(queue: Arc<Queue>) -> Self {
        queue.state().readers += 1;
        Self(queue)
    }

    /// The oldest bytes, at least one, at most a piece; `None` at the end.
    ///
    /// # Cancel safety
    ///
    /// Safe: nothing is taken before it returns.
    pub(super) async fn next(&self) -> Option<Bytes> {
        self.0.next().await
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.0.state().readers -= 1;
        self.0.taken.notify_waiters();
    }
}

impl Queue {
    pub(super) fn new(name: &'static str) -> Self {
        Self { name, state: Mutex::default(), changed: Notify::new(), taken: Notify::new() }
    }

    /// Adds bytes, and never waits. It logs nothing: a log that leads into this
    /// very queue would wait for itself.
    pub(super) fn push(&self, bytes: &[u8]) {
        self.state().push(bytes);
        self.changed.notify_one();
    }

    /// No more is added; readers end once it is empty.
    pub(super) fn finish(&self) {
        let dropped = {
            let mut state = self.state();
            state.finished = true;
            std::mem::take(&mut state.dropped)
        };
        self.changed.notify_one();
        self.tell(dropped);
    }

    async fn next(&self) -> Option<Bytes> {
        loop {
            {
                let mut state = self.state();
                if let Some((piece, dropped)) = state.take() {
                    let empty = state.bytes.is_empty();
                    let more = !empty || state.finished;
                    drop(state);
                    if more {
                        self.changed.notify_one();
                    }
                    if empty {
                        self.taken.notify_waiters();
                    }
                    self.tell(dropped);
                    return Some(piece);
                }
                if state.finished {
                    self.changed.notify_one();
                    return None;
                }
            }
            self.changed.notified().await;
        }
    }

    /// Waits until nothing waits for a reader, as long as there is one.
    pub(super) async fn taken(&self) {
        loop {
            let taken = self.taken.notified();
            {
                let state = self.state();
                if state.bytes.is_empty() || state.readers == 0 {
                    return;
                }
            }
            taken.await;
        }
    }

    fn tell(&self, dropped: u64) {
        if dropped > 0 {
            tracing::warn!(bytes = dropped, "dropped {} that no host read in time", self.name);
        }
    }

    /// A panic elsewhere leaves the bytes as they were.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn push(&mut self, bytes: &[u8]) {
        let kept = &bytes[bytes.len().saturating_sub(CAPACITY)..];
        let excess = (self.bytes.len() + kept.len()).saturating_sub(CAPACITY);
        self.bytes.drain(..excess);
        self.bytes.extend(kept);
        self.dropped += (bytes.len() - kept.len() + excess) as u64;
    }

    fn take(&mut self) -> Option<(Bytes, u64)> {
        if self.bytes.is_empty() {
            return None;
        }
        let piece = self.bytes.drain(..PIECE.min(self.bytes.len())).collect();
        Some((piece, std::mem::take(&mut self.dropped)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_nobody_reads_is_bounded_and_the_newest_stays() {
        let queue = Queue::new("output");
        for n in 0..4_u8 {
            queue.push(&vec![n; CAPACITY / 2]);
        }
        assert_eq!(queue.state().dropped, CAPACITY as u64);
        queue.push(&vec![9; CAPACITY * 3]);
        assert_eq!(queue.state().dropped, CAPACITY as u64 * 4);
        queue.finish();
        let mut left = 0;
        while let Some(piece) = queue.next().await {
            assert!(piece.iter().all(|byte| *byte == 9) && piece.len() <= PIECE);
            left += piece.len();
        }
        assert_eq!((left, queue.state().dropped), (CAPACITY, 0));
    }

    #[test]
    fn a_loss_is_told_once() {
        let mut state = State::default();
        state.push(&[0; CAPACITY]);
        state.push(b"xy");
        assert_eq!(state.take().unwrap().1, 2);
        assert_eq!(state.take().unwrap().1, 0);
    }
}
