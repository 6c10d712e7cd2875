//! Calls that are slow or fail on purpose.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::time::Instant;

use super::{CallLimits, Link, LiveCell, Unavailable};
use crate::chaos::CallChaos;

impl LiveCell {
    /// What is done to calls from now on.
    pub(crate) fn disturb(&self, chaos: Option<CallChaos>) {
        self.shared.limits.rcu(|now| CallLimits { chaos, ..**now });
    }

    pub(crate) fn set_limits(&self, limits: CallLimits) {
        // A reload is no end of it.
        self.shared.limits.rcu(|now| Arc::new(CallLimits { chaos: now.chaos, ..limits }));
    }
}

impl Link {
    /// Ends it, unless something else has taken its place.
    pub(crate) fn undisturb(&self, over: CallChaos) {
        self.0
            .limits
            .rcu(|now| CallLimits { chaos: now.chaos.filter(|chaos| *chaos != over), ..**now });
    }

    /// Has a call suffer what [`CallLimits::chaos`] says.
    ///
    /// # Errors
    ///
    /// [`Unavailable::Disturbed`]: it is not to be sent.
    #[cold]
    pub async fn suffer(&self, chaos: CallChaos) -> Result<(), Unavailable> {
        if Instant::now() >= chaos.until {
            return Ok(());
        }
        if chaos.fails(self.0.disturbed.fetch_add(1, Ordering::Relaxed)) {
            return Err(Unavailable::Disturbed { instance: self.0.instance.clone() });
        }
        tokio::time::sleep_until((Instant::now() + chaos.delay).min(chaos.until)).await;
        Ok(())
    }
}
