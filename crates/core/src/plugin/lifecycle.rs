//! The life of one instance, as a pure function: events and the time come in,
//! effects come out. No actor, no runtime, no clock.
//!
//! ```text
//!              start                resolved             launched
//!   Stopped ----------> Resolving -----------> Launching ---------> Initialising
//!      ^                    ^  \                   |                    |   |
//!      |                    |   `--- failed -------+------- failed ----'   | ok
//!      |                    |                |                             v
//!      |             timer  |                v          died            Ready <----.
//!      |                    '--------- BackingOff <-----------------------|         |
//!      |                                     |                            | reload  |
//!      |                           permanent |                            v         |
//!      |                                     v                       Replacing -----'
//!      |                                  Failed                          |  n+1 serves,
//!      |                                                                  |  or failed
//!      |  all gone                                    exclusive, resolved v
//!   Stopping <---- stop (any state)                                   Switching
//!                                                                         | n gone
//!                                                              Launching <'
//! ```
//!
//! Who owns what: the *serving* connection is owned by `Ready` and `Replacing`;
//! a *candidate's* by the attempt inside `Starting` and `Replacing`; a retired
//! one leaves with [`Effect::Retire`] and is never seen again but for its
//! generation, until [`Event::Retired`]. A *spare*, where one is kept, is owned
//! beside the state, and takes over when what serves dies. A reload is on probation for a while: a
//! death brings back what served before it. A completion that carries another
//! generation than the one that is waited for is dropped, and a connection that
//! came with it is retired.

use std::collections::BTreeSet;
use std::mem;
use std::time::Duration;

use outrigger_types::Generation;

use super::restart::Restarts;
use crate::settings::RestartPolicy;

mod ends;
mod moves;
mod notices;
mod parts;
mod spare;
#[cfg(test)]
mod tests;

use spare::Spare;

pub(crate) use parts::{
    Concerned, Denied, Effect, Event, Fault, Notice, Parts, Phase, Retirement, Ticket, Timer, Told,
    Withdrawal,
};

enum State<P: Parts> {
    Stopped,
    /// Nothing serves; an attempt runs.
    Starting(Attempt<P>),
    Ready(Running<P>),
    /// One serves while another is made ready.
    Replacing(Running<P>, Attempt<P>),
    /// Nothing serves until the old generation is gone.
    Switching {
        distribution: P::Distribution,
    },
    BackingOff {
        timer: Timer,
        open: bool,
    },
    Failed,
    Stopping(Vec<Ticket>),
}

struct Running<P: Parts> {
    generation: Generation,
    connection: P::Connection,
    distribution: P::Distribution,
    /// What a reload took the place of, and until when a death brings it back.
    probation: Option<(P::Distribution, Duration)>,
}

struct Attempt<P: Parts> {
    generation: Generation,
    step: Step<P>,
}

enum Step<P: Parts> {
    Resolving,
    Launching(P::Distribution),
    Initialising(P::Distribution, P::Connection),
}

/// A reload that has begun.
struct Reloading {
    /// What served then.
    from: Option<Generation>,
    began: Duration,
}

/// The life of one instance.
pub(crate) struct Lifecycle<P: Parts> {
    state: State<P>,
    /// Of the event that is being taken.
    now: Duration,
    last: Generation,
    timer: Timer,
    /// Two generations may not run at the same time.
    exclusive: bool,
    /// How long after a reload a death brings back what served before.
    probation: Duration,
    /// Nothing is launched after a death or a failure, until somebody asks.
    stays_down: bool,
    /// Somebody asked for it to run, and nobody for it to stop.
    wanted: bool,
    /// A second copy is to be kept, where two may run.
    keeps_spare: bool,
    spare: Spare<P>,
    /// Tries in a row to make one that failed.
    spare_failures: u32,
    /// What served last, for restarts and for going back.
    proven: Option<P::Distribution>,
    /// It is not there any more, and must be found again.
    stale: bool,
    restarts: Restarts,
    /// Connections on their way out.
    retiring: BTreeSet<Generation>,
    /// Steps that still complete though nobody waits for them.
    abandoned: BTreeSet<Generation>,
    /// The attempt that runs is a reload.
    reloading: Option<Reloading>,
    /// Answered by the attempt that runs.
    asking: Vec<Ticket>,
    /// Answered by a reload that has not begun.
    queued: Vec<Ticket>,
    effects: Vec<Effect<P>>,
}

