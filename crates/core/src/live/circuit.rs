//! Outlier detection, method by method: a method whose calls get no answer again and
//! again is not called for a while, so that its callers fail at once and not at
//! their deadlines. Then one call is let through to see.
//!
//! A call that got no answer counts only if nobody else got one while it was under
//! way: a caller who knows how to make a handler hang must not shut out the others.
//! What a plugin refuses is an answer. A plugin whose health checks fail is replaced
//! as a whole; this is for the one handler that hangs while the rest goes on.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;

use outrigger_types::Generation;
use tokio::time::Instant;

use crate::settings::OutlierPolicy;

/// What moments are counted from.
static EPOCH: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Whether a call may be sent.
#[derive(Debug)]
pub enum Passage<'a> {
    /// It may.
    Open,
    /// It may, to see how things are.
    Probe(Probe<'a>),
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
    /// When the last answer came, in microseconds since the epoch.
    answered: AtomicU64,
    /// Whether there is anything to look at: the lock is for whoever fails.
    stirred: AtomicBool,
    record: Mutex<Record>,
}

impl Circuit {
    /// Whether a call may be sent to this generation. One without `patience`, whose
    /// deadline says nothing about the method, does not see how things are.
    #[inline]
    pub fn passage(
        &self,
        generation: Generation,
        policy: &OutlierPolicy,
        patience: bool,
    ) -> Passage<'_> {
        if !self.stirred.load(Ordering::Relaxed) {
            return Passage::Open;
        }
        let now = Instant::now();
        match self.locked(|record| record.asked(generation, policy, patience, now)) {
            Asked::Open => Passage::Open,
            Asked::Probe => Passage::Probe(Probe { circuit: self, over: false }),
            Asked::Closed { retry_in, failures } => Passage::Closed { retry_in, failures },
        }
    }

    /// A call of this generation was answered at that moment.
    #[inline]
    pub fn answered(&self, generation: Generation, at: Instant) {
        self.answered.store(micros(at), Ordering::Relaxed);
        if self.stirred.load(Ordering::Relaxed) {
            self.settle(generation);
        }
    }

    /// A call got no answer, which began then; as the probe or not.
    #[cold]
    pub fn unanswered(
        &self,
        generation: Generation,
        policy: &OutlierPolicy,
        began: Instant,
        probe: Option<Probe<'_>>,
    ) {
        let probe = probe.map(|mut probe| probe.over = true).is_some();
        let alone = self.answered.load(Ordering::Relaxed) < micros(began);
        if policy.failures == 0 || !(alone || probe) {
            if probe {
                self.locked(|record| record.probing = false);
            }
            return;
        }
        let now = Instant::now();
        self.locked(|record| {
            record.unanswered(generation, policy, probe, now);
            self.stirred.store(true, Ordering::Relaxed);
        });
    }

    #[cold]
    fn settle(&self, generation: Generation) {
        self.locked(|record| {
            // One that is on its way out says nothing of its successor.
            if generation == record.generation {
                *record = Record::default();
                self.stirred.store(false, Ordering::Relaxed);
            }
        });
    }

    #[cold]
    fn locked<T>(&self, act: impl FnOnce(&mut Record) -> T) -> T {
        act(&mut self.record.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn micros(at: Instant) -> u64 {
    // Never zero, which stands for no answer yet.
    let since = at.saturating_duration_since(*EPOCH).as_micros();
    u64::try_from(since).unwrap_or(u64::MAX).saturating_add(1)
}

/// The call that sees how things are. Dropped without a verdict, it gives its place
/// to another one.
#[derive(Debug)]
pub struct Probe<'a> {
    circuit: &'a Circuit,
    over: bool,
}

impl Drop for Probe<'_> {
    fn drop(&mut self) {
        if !self.over {
            self.circuit.locked(|record| record.probing = false);
        }
    }
}

enum Asked {
    Open,
    Probe,
    Closed { retry_in: Duration, failures: u32 },
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
    /// One call was let through, and has no answer yet.
    probing: bool,
}

impl Record {
    fn asked(
        &mut self,
        generation: Generation,
        policy: &OutlierPolicy,
        patience: bool,
        now: Instant,
    ) -> Asked {
        self.follow(generation);
        let Some(until) = self.closed else { return Asked::Open };
        if now >= until && patience && !self.probing {
            self.probing = true;
            return Asked::Probe;
        }
        let retry_in = until.saturating_duration_since(now).max(policy.close / 10);
        Asked::Closed { retry_in, failures: self.failures }
    }

    /// A new process is not to blame for the one before.
    fn follow(&mut self, generation: Generation) {
        if generation > self.generation {
            *self = Self { generation, ..Self::default() };
        }
    }

