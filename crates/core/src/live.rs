//! The live connection of an instance, as calls find it.
//!
//! The plugin actor writes it ([`LiveCell`]); gateways read it ([`Link`]). A
//! call loads the present generation, counts itself in, and counts itself out:
//! no mailbox, no lock held across an await. A generation that is closed lets
//! nobody in any more, so that draining it is waiting for its count to reach
//! zero.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use outrigger_transport::Endpoint;
use outrigger_types::{Generation, InstanceName};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::chaos::CallChaos;
use crate::settings::CallBounds;

mod budget;
mod calls;
mod circuit;
mod disturbed;
mod lost;
mod traffic;
mod unavailable;

pub use budget::Budget;
use calls::{CLOSED, Calls, Counted};
pub use circuit::{Circuit, Passage, Probe};
pub(crate) use lost::Lost;
pub use lost::LostCalls;
pub use traffic::{Counts, Traffic};
pub use unavailable::Unavailable;

/// Time limits of calls; they follow the settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallLimits {
    /// The deadline of a call whose caller sets none.
    pub deadline: Duration,
    /// How long a call waits while an exclusive reload runs.
    pub reload_queue: Duration,
    /// How many may be under way and wait, and for how long after a death.
    pub bounds: CallBounds,
    /// What is done to calls on purpose, if something is: [`Link::suffer`].
    pub chaos: Option<CallChaos>,
}

#[derive(Debug, Clone)]
enum Availability {
    Up,
    Switching,
    /// Why, and whether the next generation comes by itself.
    Down(Arc<str>, bool),
}

#[derive(Debug)]
struct Shared {
    instance: InstanceName,
    current: ArcSwapOption<Live>,
    availability: watch::Sender<Availability>,
    limits: ArcSwap<CallLimits>,
    /// Calls that wait, for whatever.
    waiting: AtomicU32,
    /// Methods that may be sent twice.
    idempotent: &'static [&'static str],
    budget: Budget,
    counts: Counts,
    /// Calls that were disturbed.
    disturbed: AtomicU32,
    /// By method; looked up once by each handle.
    circuits: Mutex<BTreeMap<&'static str, Arc<Circuit>>>,
}

/// A place among those that wait.
struct Waiting<'a>(&'a AtomicU32);

impl<'a> Waiting<'a> {
    fn take(waiting: &'a AtomicU32, limit: u32) -> Option<Self> {
        let taken = Self(waiting);
        // Counted out again by the drop where there was no room.
        (waiting.fetch_add(1, Ordering::AcqRel) < limit).then_some(taken)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
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
    lost: LostCalls,
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
            lost: LostCalls::default(),
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

    /// As [`end`](Self::end); gives the calls that it ends.
    fn lose(&self, reason: &str) -> Lost {
        let calls = self.in_flight();
        self.end(reason);
        Lost { calls, methods: self.lost.clone() }
    }

    /// Calls under way.
    pub(crate) fn in_flight(&self) -> u64 {
        self.calls.count()
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
    /// `idempotent` names methods that may be sent twice, by full paths.
    pub(crate) fn new(
        instance: InstanceName,
        limits: CallLimits,
        idempotent: &'static [&'static str],
    ) -> Self {
        let (availability, _) =
            watch::channel(Availability::Down("it was not started".into(), false));
        let shared = Arc::new(Shared {
            instance,
            current: ArcSwapOption::empty(),
            availability,
            limits: ArcSwap::from_pointee(limits),
            waiting: AtomicU32::new(0),
            idempotent,
            budget: Budget::default(),
            counts: Counts::default(),
            disturbed: AtomicU32::new(0),
            circuits: Mutex::default(),
        });
        Self { shared, removed: None }
    }

    pub(crate) fn link(&self) -> Link {
        Link(self.shared.clone())
    }

    /// Sends calls to a generation; the one before lets nobody in any more.
    pub(crate) fn publish(&self, live: Arc<Live>) {
        let before = self.shared.current.swap(Some(live.clone()));
        self.shared.availability.send_replace(Availability::Up);
        if let Some(before) = before
            && !Arc::ptr_eq(&before, &live)
        {
            before.close();
        }
    }

    /// Sends calls to a generation in place of one that died, and ends those that
    /// were under way there.
    pub(crate) fn succeed(&self, live: Arc<Live>, reason: &str) -> Lost {
        let before = self.shared.current.swap(Some(live));
        self.shared.availability.send_replace(Availability::Up);
        before.map(|before| before.lose(reason)).unwrap_or_default()
    }

    /// Sends calls nowhere; those under way go on.
    pub(crate) fn withdraw(&self, reason: &str) {
        self.take(Availability::Down(reason.into(), false));
    }

    /// As [`withdraw`](Self::withdraw), until the next generation, which comes by
    /// itself.
    pub(crate) fn withdraw_for_now(&self, reason: &str) {
        self.take(Availability::Down(reason.into(), true));
    }

    /// As [`withdraw`](Self::withdraw), for good: the reason stays when this is
    /// dropped.
    pub(crate) fn remove(&mut self, reason: &str) {
        self.withdraw(reason);
        self.removed = Some(reason.into());
    }

    /// Sends calls nowhere, and ends those under way, which it returns. Those that
    /// wait do so until the next generation, if `returns`.
    pub(crate) fn withdraw_ended(&self, reason: &str, returns: bool) -> Lost {
        let before = self.shared.current.load_full();
        self.take(Availability::Down(reason.into(), returns));
        before.map(|before| before.lose(reason)).unwrap_or_default()
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
        self.withdraw_ended(removed.as_deref().unwrap_or("the host has stopped"), false);
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

    /// Calls under way at the generation that serves.
    #[must_use]
    pub fn in_flight(&self) -> u64 {
        self.0.current.load().as_ref().map_or(0, |live| live.in_flight())
    }

    /// Where calls are counted.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.0.counts
    }

    /// Calls so far.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        self.0.counts.read()
    }