impl<P: Parts> Lifecycle<P> {
    /// A stopped instance; `seed` spreads the restarts of several.
    pub(crate) fn new(exclusive: bool, seed: u64) -> Self {
        Self {
            state: State::Stopped,
            now: Duration::ZERO,
            last: Generation::default(),
            timer: 0,
            exclusive,
            probation: Duration::ZERO,
            stays_down: false,
            wanted: false,
            keeps_spare: false,
            spare: Spare::None,
            spare_failures: 0,
            proven: None,
            stale: false,
            restarts: Restarts::new(seed),
            retiring: BTreeSet::new(),
            abandoned: BTreeSet::new(),
            reloading: None,
            asking: Vec::new(),
            queued: Vec::new(),
            effects: Vec::new(),
        }
    }

    /// For an instance whose processes somebody else starts.
    pub(crate) fn stay_down(mut self) -> Self {
        self.stays_down = true;
        self
    }

    /// Whether a reload may overlap can change with the settings.
    pub(crate) fn set_exclusive(&mut self, exclusive: bool) {
        self.exclusive = exclusive;
    }

    /// So can how it is kept alive.
    pub(crate) fn set_policy(&mut self, policy: RestartPolicy, probation: Duration) {
        self.restarts.set_policy(policy);
        self.probation = probation;
    }

    /// Whether a second copy is kept can change too.
    pub(crate) fn set_spare(&mut self, keeps: bool) {
        self.keeps_spare = keeps;
    }

    /// The connection that serves.
    pub(crate) fn serving(&self) -> Option<(Generation, &P::Connection)> {
        match &self.state {
            State::Ready(running) | State::Replacing(running, _) => {
                Some((running.generation, &running.connection))
            }
            _ => None,
        }
    }

    /// The same, to be changed.
    pub(crate) fn serving_mut(&mut self) -> Option<&mut P::Connection> {
        match &mut self.state {
            State::Ready(running) | State::Replacing(running, _) => Some(&mut running.connection),
            _ => None,
        }
    }

    /// Whether the attempt that runs looks for what served last, which is gone.
    pub(crate) fn heals(&self) -> bool {
        self.stale && self.reloading.is_none()
    }

    /// Who waits for the end of a stop.
    pub(crate) fn stopping(&self) -> &[Ticket] {
        match &self.state {
            State::Stopping(tickets) => tickets,
            _ => &[],
        }
    }

    /// What served last.
    pub(crate) fn proven(&self) -> Option<&P::Distribution> {
        self.proven.as_ref()
    }

