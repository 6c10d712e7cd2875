//! When a plugin that failed is started again. Pure: time comes in, a delay
//! comes out.
//!
//! The first restart is immediate; then the delay doubles, drawn at random below
//! that (full jitter). Too many failures within a window or an hour open the
//! circuit: one probe, then more at doubling intervals, for ever. A validator
//! must heal at night without a person. Healthy serving halves the score each
//! minute. [`RestartPolicy`] has the figures.

use std::collections::VecDeque;
use std::time::Duration;

use crate::settings::RestartPolicy;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);

/// Failures that are remembered, whatever the policy says.
const REMEMBERED: u32 = 1_000;

/// What follows a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// How long to wait.
    pub(crate) delay: Duration,
    /// Whether the circuit is open: too many failures, probing only.
    pub(crate) open: bool,
}

/// The record of one plugin's failures.
#[derive(Debug, Clone)]
pub(crate) struct Restarts {
    policy: RestartPolicy,
    score: f64,
    probes: u32,
    failures: VecDeque<Duration>,
    serving_since: Option<Duration>,
    jitter: Jitter,
}

impl Restarts {
    /// A clean record; `seed` makes the jitter of two plugins differ.
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            policy: RestartPolicy::default(),
            score: 0.0,
            probes: 0,
            failures: VecDeque::new(),
            serving_since: None,
            jitter: Jitter::new(seed),
        }
    }

    /// The policy can change with the settings.
    pub(crate) fn set_policy(&mut self, policy: RestartPolicy) {
        self.policy = policy;
    }

    /// A generation serves.
    pub(crate) fn serves(&mut self, now: Duration) {
        self.serving_since.get_or_insert(now);
    }

    /// A generation failed, or an attempt to start one did.
    pub(crate) fn failed(&mut self, now: Duration) -> Verdict {
        self.decay(now);
        let policy = self.policy;
        let (failures, per_hour) =
            (policy.failures.min(REMEMBERED), policy.failures_per_hour.min(REMEMBERED));
        self.failures.push_back(now);
        while self.failures.len() > failures.max(per_hour) as usize {
            self.failures.pop_front();
        }
        let many = |window, limit: u32| {
            let recent = self.failures.iter().filter(|at| now.saturating_sub(**at) < window);
            recent.count() >= limit as usize
        };
        let open = policy.circuit && (many(policy.window, failures) || many(HOUR, per_hour));
        let delay = if open { self.probe() } else { self.backoff() };
        self.score += 1.0;
        Verdict { delay, open }
    }

    fn decay(&mut self, now: Duration) {
        let Some(since) = self.serving_since.take() else { return };
        let healthy = now.saturating_sub(since).as_secs_f64() / MINUTE.as_secs_f64();
        self.score *= 0.5_f64.powf(healthy);
        if healthy >= 1.0 {
            self.probes = 0;
        }
    }

    fn backoff(&mut self) -> Duration {
        if self.score < 1.0 {
            return Duration::ZERO;
        }
        // A day, 2^20 times, is far past any limit and within what a duration holds.
        let doublings = (self.score - 1.0).clamp(0.0, 20.0);
        let RestartPolicy { backoff, backoff_limit, .. } = self.policy;
        let grown = backoff.as_secs_f64() * 2.0_f64.powf(doublings);
        // More than a duration holds is more than any limit.
        let ceiling = Duration::try_from_secs_f64(grown).unwrap_or(backoff_limit);
        ceiling.min(backoff_limit).mul_f64(self.jitter.next())
    }

    fn probe(&mut self) -> Duration {
        let RestartPolicy { probe, probe_limit, .. } = self.policy;
        let delay = probe_limit.min(probe.saturating_mul(2_u32.pow(self.probes.min(8))));
        self.probes = self.probes.saturating_add(1);
        // Between half and all of it, so that fifty plugins do not probe at once.
        delay.mul_f64(0.5 + self.jitter.next() / 2.0)
    }
}

/// Random enough to spread restarts: xorshift64*.
#[derive(Debug, Clone)]
struct Jitter(u64);

