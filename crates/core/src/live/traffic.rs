//! Calls of an instance, counted from its host's start, whatever its generation.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Bounds in microseconds: three to an octave up to 0.1 s, coarser after that.
const BOUNDS: [u64; 31] = [
    50, 63, 80, 100, 126, 159, 200, 252, 318, 400, 504, 635, 800, 1_008, 1_270, 1_600, 2_016,
    2_540, 3_200, 4_032, 5_080, 10_000, 20_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
    2_500_000, 5_000_000, 10_000_000,
];

/// What calls touch: two additions each.
#[derive(Debug, Default)]
pub struct Counts {
    errors: AtomicU64,
    buckets: [AtomicU64; BOUNDS.len() + 1],
}

impl Counts {
    /// A call that was answered, and what it took.
    pub fn answered(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = BOUNDS.partition_point(|bound| *bound < micros);
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
    }

    /// A call that failed, for whatever reason.
    pub fn failed(&self) {
        self.errors.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> Traffic {
        let buckets: Vec<u64> =
            self.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed)).collect();
        let errors = self.errors.load(Ordering::Relaxed);
        Traffic { calls: errors + buckets.iter().sum::<u64>(), errors, buckets }
    }
}

/// Calls of an instance since its host's start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Traffic {
    /// Calls that ended.
    pub calls: u64,
    /// Those of them that failed.
    pub errors: u64,
    /// Calls that were answered, by what they took: one more than
    /// [`Traffic::bounds`], the last one for those that took longer.
    buckets: Vec<u64>,
}

impl Traffic {
    /// The upper bounds of the buckets, in seconds.
    pub fn bounds() -> impl Iterator<Item = f64> {
        BOUNDS.iter().map(|micros| Duration::from_micros(*micros).as_secs_f64())
    }

    /// Calls that were answered, by what they took; not cumulative.
    #[must_use]
    pub fn buckets(&self) -> &[u64] {
        &self.buckets
    }

    /// What happened since an earlier reading.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let before = |index: usize| earlier.buckets.get(index).copied().unwrap_or_default();
        let buckets = self.buckets.iter().enumerate();
        let buckets = buckets.map(|(index, count)| count.saturating_sub(before(index))).collect();
        Self {
            calls: self.calls.saturating_sub(earlier.calls),
            errors: self.errors.saturating_sub(earlier.errors),
            buckets,
        }
    }

    /// Seconds within which this share of the answers came, interpolated within a
    /// bucket; `None` where there was no answer. An answer past the last bound counts
    /// as that bound.
    #[must_use]
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let answers: u64 = self.buckets.iter().sum();
        if answers == 0 {
            return None;
        }
        let wanted = share.clamp(0.0, 1.0) * answers as f64;
        let (mut below, mut seen) = (0.0, 0.0);
        for (bound, count) in Self::bounds().zip(&self.buckets) {
            let count = *count as f64;
            if count > 0.0 && seen + count >= wanted {
                return Some(below + (bound - below) * ((wanted - seen) / count));
            }
            seen += count;
            below = bound;
        }
        Some(below)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_counted_by_what_they_took_and_by_how_they_ended() {
        let counts = Counts::default();
        (0..90).for_each(|_| counts.answered(Duration::from_micros(90)));
        (0..10).for_each(|_| counts.answered(Duration::from_millis(9)));
        (0..5).for_each(|_| counts.failed());
        let traffic = counts.read();
        assert_eq!((traffic.calls, traffic.errors), (105, 5));
        let p50 = traffic.quantile(0.5).unwrap();
        assert!((0.000_08..=0.000_1).contains(&p50), "{p50}");
        let p99 = traffic.quantile(0.99).unwrap();
        assert!((0.005..=0.01).contains(&p99), "{p99}");
    }

    #[test]
    fn a_reading_tells_what_happened_since_an_earlier_one() {
        let counts = Counts::default();
        counts.answered(Duration::from_micros(90));
        let earlier = counts.read();
        assert_eq!(earlier.since(&Traffic::default()), earlier);
        counts.answered(Duration::from_secs(60));
        counts.failed();
        let since = counts.read().since(&earlier);
        assert_eq!((since.calls, since.errors), (2, 1));
        assert_eq!(since.quantile(0.5), Some(10.0), "past the last bound");
        assert_eq!(counts.read().since(&counts.read()).quantile(0.5), None);
    }

    #[test]
    fn bounds_rise() {
        assert!(BOUNDS.is_sorted_by(|one, next| one < next));
        assert_eq!(Traffic::bounds().count() + 1, Counts::default().read().buckets().len());
    }
}