    /// The connection of this generation that is being initialised, to be changed.
    pub(crate) fn candidate_mut(&mut self, generation: Generation) -> Option<&mut P::Connection> {
        if let Spare::Initialising(spare, connection) = &mut self.spare
            && *spare == generation
        {
            return Some(connection);
        }
        match &mut self.state {
            State::Starting(attempt) | State::Replacing(_, attempt)
                if attempt.generation == generation =>
            {
                match &mut attempt.step {
                    Step::Initialising(_, connection) => Some(connection),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// The connection that is being initialised, and its distribution.
    #[cfg(test)]
    pub(crate) fn candidate(&self) -> Option<(Generation, &P::Distribution, &P::Connection)> {
        match &self.state {
            State::Starting(attempt) | State::Replacing(_, attempt) => match &attempt.step {
                Step::Initialising(distribution, connection) => {
                    Some((attempt.generation, distribution, connection))
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// The state as others see it.
    pub(crate) fn phase(&self) -> Phase {
        match &self.state {
            State::Stopped => Phase::Stopped,
            State::Starting(attempt) => match attempt.step {
                Step::Resolving => Phase::Resolving,
                Step::Launching(_) => Phase::Launching,
                Step::Initialising(..) => Phase::Initialising,
            },
            State::Ready(_) => Phase::Ready,
            State::Replacing(..) => Phase::Replacing,
            State::Switching { .. } => Phase::Switching,
            State::BackingOff { open, .. } => Phase::BackingOff { open: *open },
            State::Failed => Phase::Failed,
            State::Stopping(_) => Phase::Stopping,
        }
    }

    /// Takes an event at a time counted from any fixed point.
    pub(crate) fn on(&mut self, event: Event<P>, now: Duration) -> Vec<Effect<P>> {
        self.now = now;
        let before = self.phase();
        match event {
            Event::Start(ticket) => self.start(ticket),
            Event::Reload(ticket) => self.reload(ticket),
            Event::Stop(ticket) => self.stop(ticket),
            Event::Resolved(generation, outcome) => self.resolved(generation, outcome, now),
            Event::Launched(generation, outcome) => self.launched(generation, outcome, now),
            Event::Initialised(generation, outcome) => self.initialised(generation, outcome, now),
            Event::Died(generation, fault) => self.died(generation, fault, now),
            Event::Published(generation) => self.published(generation),
            Event::Retired(generation) => self.retired(generation),
            Event::Woke(timer) => self.woke(timer),
            Event::Panicked(fault) => self.panicked(fault, now),
            Event::StepLost(generation) => {
                self.abandoned.remove(&generation);
                self.settle();
            }
        }
        self.announce_rest(before);
        mem::take(&mut self.effects)
    }

    fn start(&mut self, ticket: Ticket) {
        self.wanted |= !matches!(self.state, State::Stopping(_));
        match &self.state {
            State::Ready(running) | State::Replacing(running, _) => {
                let generation = running.generation;
                self.answer(ticket, Ok(generation));
            }
            State::Stopping(_) => self.answer(ticket, Err(Denied::Stopped)),
            State::Starting(_) | State::Switching { .. } => self.asking.push(ticket),
            State::Stopped | State::BackingOff { .. } | State::Failed => {
                self.asking.push(ticket);
                self.resolve();
            }
        }
    }

    fn reload(&mut self, ticket: Ticket) {
        match mem::replace(&mut self.state, State::Stopped) {
            state @ (State::Stopped | State::Stopping(_)) => {
                self.state = state;
                self.answer(ticket, Err(Denied::Stopped));
            }
            // Its result must be that of a reload that began after it was
            // asked for.
            state @ (State::Starting(_) | State::Replacing(..) | State::Switching { .. }) => {
                self.state = state;
                self.queued.push(ticket);
            }
            State::Ready(running) => {
                self.asking.push(ticket);
                self.replace(running);
            }
            State::BackingOff { .. } | State::Failed => {
                self.asking.push(ticket);
                self.resolve();
                self.begin_reload(None);
            }
        }
    }

    fn stop(&mut self, ticket: Ticket) {
        self.wanted = false;
        self.drop_spare(Retirement::Drain);
        let mut tickets = vec![ticket];
        match mem::replace(&mut self.state, State::Stopped) {
            State::Stopping(waiting) => tickets.extend(waiting),
            State::Starting(attempt) => {
                self.effects.push(Effect::Withdraw(Withdrawal::Stopping));
                self.abandon(attempt);
            }
            State::Ready(running) => self.retire_serving(running),
            State::Replacing(running, attempt) => {
                self.abandon(attempt);
                self.retire_serving(running);
            }
            State::Switching { .. } | State::BackingOff { .. } | State::Failed | State::Stopped => {
                self.effects.push(Effect::Withdraw(Withdrawal::Stopping))
            }
        }
        self.give_up_reload(Denied::Stopped);
        for ticket in self.asking.drain(..).chain(self.queued.drain(..)) {
            self.effects.push(Effect::Answer(ticket, Err(Denied::Stopped)));
        }
        self.state = State::Stopping(tickets);
        self.settle_stop();
    }

    fn retire_serving(&mut self, running: Running<P>) {
        self.effects.push(Effect::Withdraw(Withdrawal::Stopping));
        self.retire(running.generation, running.connection, Retirement::Drain);
    }

    fn resolved(
        &mut self,
        generation: Generation,
        outcome: Result<P::Distribution, P::Fault>,
        now: Duration,
    ) {
        if !self.awaits(generation, |step| matches!(step, Step::Resolving)) {
            self.abandoned.remove(&generation);
            return self.settle();
        }
        let distribution = match outcome {
            Ok(distribution) => distribution,
            Err(fault) => return self.attempt_failed(fault, now),
        };
        self.stale = false;
        match mem::replace(&mut self.state, State::Stopped) {
            State::Replacing(running, _) if self.exclusive => {
                self.drop_spare(Retirement::Drain);
                self.effects.push(Effect::Withdraw(Withdrawal::Switching));
                self.retire(running.generation, running.connection, Retirement::Drain);
                self.state = State::Switching { distribution };
            }
            State::Replacing(running, _) => {
                let attempt = self.launch(generation, distribution);
                self.state = State::Replacing(running, attempt);
            }
            _ if self.must_wait() => self.state = State::Switching { distribution },
            _ => {
                let attempt = self.launch(generation, distribution);
                self.state = State::Starting(attempt);
            }
        }
    }

    fn launched(
        &mut self,
        generation: Generation,
        outcome: Result<P::Connection, P::Fault>,
        now: Duration,
    ) {
        if self.spare.is_launching(generation) {
            return self.spare_launched(generation, outcome);
        }
        if !self.awaits(generation, |step| matches!(step, Step::Launching(_))) {
            self.abandoned.remove(&generation);
            if let Ok(connection) = outcome {
                self.retire(generation, connection, Retirement::Kill);
            }
            return self.settle();
        }
        match outcome {
            Err(fault) => self.attempt_failed(fault, now),
            Ok(connection) => {
                self.effects.push(Effect::Initialise(generation));
                let (State::Starting(attempt) | State::Replacing(_, attempt)) = &mut self.state
                else {
                    return;
                };
                if let Step::Launching(distribution) =
                    mem::replace(&mut attempt.step, Step::Resolving)
                {
                    attempt.step = Step::Initialising(distribution, connection);
                }
            }
        }
    }

    fn initialised(
        &mut self,
        generation: Generation,
        outcome: Result<(), P::Fault>,
        now: Duration,
    ) {
        if self.spare.is_initialising(generation) {
            return self.spare_initialised(generation, outcome);
        }
        if !self.awaits(generation, |step| matches!(step, Step::Initialising(..))) {
            return;
        }
        match outcome {
            Err(fault) => self.attempt_failed(fault, now),
            Ok(()) => self.take_over(now),
        }
    }

    /// The candidate serves; what served before is drained.
    fn take_over(&mut self, now: Duration) {
        let (previous, attempt) = match mem::replace(&mut self.state, State::Stopped) {
            State::Starting(attempt) => (None, attempt),
            State::Replacing(running, attempt) => (Some(running), attempt),
            other => return self.state = other,
        };
        let Attempt { generation, step: Step::Initialising(distribution, connection) } = attempt
        else {
            return;
        };
        // It is of what served before.
        self.drop_spare(Retirement::Drain);
        let reloaded = self.reloading.take();
        let before = self.proven.replace(distribution.clone());
        let probation = before
            .filter(|_| reloaded.is_some() && !self.probation.is_zero())
            .map(|before| (before, now + self.probation));
        self.state = State::Ready(Running { generation, connection, distribution, probation });
        self.restarts.serves(now);
        self.effects.push(Effect::Publish(generation));
        if let Some(running) = previous {
            self.retire(running.generation, running.connection, Retirement::Drain);
        }
        self.announce_reloaded(reloaded, generation);
        for ticket in mem::take(&mut self.asking) {
            self.answer(ticket, Ok(generation));
        }
        self.begin_queued_reload();
    }
}
