//! The live connection of an instance, as calls find it.
//!
//! The plugin actor writes it ([`LiveCell`]); gateways read it ([`Link`]). A
//! call loads the present generation, counts itself in, and counts itself out:
//! no mailbox, no lock held across an await. A generation that is closed lets
//! nobody in any more, so that draining it is waiting for its count to reach
//! zero.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use outrigger_transport::Endpoint;
use outrigger_types::{Generation, InstanceName};
use tokio::sync::{Notify, Semaphore, watch};
use tokio_util::sync::CancellationToken;

/// Calls that may wait for an exclusive reload, for one instance.
const WAITING_CALLS: usize = 256;

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
    /// Too many calls wait for an exclusive reload.
    #[error(
        "plugin `{instance}` is being reloaded and {WAITING_CALLS} calls wait for it; try again later"
    )]
    Crowded {
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
    /// Whether the call was never sent, so that sending it again cannot do
    /// anything twice.
    #[must_use]
    pub fn was_not_sent(&self) -> bool {
        !matches!(self, Self::Ended { .. })
    }
}

/// Time limits of calls; they follow the settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallLimits {
    /// The deadline of a call whose caller sets none.
    pub deadline: Duration,
    /// How long a call waits while an exclusive reload runs.
    pub reload_queue: Duration,
}

#[derive(Debug, Clone)]
enum Availability {
    Up,
    Switching,
    Down(Arc<str>),
}

#[derive(Debug)]
struct Shared {
    instance: InstanceName,
    current: ArcSwapOption<Live>,
    availability: watch::Sender<Availability>,
    limits: ArcSwap<CallLimits>,
    waiting: Semaphore,
}

/// One generation, as calls see it.
#[derive(Debug)]
pub struct Live {
    instance: InstanceName,
    generation: Generation,
    endpoint: Endpoint,
    calls: Calls,
    ended: CancellationToken,
    reason: OnceLock<Arc<str>>,
}

impl Live {
    pub(crate) fn new(
        instance: InstanceName,
        generation: Generation,
        endpoint: Endpoint,
    ) -> Arc<Self> {
        Arc::new(Self {
            instance,
            generation,
            endpoint,
            calls: Calls::default(),
            ended: CancellationToken::new(),
            reason: OnceLock::new(),
        })
    }

    /// Lets no further call in.
    pub(crate) fn close(&self) {
        self.calls.close();
    }

    /// Waits for the calls under way.
    pub(crate) async fn drained(&self) {
        self.calls.drained().await;
    }

    /// Ends the calls under way.
    pub(crate) fn end(&self, reason: &str) {
        self.calls.close();
        self.reason.get_or_init(|| reason.into());
        self.ended.cancel();
    }

    /// Calls under way.
    pub(crate) fn in_flight(&self) -> u64 {
        self.calls.count()
    }
}

/// Counts calls; the highest bit says that nobody may enter.
#[derive(Debug, Default)]
struct Calls {
    state: AtomicU64,
    emptied: Notify,
}

const CLOSED: u64 = 1 << 63;

impl Calls {
    fn enter(&self) -> bool {
        if self.state.fetch_add(1, Ordering::AcqRel) & CLOSED == 0 {
            return true;
        }
        self.leave();
        false
    }

    fn leave(&self) {
        if self.state.fetch_sub(1, Ordering::AcqRel) == CLOSED + 1 {
            self.emptied.notify_waiters();
        }
    }

    fn close(&self) {
        if self.state.fetch_or(CLOSED, Ordering::AcqRel) & !CLOSED == 0 {
            self.emptied.notify_waiters();
        }
    }

    fn count(&self) -> u64 {
        self.state.load(Ordering::Acquire) & !CLOSED
    }

    async fn drained(&self) {
        loop {
            let emptied = self.emptied.notified();
            tokio::pin!(emptied);
            emptied.as_mut().enable();
            if self.state.load(Ordering::Acquire) == CLOSED {
                return;
            }
            emptied.await;
        }
    }
}

/// The writing side, held by the plugin actor.
#[derive(Debug)]
pub(crate) struct LiveCell {
    shared: Arc<Shared>,
    /// Why nothing serves any more, if it is no wonder.
    removed: Option<Arc<str>>,
}

impl LiveCell {
    pub(crate) fn new(instance: InstanceName, limits: CallLimits) -> Self {
        let (availability, _) = watch::channel(Availability::Down("it was not started".into()));
        let shared = Arc::new(Shared {
            instance,
            current: ArcSwapOption::empty(),
            availability,
            limits: ArcSwap::from_pointee(limits),
            waiting: Semaphore::new(WAITING_CALLS),
        });
        Self { shared, removed: None }
    }

    pub(crate) fn link(&self) -> Link {
        Link(self.shared.clone())
    }

    pub(crate) fn set_limits(&self, limits: CallLimits) {
        self.shared.limits.store(Arc::new(limits));
    }

