//! A second copy of what serves, launched and initialised, that nobody calls: the
//! death of the first costs no more than a swap. Only where two may run.

use std::mem;
use std::time::Duration;

use outrigger_types::Generation;

use super::{Effect, Fault as _, Lifecycle, Parts, Retirement, State, Timer, Told, Withdrawal};

/// The first delay after one could not be made; it doubles.
const DELAY: Duration = Duration::from_secs(1);

/// That many times at most: a bit over a minute.
const DOUBLINGS: u32 = 6;

/// How far it is.
pub(super) enum Spare<P: Parts> {
    /// There is none, and none on its way.
    None,
    Launching(Generation),
    Initialising(Generation, P::Connection),
    Ready(Generation, P::Connection),
    /// The next try comes with this timer.
    Waiting(Timer),
}

impl<P: Parts> Spare<P> {
    pub(super) fn is_launching(&self, generation: Generation) -> bool {
        matches!(self, Self::Launching(found) if *found == generation)
    }

    pub(super) fn is_initialising(&self, generation: Generation) -> bool {
        matches!(self, Self::Initialising(found, _) if *found == generation)
    }

    /// Whether it has this generation's connection.
    pub(super) fn holds(&self, generation: Generation) -> bool {
        match self {
            Self::Initialising(found, _) | Self::Ready(found, _) => *found == generation,
            Self::None | Self::Launching(_) | Self::Waiting(_) => false,
        }
    }

    pub(super) fn waits_for(&self, timer: Timer) -> bool {
        matches!(self, Self::Waiting(found) if *found == timer)
    }
}

impl<P: Parts> Lifecycle<P> {
    /// The spare that is ready.
    pub(crate) fn spare(&self) -> Option<Generation> {
        match &self.spare {
            Spare::Ready(generation, _) => Some(*generation),
            _ => None,
        }
    }

    /// The same, to be changed.
    pub(crate) fn spare_mut(&mut self) -> Option<(Generation, &mut P::Connection)> {
        match &mut self.spare {
            Spare::Ready(generation, connection) => Some((*generation, connection)),
            _ => None,
        }
    }

    /// The spare that has a connection, ready or not.
    #[cfg(test)]
    pub(crate) fn spare_connection(&self) -> Option<Generation> {
        match &self.spare {
            Spare::Initialising(generation, _) | Spare::Ready(generation, _) => Some(*generation),
            _ => None,
        }
    }

    /// Calls go to a generation, and what its settings ask for is known here.
    pub(super) fn published(&mut self, generation: Generation) {
        if matches!(&self.state, State::Ready(running) if running.generation == generation) {
            self.make_spare();
        }
    }

    pub(super) fn make_spare(&mut self) {
        let wanted = self.keeps_spare && !self.exclusive && !self.stays_down;
        // Not beside a reload, whose generation must be a later one.
        let State::Ready(running) = &self.state else { return };
        if !wanted || self.stale || !matches!(self.spare, Spare::None) {
            return;
        }
        let distribution = running.distribution.clone();
        let generation = self.next_generation();
        self.effects.push(Effect::Launch(generation, distribution));
        self.spare = Spare::Launching(generation);
    }

    pub(super) fn spare_launched(
        &mut self,
        generation: Generation,
        outcome: Result<P::Connection, P::Fault>,
    ) {
        match outcome {
            Ok(connection) => {
                self.spare = Spare::Initialising(generation, connection);
                self.effects.push(Effect::Initialise(generation));
            }
            Err(fault) => self.spare_failed(fault),
        }
    }

    pub(super) fn spare_initialised(
        &mut self,
        generation: Generation,
        outcome: Result<(), P::Fault>,
    ) {
        if let Err(fault) = outcome {
            return self.spare_died(fault);
        }
        match mem::replace(&mut self.spare, Spare::None) {
            Spare::Initialising(_, connection) => {
                self.spare = Spare::Ready(generation, connection);
                self.spare_failures = 0;
                self.effects.push(Effect::Keep(generation));
            }
            other => self.spare = other,
        }
    }

    pub(super) fn spare_died(&mut self, fault: P::Fault) {
        self.drop_spare(Retirement::Kill);
        self.spare_failed(fault);
    }

    fn spare_failed(&mut self, fault: P::Fault) {
        let stale = fault.is_stale();
        self.effects.push(Effect::Report(fault, Told::Nobody));
        if stale {
            // There is none until what serves was found again, which its death does.
            self.stale = true;
            self.spare = Spare::None;
            return;
        }
        let delay = DELAY * 2_u32.pow(self.spare_failures.min(DOUBLINGS));
        self.spare_failures = self.spare_failures.saturating_add(1);
        self.wait_for_spare(delay);
    }

    fn wait_for_spare(&mut self, delay: Duration) {
        self.timer += 1;
        self.effects.push(Effect::Wake(self.timer, delay));
        self.spare = Spare::Waiting(self.timer);
    }

    /// Gives it up, however far it is.
    pub(super) fn drop_spare(&mut self, how: Retirement) {
        match mem::replace(&mut self.spare, Spare::None) {
            Spare::None | Spare::Waiting(_) => {}
            Spare::Launching(generation) => {
                self.effects.push(Effect::Cancel(generation));
                self.abandoned.insert(generation);
            }
            Spare::Initialising(generation, connection) => {
                self.effects.push(Effect::Cancel(generation));
                self.retire(generation, connection, Retirement::Kill);
            }
            Spare::Ready(generation, connection) => self.retire(generation, connection, how),
        }
    }

    /// Takes it, if it is ready.
    pub(super) fn take_spare(&mut self) -> Option<(Generation, P::Connection)> {
        match mem::replace(&mut self.spare, Spare::None) {
            Spare::Ready(generation, connection) => Some((generation, connection)),
            other => {
                self.spare = other;
                None
            }
        }
    }

    /// Has it take the place of what died.
    pub(super) fn succeed(
        &mut self,
        dead: Generation,
        connection: P::Connection,
        spare: &(Generation, P::Connection),
        fault: P::Fault,
    ) {
        self.effects.push(Effect::Withdraw(Withdrawal::Succeeded(fault)));
        self.effects.push(Effect::Publish(spare.0));
        self.retire(dead, connection, Retirement::Kill);
    }

    /// The next one is made when a restart would be: a plugin that dies of each
    /// call must not be launched without end.
    pub(super) fn spare_after(&mut self, now: Duration) {
        let verdict = self.restarts.failed(now);
        self.restarts.serves(now);
        if !verdict.delay.is_zero() {
            self.wait_for_spare(verdict.delay);
        }
    }
}
