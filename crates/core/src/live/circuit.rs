//! Outlier detection, method by method: a method whose calls get no answer again and
//! again is not called for a while, so that its callers fail at once and not at
//! their deadlines. Then one call is let through to see.
//!
//! What a plugin refuses is an answer. A plugin whose health checks fail is replaced
//! as a whole; this is for the one handler that hangs while the rest goes on.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use outrigger_types::Generation;
use tokio::time::Instant;

use crate::settings::OutlierPolicy;

/// Whether a call may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passage {
    /// It may.
    Open,
    /// Not before this long has passed, after that many failures.
    Closed {
        /// When the next one may.
        retry_in: Duration,
        /// Failures in a row.
        failures: u32,
    },
}

/// The state of one method.
#[derive(Debug, Default)]
pub struct Circuit {
    /// Whether there is anything to look at: the lock is for whoever fails.
    stirred: AtomicBool,
    record: Mutex<Record>,
}

impl Circuit {
    /// Whether a call may be sent to this generation.
    #[inline]
    #[must_use]
    pub fn passage(&self, generation: Generation, policy: &OutlierPolicy) -> Passage {
        if !self.stirred.load(Ordering::Relaxed) {
            return Passage::Open;
        }
        self.locked(|record| record.passage(generation, policy, Instant::now()))
    }

    /// A call was answered.
    #[inline]
    pub fn answered(&self) {
        if self.stirred.load(Ordering::Relaxed) {
            self.locked(|record| *record = Record::default());
            self.stirred.store(false, Ordering::Relaxed);
        }
    }

    /// A call got no answer.
    #[cold]
    pub fn unanswered(&self, generation: Generation, policy: &OutlierPolicy) {
        if policy.failures == 0 {
            return;
        }
        self.locked(|record| record.unanswered(generation, policy, Instant::now()));
        self.stirred.store(true, Ordering::Relaxed);
    }

    #[cold]
    fn locked<T>(&self, act: impl FnOnce(&mut Record) -> T) -> T {
        act(&mut self.record.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What is known of the calls to one generation.
#[derive(Debug, Default)]
struct Record {
    generation: Generation,
    failures: u32,
    /// How often it was closed in a row.
    closings: u32,
    /// Until when nothing is sent.
    closed: Option<Instant>,
}

impl Record {
    fn passage(&mut self, generation: Generation, policy: &OutlierPolicy, now: Instant) -> Passage {
        // A new process is not to blame for the one before.
        if generation != self.generation {
            *self = Self { generation, ..Self::default() };
        }
        match self.closed {
            Some(until) if now < until => {
                let retry_in = until.saturating_duration_since(now);
                Passage::Closed { retry_in, failures: self.failures }
            }
            Some(_) => {
                // This one sees how it is; the others go on waiting.
                self.closed = Some(now + self.closing(policy));
                Passage::Open
            }
            None => Passage::Open,
        }
    }

    fn unanswered(&mut self, generation: Generation, policy: &OutlierPolicy, now: Instant) {
        if generation < self.generation {
            return;
        }
        if generation > self.generation {
            *self = Self { generation, ..Self::default() };
        }
        self.failures = self.failures.saturating_add(1);
        if self.failures >= policy.failures {
            self.closings = self.closings.saturating_add(1);
            self.closed = Some(now + self.closing(policy));
        }
    }

    /// How long it is closed now: longer each time.
    fn closing(&self, policy: &OutlierPolicy) -> Duration {
        policy.close_limit.min(policy.close.saturating_mul(self.closings.max(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: OutlierPolicy = OutlierPolicy {
        failures: 3,
        close: Duration::from_secs(1),
        close_limit: Duration::from_secs(4),
    };
    const ONE: Generation = Generation(1);

    fn closed(record: &mut Record, now: Instant) -> bool {
        matches!(record.passage(ONE, &POLICY, now), Passage::Closed { .. })
    }

    #[tokio::test(start_paused = true)]
    async fn three_calls_without_an_answer_close_it_and_one_call_sees_how_it_is() {
        let mut record = Record::default();
        let start = Instant::now();
        for _ in 0..2 {
            record.unanswered(ONE, &POLICY, start);
            assert!(!closed(&mut record, start));
        }
        record.unanswered(ONE, &POLICY, start);
        assert!(closed(&mut record, start));
        let later = start + Duration::from_secs(1);
        assert!(!closed(&mut record, later), "one is let through");
        assert!(closed(&mut record, later), "and no other");
        // It had no answer either.
        record.unanswered(ONE, &POLICY, later);
        assert!(closed(&mut record, later + Duration::from_millis(1_900)));
        assert!(!closed(&mut record, later + Duration::from_secs(2)));
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_closed_for_longer_each_time_up_to_the_limit() {
        let mut record = Record::default();
        let mut now = Instant::now();
        for expected in [0, 0, 1, 2, 3, 4, 4, 4] {
            record.unanswered(ONE, &POLICY, now);
            match record.passage(ONE, &POLICY, now) {
                Passage::Open => assert_eq!(expected, 0),
                Passage::Closed { retry_in, .. } => {
                    assert_eq!(retry_in, Duration::from_secs(expected));
                    now += retry_in;
                }
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_and_a_new_generation_open_it() {
        let circuit = Circuit::default();
        for _ in 0..3 {
            circuit.unanswered(ONE, &POLICY);
        }
        assert!(matches!(circuit.passage(ONE, &POLICY), Passage::Closed { failures: 3, .. }));
        assert_eq!(circuit.passage(Generation(2), &POLICY), Passage::Open);
        for _ in 0..3 {
            circuit.unanswered(Generation(2), &POLICY);
        }
        // One that was late for an older generation is no news.
        circuit.unanswered(ONE, &POLICY);
        assert!(matches!(
            circuit.passage(Generation(2), &POLICY),
            Passage::Closed { failures: 3, .. }
        ));
        circuit.answered();
        assert_eq!(circuit.passage(Generation(2), &POLICY), Passage::Open);
    }

    #[tokio::test(start_paused = true)]
    async fn zero_failures_switch_it_off() {
        let off = OutlierPolicy { failures: 0, ..POLICY };
        let circuit = Circuit::default();
        for _ in 0..100 {
            circuit.unanswered(ONE, &off);
        }
        assert_eq!(circuit.passage(ONE, &off), Passage::Open);
    }
}