    /// Calls that wait, for a place or for a generation.
    #[must_use]
    pub fn waiting(&self) -> u32 {
        self.0.waiting.load(Ordering::Relaxed)
    }

    /// Whether a method, by its name without the service, may be sent twice.
    #[must_use]
    pub fn is_idempotent(&self, method: &str) -> bool {
        self.0.idempotent.iter().any(|path| path.rsplit('/').next() == Some(method))
    }

    /// What calls that are made again are paid from.
    #[must_use]
    pub fn budget(&self) -> &Budget {
        &self.0.budget
    }

    /// What lets calls of a method through, or not: the same for all handles.
    #[must_use]
    pub fn circuit(&self, method: &'static str) -> Arc<Circuit> {
        let mut circuits = self.0.circuits.lock().unwrap_or_else(PoisonError::into_inner);
        circuits.entry(method).or_default().clone()
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
        match self.enter_now() {
            Some(entered) => Ok(entered),
            None => self.enter_slowly().await,
        }
    }

    /// Counts a call in, if that needs no waiting.
    #[must_use]
    pub fn enter_now(&self) -> Option<Entered> {
        let limit = self.0.limits.load().bounds.in_flight;
        match self.try_enter(limit) {
            Tried::In(entered) => Some(entered),
            Tried::Full(_) | Tried::Nowhere => None,
        }
    }

    fn try_enter(&self, limit: u32) -> Tried {
        // A closed generation has a successor, or none: the second load tells.
        for _ in 0..2 {
            let Some(live) = self.0.current.load_full() else { return Tried::Nowhere };
            match live.calls.enter(limit) {
                Counted::In => return Tried::In(Entered(live)),
                Counted::Full => return Tried::Full(live),
                Counted::Closed => {}
            }
        }
        Tried::Nowhere
    }

    /// As [`enter`](Self::enter), for a call that could not enter at once.
    ///
    /// # Errors
    ///
    /// As [`enter`](Self::enter).
    ///
    /// # Cancel safety
    ///
    /// As [`enter`](Self::enter).
    #[cold]
    pub async fn enter_slowly(&self) -> Result<Entered, Unavailable> {
        let instance = || self.0.instance.clone();
        let limits = self.limits();
        let CallBounds { in_flight, queue, wait, .. } = limits.bounds;
        let mut availability = self.0.availability.subscribe();
        // A caller's own deadline is around all of this.
        let began = Instant::now();
        let Some(_place) = Waiting::take(&self.0.waiting, queue) else {
            return match self.try_enter(in_flight) {
                Tried::In(entered) => Ok(entered),
                Tried::Full(_) => Err(Unavailable::Busy { instance: instance(), in_flight, queue }),
                Tried::Nowhere => Err(match availability.borrow().clone() {
                    Availability::Down(reason, returns) if !returns || wait.is_zero() => {
                        Unavailable::Down { instance: instance(), reason }
                    }
                    _ => Unavailable::Crowded { instance: instance(), queue },
                }),
            };
        };
        loop {
            let now = availability.borrow_and_update().clone();
            match self.try_enter(in_flight) {
                Tried::In(entered) => return Ok(entered),
                Tried::Full(live) => {
                    self.queue_up(&live, in_flight).await;
                    continue;
                }
                Tried::Nowhere => {}
            }
            let (patience, error) = match now {
                // It is being published, or taken away, right now.
                Availability::Up => {
                    tokio::task::yield_now().await;
                    continue;
                }
                Availability::Switching => {
                    let waited = limits.reload_queue;
                    (waited, Unavailable::Reloading { instance: instance(), waited })
                }
                Availability::Down(reason, returns) => {
                    let patience = if returns { wait } else { Duration::ZERO };
                    (patience, Unavailable::Down { instance: instance(), reason })
                }
            };
            let changed = tokio::time::timeout_at(began + patience, availability.changed());
            match changed.await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => {
                    let reason = "the host has stopped".into();
                    return Err(Unavailable::Down { instance: instance(), reason });
                }
                Err(_) => return Err(error),
            }
        }
    }

    /// Waits until there may be room in this generation, or it is closed.
    async fn queue_up(&self, live: &Live, limit: u32) {
        let freed = live.calls.freed.notified();
        tokio::pin!(freed);
        freed.as_mut().enable();
        live.calls.queued.fetch_add(1, Ordering::SeqCst);
        let _leave = Waiting(&live.calls.queued);
        let state = live.calls.state.load(Ordering::SeqCst);
        if state & CLOSED == 0 && state >= u64::from(limit) {
            freed.await;
        }
    }
}

/// What came of an attempt to enter.
enum Tried {
    In(Entered),
    /// This generation has as many calls as it may.
    Full(Arc<Live>),
    Nowhere,
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

    /// Keeps it among those that ended with their generation.
    #[cold]
    pub fn lost(&self, method: &str) {
        self.0.lost.add(method);
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
