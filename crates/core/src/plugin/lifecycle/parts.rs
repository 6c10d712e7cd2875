//! The words of the lifecycle: what comes in, what goes out, what is carried.

use std::time::Duration;

use outrigger_types::Generation;

/// A caller who waits for an answer.
pub(crate) type Ticket = u64;

/// What the lifecycle carries without looking inside.
pub(crate) trait Parts: 'static {
    /// A verified, unpacked distribution; a cheap clone.
    type Distribution: Clone;
    /// The link to one generation.
    type Connection;
    /// Why a step failed.
    type Fault: Clone + Fault;
}

/// What the lifecycle must know of a failure.
pub(crate) trait Fault {
    /// Whether another try must fail too.
    fn is_permanent(&self) -> bool;

    /// Whether what was found and verified is not there any more.
    fn is_stale(&self) -> bool {
        false
    }
}

/// What happened.
pub(crate) enum Event<P: Parts> {
    /// The instance is to run.
    Start(Ticket),
    /// A new generation is to take over.
    Reload(Ticket),
    /// The instance is to stop.
    Stop(Ticket),
    /// Resolving ended.
    Resolved(Generation, Result<P::Distribution, P::Fault>),
    /// Launching ended.
    Launched(Generation, Result<P::Connection, P::Fault>),
    /// Initialising ended.
    Initialised(Generation, Result<(), P::Fault>),
    /// A generation died, or hangs.
    Died(Generation, P::Fault),
    /// Calls go to a generation: [`Effect::Publish`] was carried out.
    Published(Generation),
    /// A retired generation is gone.
    Retired(Generation),
    /// A timer fired.
    Woke(Timer),
    /// Whoever carries effects out panicked.
    Panicked(P::Fault),
    /// A step of this generation will never complete, or has and nobody was told.
    StepLost(Generation),
}

/// Identifies a timer; one that is not waited for any more is ignored.
pub(crate) type Timer = u64;

/// What is to be done.
pub(crate) enum Effect<P: Parts> {
    /// Find, verify and unpack the distribution.
    Resolve(Generation),
    /// Launch it.
    Launch(Generation, P::Distribution),
    /// Initialise the candidate.
    Initialise(Generation),
    /// The step of this generation is not needed any more; it still completes.
    Cancel(Generation),
    /// Calls go to this generation, which [`Lifecycle::serving`] gives; then say
    /// [`Event::Published`].
    Publish(Generation),
    /// This generation, which [`Lifecycle::spare_mut`] gives, is ready to take over.
    Keep(Generation),
    /// Calls go nowhere.
    Withdraw(Withdrawal<P::Fault>),
    /// Take a generation down, then say [`Event::Retired`].
    Retire(Generation, P::Connection, Retirement),
    /// Make it known, to whoever follows the instance.
    Announce(Notice<P::Fault>),
    /// Say [`Event::Woke`] after this long.
    Wake(Timer, Duration),
    /// Make it known that an attempt failed, and whose it was.
    Report(P::Fault, Told),
    /// Answer a caller.
    Answer(Ticket, Result<Generation, Denied<P::Fault>>),
}

/// The generation that waits for an effect to be carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Concerned {
    /// It has begun a step.
    Step(Generation),
    /// It is on its way out.
    Retired(Generation),
}

impl<P: Parts> Effect<P> {
    /// Who waits for what comes of it, if somebody does.
    pub(crate) fn generation(&self) -> Option<Concerned> {
        match self {
            Self::Resolve(generation) | Self::Launch(generation, _) => {
                Some(Concerned::Step(*generation))
            }
            Self::Retire(generation, ..) => Some(Concerned::Retired(*generation)),
            _ => None,
        }
    }
}

impl<P: Parts> Event<P> {
    /// Whose wait it ends, if it ends one.
    pub(crate) fn generation(&self) -> Option<Concerned> {
        match self {
            Self::Resolved(generation, _) | Self::Launched(generation, _) => {
                Some(Concerned::Step(*generation))
            }
            Self::Retired(generation) => Some(Concerned::Retired(*generation)),
            _ => None,
        }
    }
}

/// What is announced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Notice<F> {
    /// A reload has begun. A [`Notice::Reloaded`], a [`Notice::ReloadFailed`] or a
    /// [`Effect::Report`] to [`Told::Reloader`] ends it.
    Reloading {
        /// What serves.
        from: Option<Generation>,
    },
    /// It took over.
    Reloaded {
        /// What served when it began.
        from: Option<Generation>,
        /// What serves now.
        to: Generation,
        /// From its beginning.
        took: Duration,
    },
    /// It was given up, whatever became of its attempt.
    ReloadFailed(Denied<F>),
    /// A generation died on probation, and what served before it comes back.
    RolledBack(Generation),
    /// It is not tried again soon, or until somebody asks.
    Quarantined,
    /// Nothing of it runs any more.
    Stopped,
}

/// Whether a caller hears of a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// Somebody waited for a start.
    Caller,
    /// Somebody waited for a reload.
    Reloader,
    /// It was a restart.
    Nobody,
}

/// Why there is no connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Withdrawal<F> {
    /// The generation died.
    Died(F),
    /// The generation died, and its spare, which now serves, takes its place.
    Succeeded(F),
    /// An exclusive reload is under way: calls may wait.
    Switching,
    /// The instance stops.
    Stopping,
}

/// How a generation is taken down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Retirement {
    /// Let calls in flight end, then stop it by the ladder.
    Drain,
    /// Kill it.
    Kill,
}

/// Why a caller gets no generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Denied<F> {
    /// The attempt failed.
    Failed(F),
    /// The instance is stopped or stopping.
    Stopped,
}

/// The states as others see them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Stopped,
    Resolving,
    Launching,
    Initialising,
    Ready,
    Replacing,
    Switching,
    BackingOff { open: bool },
    Failed,
    Stopping,
}
