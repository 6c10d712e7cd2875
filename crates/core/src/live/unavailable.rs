//! Why there is nobody to call.

use std::sync::Arc;
use std::time::Duration;

use outrigger_types::{Generation, InstanceName};

/// Why a call reached no generation, or lost it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unavailable {
    /// Nothing serves.
    #[error("plugin `{instance}` is not available: {reason}")]
    Down {
        /// The instance.
        instance: InstanceName,
        /// What became of it.
        reason: Arc<str>,
    },
    /// An exclusive reload took longer than the call may wait.
    #[error("plugin `{instance}` is being reloaded and was not back within {waited:?}; try again")]
    Reloading {
        /// The instance.
        instance: InstanceName,
        /// How long the call waited.
        waited: Duration,
    },
    /// Nothing serves, and too many calls wait for the next generation.
    #[error(
        "plugin `{instance}` does not serve now and {queue} calls wait for it; try again later"
    )]
    Crowded {
        /// The instance.
        instance: InstanceName,
        /// How many may wait.
        queue: u32,
    },
    /// As many calls are under way and wait as may.
    #[error(
        "plugin `{instance}` has {in_flight} calls under way and {queue} that wait; try again \
         later, or raise `calls`"
    )]
    Busy {
        /// The instance.
        instance: InstanceName,
        /// How many may be under way.
        in_flight: u32,
        /// How many may wait.
        queue: u32,
    },
    /// Too many calls of the method in a row got no answer.
    #[error(
        "plugin `{instance}` left {failures} calls of `{method}` in a row without an answer; \
         further ones are not sent for {retry_in:.1?}"
    )]
    Tripped {
        /// The instance.
        instance: InstanceName,
        /// The method.
        method: &'static str,
        /// How many.
        failures: u32,
        /// When the next one is.
        retry_in: Duration,
    },
    /// It was disturbed on purpose, and this call was of the share that fails.
    #[error("plugin `{instance}` was not called: a share of its calls fails on purpose")]
    Disturbed {
        /// The instance.
        instance: InstanceName,
    },
    /// The generation ended while the call was under way.
    #[error("plugin `{instance}` ended during the call: {reason}")]
    Ended {
        /// The instance.
        instance: InstanceName,
        /// The generation that had the call.
        generation: Generation,
        /// What became of it.
        reason: Arc<str>,
    },
}

impl Unavailable {
    /// A word for it, for metrics.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Down { .. } => "down",
            Self::Reloading { .. } => "reloading",
            Self::Crowded { .. } => "crowded",
            Self::Busy { .. } => "busy",
            Self::Tripped { .. } => "tripped",
            Self::Ended { .. } => "ended",
            Self::Disturbed { .. } => "disturbed",
        }
    }

    /// Whether the call was never sent, so that sending it again cannot do
    /// anything twice.
    #[must_use]
    pub fn was_not_sent(&self) -> bool {
        !matches!(self, Self::Ended { .. })
    }
}
