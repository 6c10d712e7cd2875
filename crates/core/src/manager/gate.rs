//! Reloads run beside each other; taking up settings runs alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};
use tokio::time::timeout;

use crate::error::HostError;

/// What is ahead may be a start that takes its whole time, on each of several
/// plugins.
const WAIT: Duration = Duration::from_secs(10 * 60);

/// Who may change instances now.
#[derive(Debug, Clone, Default)]
pub(super) struct Gate {
    turn: Arc<RwLock<()>>,
    /// Counts readings of the settings: what is read later is newer.
    orders: Arc<AtomicU64>,
}

impl Gate {
    /// For a change of one instance.
    pub(super) async fn share(&self) -> Result<RwLockReadGuard<'_, ()>, HostError> {
        timeout(WAIT, self.turn.read()).await.map_err(|_| Self::late())
    }

    /// For a change of all.
    pub(super) async fn alone(&self) -> Result<RwLockWriteGuard<'_, ()>, HostError> {
        timeout(WAIT, self.turn.write()).await.map_err(|_| Self::late())
    }

    /// The number of a reading that is about to begin. To be asked within a
    /// turn, so that numbers follow the readings.
    pub(super) fn order(&self) -> u64 {
        self.orders.fetch_add(1, Ordering::AcqRel) + 1
    }

    const fn late() -> HostError {
        HostError::TimedOut { what: "the change of plugins before this one", limit: WAIT }
    }
}
