//! When a token is due, and when the timer rings. Pure: time is given.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::{OPAQUE, Token, claim};

/// The timer's wait for a token that is due already, and the least time between
/// two refreshes; doubled with each one that gave no token that lasts.
pub(super) const SOON: Duration = Duration::from_secs(1);
/// The longest of those waits.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// The timer looks at the clock this often, since it may have been set.
const LOOK: Duration = Duration::from_secs(60 * 60);
/// More than any token lasts, or is to be refreshed early.
const AGES: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// Both of a process's clocks: one can be set, the other stands still while the
/// machine sleeps.
#[derive(Debug, Clone, Copy)]
pub(super) struct Now {
    pub(super) wall: SystemTime,
    pub(super) running: Instant,
}

#[derive(Debug, Clone, Copy)]
enum End {
    At(Now),
    Unknown,
}

#[derive(Debug)]
pub(super) struct State {
    end: End,
    /// Counts the tokens.
    pub(super) version: u64,
    /// `None` until the manager said it.
    anticipation: Option<Duration>,
    /// Refreshes since a token that lasts.
    in_vain: u32,
    attempted: Option<Instant>,
}

impl State {
    pub(super) fn new(token: &Token, now: Now) -> Self {
        let mut state =
            Self { end: End::Unknown, version: 0, anticipation: None, in_vain: 0, attempted: None };
        state.set(token, now);
        state
    }

    /// Another token that is not the manager's.
    pub(super) fn set(&mut self, token: &Token, now: Now) {
        self.end = claim::end(token.as_str()).map_or(End::Unknown, |end| ends(end, now));
        self.version += 1;
        self.in_vain = 0;
        self.attempted = None;
    }

    /// The manager's answer to a refresh.
    pub(super) fn give(&mut self, token: &Token, now: Now) {
        self.end = claim::end(token.as_str()).map_or_else(
            // An opaque one needs no anticipation.
            || ends(now.wall + OPAQUE + self.anticipation.unwrap_or_default(), now),
            |end| ends(end, now),
        );
        self.version += 1;
        self.attempted = Some(now.running);
        self.in_vain = if self.left(now).is_zero() { self.in_vain.saturating_add(1) } else { 0 };
    }

    pub(super) fn anticipate(&mut self, anticipation: Duration) {
        self.anticipation = Some(anticipation.min(AGES));
    }

    /// A refresh failed.
    pub(super) fn fail(&mut self, now: Now) {
        self.attempted = Some(now.running);
        self.in_vain = self.in_vain.saturating_add(1);
    }

    /// What is left until the token is due.
    pub(super) fn left(&self, now: Now) -> Duration {
        let End::At(end) = self.end else { return Duration::ZERO };
        let wall = end.wall.duration_since(now.wall).unwrap_or_default();
        let running = end.running.saturating_duration_since(now.running);
        wall.min(running).saturating_sub(self.anticipation.unwrap_or_default())
    }

    /// Whether there is anything to ask the manager.
    pub(super) fn is_due(&self, now: Now) -> bool {
        self.anticipation.is_none() || self.left(now).is_zero()
    }

    /// Whether a refresh that is wanted since then would repeat one that just
    /// was.
    pub(super) fn was_attempted(&self, wanted: Instant, now: Now) -> bool {
        self.attempted.is_some_and(|at| at >= wanted || now.running < at + SOON)
    }

    /// How long until the timer rings.
    pub(super) fn alarm(&self, now: Now) -> Duration {
        if self.is_due(now) {
            return (SOON * (1 << self.in_vain.min(6))).min(LONGEST_WAIT);
        }
        self.left(now).min(LOOK)
    }
}

fn ends(end: SystemTime, now: Now) -> End {
    let left = end.duration_since(now.wall).unwrap_or_default().min(AGES);
    End::At(Now { wall: end, running: now.running + left })
}
