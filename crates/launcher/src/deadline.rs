//! A point in time that a wait must not pass.

use std::time::{Duration, Instant};

use rustix::event::Timespec;

/// A point on the monotonic clock; none when it is too far away to name, which
/// is never.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline(Option<Instant>);

impl Deadline {
    pub(crate) fn after(limit: Duration) -> Self {
        Self(now().checked_add(limit))
    }

    /// What is left of it, in the form that `poll` takes; zero once passed.
    pub(crate) fn left(&self) -> Timespec {
        let left = match self.0 {
            Some(end) => end.saturating_duration_since(now()),
            None => Duration::MAX,
        };
        timespec(left)
    }

    pub(crate) fn passed(&self) -> bool {
        self.0.is_some_and(|end| now() >= end)
    }
}

/// A duration in the form that `poll` takes, cut where the kernel's type ends.
pub(crate) fn timespec(duration: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(duration.subsec_nanos()),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the launcher has no tokio, and its waits are on real processes"
)]
fn now() -> Instant {
    Instant::now()
}
