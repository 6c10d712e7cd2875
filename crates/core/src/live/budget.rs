//! How many calls may be made again: a plugin that dies of them must not be sent each
//! of them over and over.

use std::sync::atomic::{AtomicU32, Ordering};

/// What a repetition costs; an answer brings one.
const PRICE: u32 = 10;

/// What there is at most, and at the start: ten repetitions.
const MOST: u32 = 10 * PRICE;

/// What repetitions are paid from.
#[derive(Debug)]
pub struct Budget(AtomicU32);

impl Default for Budget {
    fn default() -> Self {
        Self(AtomicU32::new(MOST))
    }
}

impl Budget {
    /// A call was answered.
    #[inline]
    pub fn earn(&self) {
        if self.0.load(Ordering::Relaxed) < MOST {
            // A few more than the most do no harm.
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Whether a call may be made again, which is paid for then.
    #[must_use]
    pub fn spend(&self) -> bool {
        let pay = |left: u32| left.checked_sub(PRICE);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, pay).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_may_be_repeated_and_then_one_for_each_ten_answers() {
        let budget = Budget::default();
        assert_eq!((0..100).filter(|_| budget.spend()).count(), 10);
        for _ in 0..25 {
            budget.earn();
        }
        assert_eq!((0..100).filter(|_| budget.spend()).count(), 2);
    }
}
