//! What is done to an instance on purpose, to see what the node makes of it.

use std::time::Duration;

use tokio::time::Instant;

/// The longest freeze, and the longest delay of a call.
const FREEZE: Duration = Duration::from_secs(60);

/// The longest time in which calls are slow or fail.
const LASTS: Duration = Duration::from_secs(300);

/// A disturbance. A host carries it out that was built to allow that.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Chaos {
    /// The process that serves is killed by SIGKILL.
    Kill,
    /// It is stopped by SIGSTOP, and goes on after this long, at most a minute, if it
    /// is still there.
    Freeze {
        /// How long.
        lasts: Duration,
    },
    /// Each call waits before it is sent; its deadline does not wait.
    Slow {
        /// How long each, at most a minute.
        by: Duration,
        /// For how long, at most five minutes.
        lasts: Duration,
    },
    /// A share of the calls fails as if nothing served, and is not sent.
    Errors {
        /// From 0 to 1.
        share: f64,
        /// For how long, at most five minutes.
        lasts: Duration,
    },
    /// What there is of the others ends now.
    None,
}

impl Chaos {
    /// What is wrong with it, if something is.
    pub(crate) fn wrong(&self) -> Option<String> {
        let over = |what: &str, asked: Duration, limit: Duration| {
            (asked > limit).then(|| format!("{what} is {limit:?} at most, and not {asked:?}"))
        };
        match self {
            Self::Kill | Self::None => None,
            Self::Freeze { lasts } => over("a freeze", *lasts, FREEZE),
            Self::Slow { by, lasts } => {
                over("the delay", *by, FREEZE).or_else(|| over("the time", *lasts, LASTS))
            }
            Self::Errors { share, lasts } => {
                let outside = !(0.0..=1.0).contains(share);
                let outside = outside.then(|| format!("the share is from 0 to 1, and not {share}"));
                outside.or_else(|| over("the time", *lasts, LASTS))
            }
        }
    }

    /// What calls have of it, and until when.
    pub(crate) fn of_calls(&self, now: Instant) -> Option<CallChaos> {
        match *self {
            Self::Slow { by, lasts } => {
                Some(CallChaos { delay: by, thousandths: 0, until: now + lasts })
            }
            Self::Errors { share, lasts } => {
                let thousandths = (share * 1_000.0).round() as u32;
                Some(CallChaos { delay: Duration::ZERO, thousandths, until: now + lasts })
            }
            Self::Kill | Self::Freeze { .. } | Self::None => None,
        }
    }
}

/// What is done to the calls of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallChaos {
    /// How long each waits.
    pub(crate) delay: Duration,
    /// How many of a thousand fail.
    pub(crate) thousandths: u32,
    /// When it is over.
    pub(crate) until: Instant,
}

impl CallChaos {
    /// Whether call number `number` fails: evenly spread, whatever the share.
    pub(crate) fn fails(&self, number: u32) -> bool {
        let before = u64::from(number) * u64::from(self.thousandths) / 1_000;
        let after = (u64::from(number) + 1) * u64::from(self.thousandths) / 1_000;
        after > before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn what_is_too_much_is_refused_with_the_limit() {
        let (by, lasts) = (SECOND, SECOND);
        let good = [
            Chaos::Kill,
            Chaos::None,
            Chaos::Freeze { lasts: FREEZE },
            Chaos::Slow { by, lasts: LASTS },
            Chaos::Errors { share: 1.0, lasts },
        ];
        good.iter().for_each(|chaos| assert_eq!(chaos.wrong(), None));
        let bad = [
            Chaos::Freeze { lasts: SECOND * 61 },
            Chaos::Slow { by: SECOND * 61, lasts },
            Chaos::Slow { by, lasts: SECOND * 301 },
            Chaos::Errors { share: 1.1, lasts },
            Chaos::Errors { share: f64::NAN, lasts },
            Chaos::Errors { share: -0.1, lasts },
        ];
        bad.iter().for_each(|chaos| assert!(chaos.wrong().is_some(), "{chaos:?}"));
    }

    #[test]
    fn a_share_of_calls_fails_and_no_more() {
        for (share, expected) in [(0.0, 0), (0.25, 250), (0.5, 500), (0.999, 999), (1.0, 1_000)] {
            let chaos = Chaos::Errors { share, lasts: SECOND };
            let chaos = chaos.of_calls(Instant::now()).unwrap();
            assert_eq!((0..1_000).filter(|call| chaos.fails(*call)).count(), expected, "{share}");
        }
    }
}