impl Jitter {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// At least 0, below 1.
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let bits = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11;
        bits as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_first_restart_is_immediate() {
        let verdict = Restarts::new(1).failed(SECOND);
        assert_eq!(verdict, Verdict { delay: Duration::ZERO, open: false });
    }

    #[test]
    fn delays_stay_below_doubling_ceilings() {
        for seed in 0..200 {
            let mut restarts = Restarts::new(seed);
            restarts.failed(Duration::ZERO);
            for (n, ceiling) in [100, 200, 400].into_iter().enumerate() {
                let verdict = restarts.failed(SECOND * u32::try_from(n).unwrap());
                assert!(verdict.delay < Duration::from_millis(ceiling), "{n}: {verdict:?}");
            }
        }
    }

    #[test]
    fn five_failures_in_a_minute_open_the_circuit_and_it_probes_for_ever() {
        let mut restarts = Restarts::new(7);
        let verdicts: Vec<_> = (0..5).map(|n| restarts.failed(SECOND * n)).collect();
        assert!(verdicts[..4].iter().all(|verdict| !verdict.open));
        assert!(verdicts[4].open);
        assert!(verdicts[4].delay >= SECOND * 30 && verdicts[4].delay <= SECOND * 60);
        let mut now = SECOND * 5;
        for _ in 0..100 {
            let verdict = restarts.failed(now);
            assert!(verdict.delay <= SECOND * 300, "{verdict:?}");
            now += verdict.delay;
        }
    }

    #[test]
    fn a_crash_every_61_seconds_opens_the_circuit_within_an_hour() {
        let mut restarts = Restarts::new(3);
        let opened = (1..20_u32).find(|n| {
            let now = SECOND * 61 * *n;
            restarts.serves(now - SECOND * 60);
            restarts.failed(now).open
        });
        assert_eq!(opened, Some(10));
    }

    #[test]
    fn an_hour_of_health_forgets() {
        let mut restarts = Restarts::new(3);
        for n in 0..4 {
            restarts.failed(SECOND * n);
        }
        restarts.serves(SECOND * 10);
        assert_eq!(restarts.failed(SECOND * 4_000).delay, Duration::ZERO);
    }

    #[test]
    fn a_policy_without_backoff_and_circuit_restarts_at_once_for_ever() {
        let mut restarts = Restarts::new(3);
        restarts.set_policy(RestartPolicy {
            backoff: Duration::ZERO,
            circuit: false,
            ..RestartPolicy::default()
        });
        let at_once = Verdict { delay: Duration::ZERO, open: false };
        assert!((0..10_000).all(|_| restarts.failed(SECOND) == at_once));
    }

    proptest! {
        #[test]
        fn no_policy_is_too_large_to_be_reckoned_with(
            figures in proptest::collection::vec(any::<Duration>(), 5),
            counts in any::<(u32, u32)>(),
            times in proptest::collection::vec((any::<Duration>(), any::<bool>()), 1..40),
        ) {
            let mut restarts = Restarts::new(3);
            restarts.set_policy(RestartPolicy {
                failures: counts.0,
                window: figures[0],
                failures_per_hour: counts.1,
                backoff: figures[1],
                backoff_limit: figures[2],
                probe: figures[3],
                probe_limit: figures[4],
                ..RestartPolicy::default()
            });
            for (now, serves) in times {
                if serves {
                    restarts.serves(now);
                } else {
                    let delay = restarts.failed(now).delay;
                    prop_assert!(delay <= figures[2].max(figures[4]));
                }
            }
        }

        #[test]
        fn no_history_gives_a_delay_over_five_minutes(
            steps in proptest::collection::vec((0u64..10_000_000, any::<bool>()), 1..200),
            seed: u64,
        ) {
            let mut restarts = Restarts::new(seed);
            let mut now = Duration::ZERO;
            for (millis, serves) in steps {
                now += Duration::from_millis(millis);
                if serves {
                    restarts.serves(now);
                } else {
                    prop_assert!(restarts.failed(now).delay <= SECOND * 300);
                }
            }
        }
    }
}