    /// Sends calls to a generation; the one before lets nobody in any more.
    pub(crate) fn publish(&self, live: Arc<Live>) {
        let before = self.shared.current.swap(Some(live));
        self.shared.availability.send_replace(Availability::Up);
        if let Some(before) = before {
            before.close();
        }
    }

    /// Sends calls nowhere; those under way go on.
    pub(crate) fn withdraw(&self, reason: &str) {
        self.take(Availability::Down(reason.into()));
    }

    /// As [`withdraw`](Self::withdraw), for good: the reason stays when this is
    /// dropped.
    pub(crate) fn remove(&mut self, reason: &str) {
        self.withdraw(reason);
        self.removed = Some(reason.into());
    }

    /// Sends calls nowhere, and ends those under way.
    pub(crate) fn withdraw_ended(&self, reason: &str) {
        let before = self.shared.current.load_full();
        self.withdraw(reason);
        if let Some(before) = before {
            before.end(reason);
        }
    }

    /// Has calls wait for the next generation.
    pub(crate) fn switch(&self) {
        self.take(Availability::Switching);
    }

    fn take(&self, availability: Availability) {
        let before = self.shared.current.swap(None);
        self.shared.availability.send_replace(availability);
        if let Some(before) = before {
            before.close();
        }
    }
}

impl Drop for LiveCell {
    /// Links outlive the host: their calls must not go to what is gone.
    fn drop(&mut self) {
        let removed = self.removed.take();
        self.withdraw_ended(removed.as_deref().unwrap_or("the host has stopped"));
    }
}

/// The reading side: a cheap clone, held by gateways.
#[derive(Debug, Clone)]
pub struct Link(Arc<Shared>);

impl Link {
    /// The instance.
    #[must_use]
    pub fn instance(&self) -> &InstanceName {
        &self.0.instance
    }

    /// Whether both lead to the same instance, and not to one of the same name
    /// that took its place.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// The present time limits of calls.
    #[must_use]
    pub fn limits(&self) -> CallLimits {
        **self.0.limits.load()
    }

    /// The generation that serves.
    #[must_use]
    pub fn generation(&self) -> Option<Generation> {
        self.0.current.load().as_ref().map(|live| live.generation)
    }

    /// Counts a call in, waiting for an exclusive reload if one is under way.
    ///
    /// # Errors
    ///
    /// [`Unavailable`]: nothing was sent.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future counts nothing in.
    pub async fn enter(&self) -> Result<Entered, Unavailable> {
        match self.try_enter() {
            Some(entered) => Ok(entered),
            None => self.enter_slowly().await,
        }
    }

    fn try_enter(&self) -> Option<Entered> {
        // A closed generation has a successor, or none: the second load tells.
        for _ in 0..2 {
            let live = self.0.current.load_full()?;
            if live.calls.enter() {
                return Some(Entered(live));
            }
        }
        None
    }

    #[cold]
    async fn enter_slowly(&self) -> Result<Entered, Unavailable> {
        let instance = || self.0.instance.clone();
        let mut availability = self.0.availability.subscribe();
        let waits = self.limits().reload_queue;
        let waiting = async {
            let _slot = self
                .0
                .waiting
                .try_acquire()
                .map_err(|_| Unavailable::Crowded { instance: instance() })?;
            loop {
                let now = availability.borrow_and_update().clone();
                if let Some(entered) = self.try_enter() {
                    return Ok(entered);
                }
                if let Availability::Down(reason) = now {
                    return Err(Unavailable::Down { instance: instance(), reason });
                }
                if availability.changed().await.is_err() {
                    let reason = "the host has stopped".into();
                    return Err(Unavailable::Down { instance: instance(), reason });
                }
            }
        };
        match tokio::time::timeout(waits, waiting).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Unavailable::Reloading { instance: instance(), waited: waits }),
        }
    }
}

/// A call that is counted in, until it is dropped.
#[derive(Debug)]
pub struct Entered(Arc<Live>);

/// How long after a connection broke its process's death is waited for: it says
/// more than the broken socket, and comes a moment later.
const DEATH_LIMIT: Duration = Duration::from_millis(100);

impl Entered {
    /// How the call reaches its generation.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.0.endpoint
    }

    /// The generation that has the call.
    #[must_use]
    pub fn generation(&self) -> Generation {
        self.0.generation
    }

    /// Waits for the generation's end.
    pub async fn ended(&self) -> Unavailable {
        self.0.ended.cancelled().await;
        self.end()
    }

    /// For a call whose connection broke: what ended the generation, if that is
    /// why.
    pub async fn ended_by_now(&self) -> Option<Unavailable> {
        tokio::time::timeout(DEATH_LIMIT, self.ended()).await.ok()
    }

    fn end(&self) -> Unavailable {
        Unavailable::Ended {
            instance: self.0.instance.clone(),
            generation: self.0.generation,
            reason: self.0.reason.get().cloned().unwrap_or_else(|| "it was stopped".into()),
        }
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.0.calls.leave();
    }
}

#[cfg(test)]
mod tests;