    fn unanswered(
        &mut self,
        generation: Generation,
        policy: &OutlierPolicy,
        probe: bool,
        now: Instant,
    ) {
        self.follow(generation);
        if generation < self.generation {
            return;
        }
        self.failures = self.failures.saturating_add(1);
        // Those that were under way when it was closed say nothing new.
        let closes = if self.closed.is_some() { probe } else { self.failures >= policy.failures };
        if closes {
            self.probing = false;
            self.closings = self.closings.saturating_add(1);
            let long = policy.close.saturating_mul(self.closings);
            self.closed = Some(now + policy.close_limit.min(long));
        }
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
    const SECOND: Duration = Duration::from_secs(1);

    fn fails(circuit: &Circuit, generation: Generation, times: usize) {
        let began = Instant::now();
        (0..times).for_each(|_| circuit.unanswered(generation, &POLICY, began, None));
    }

    /// How long until the next one.
    fn closed(circuit: &Circuit) -> Option<Duration> {
        match circuit.passage(ONE, &POLICY, true) {
            Passage::Closed { retry_in, .. } => Some(retry_in),
            Passage::Open => None,
            Passage::Probe(_) => panic!("a probe"),
        }
    }

    fn probe(circuit: &Circuit) -> Probe<'_> {
        match circuit.passage(ONE, &POLICY, true) {
            Passage::Probe(probe) => probe,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn three_calls_without_an_answer_close_it_and_one_call_sees_how_it_is() {
        let circuit = Circuit::default();
        fails(&circuit, ONE, 2);
        assert_eq!(closed(&circuit), None);
        fails(&circuit, ONE, 1);
        assert_eq!(closed(&circuit), Some(SECOND));
        tokio::time::advance(SECOND).await;
        let first = probe(&circuit);
        assert!(closed(&circuit).is_some(), "one at a time");
        circuit.unanswered(ONE, &POLICY, Instant::now(), Some(first));
        assert_eq!(closed(&circuit), Some(2 * SECOND));
        tokio::time::advance(2 * SECOND).await;
        let second = probe(&circuit);
        circuit.answered(ONE, Instant::now());
        drop(second);
        assert_eq!(closed(&circuit), None);
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_closed_for_longer_each_time_up_to_the_limit() {
        let circuit = Circuit::default();
        // As many as there may be at a time count once.
        fails(&circuit, ONE, 500);
        for seconds in [1, 2, 3, 4, 4, 4] {
            assert_eq!(closed(&circuit), Some(SECOND * seconds));
            fails(&circuit, ONE, 100);
            tokio::time::advance(SECOND * seconds).await;
            let probe = probe(&circuit);
            circuit.unanswered(ONE, &POLICY, Instant::now(), Some(probe));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn calls_that_hang_while_others_are_answered_close_nothing() {
        let circuit = Circuit::default();
        for _ in 0..100 {
            let began = Instant::now();
            tokio::time::advance(SECOND).await;
            circuit.answered(ONE, Instant::now());
            tokio::time::advance(SECOND).await;
            (0..50).for_each(|_| circuit.unanswered(ONE, &POLICY, began, None));
        }
        assert_eq!(closed(&circuit), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_without_a_verdict_gives_its_place_back_and_needs_patience() {
        let circuit = Circuit::default();
        fails(&circuit, ONE, 3);
        tokio::time::advance(SECOND).await;
        let hasty = circuit.passage(ONE, &POLICY, false);
        assert!(matches!(hasty, Passage::Closed { .. }), "{hasty:?}");
        drop(probe(&circuit));
        drop(probe(&circuit));
    }

    #[tokio::test(start_paused = true)]
    async fn a_new_generation_opens_it_and_an_old_one_says_nothing_of_it() {
        let two = Generation(2);
        let circuit = Circuit::default();
        fails(&circuit, ONE, 3);
        assert!(matches!(circuit.passage(two, &POLICY, true), Passage::Open));
        fails(&circuit, two, 3);
        fails(&circuit, ONE, 3);
        circuit.answered(ONE, Instant::now());
        assert!(matches!(circuit.passage(two, &POLICY, true), Passage::Closed { failures: 3, .. }));
        circuit.answered(two, Instant::now());
        assert!(matches!(circuit.passage(two, &POLICY, true), Passage::Open));
    }

    #[tokio::test(start_paused = true)]
    async fn zero_failures_switch_it_off() {
        let off = OutlierPolicy { failures: 0, ..POLICY };
        let circuit = Circuit::default();
        (0..100).for_each(|_| circuit.unanswered(ONE, &off, Instant::now(), None));
        assert!(matches!(circuit.passage(ONE, &off, true), Passage::Open));
    }
}
