//! The moves that events are made of: give up, go back, start, retire, answer.

use std::mem;
use std::time::Duration;

use outrigger_types::Generation;

use super::{
    Attempt, Denied, Effect, Fault as _, Lifecycle, Parts, Retirement, Running, State, Step,
    Ticket, Told, Withdrawal,
};

impl<P: Parts> Lifecycle<P> {
    /// The attempt that runs has failed: its callers hear of it, and whatever
    /// served before is gone back to.
    pub(super) fn attempt_failed(&mut self, fault: P::Fault, now: Duration) {
        let told = match (&self.reloading, self.asking.is_empty()) {
            (Some(_), _) => Told::Reloader,
            (None, false) => Told::Caller,
            (None, true) => Told::Nobody,
        };
        self.effects.push(Effect::Report(fault.clone(), told));
        self.stale |= fault.is_stale();
        match mem::replace(&mut self.state, State::Stopped) {
            State::Replacing(running, attempt) => {
                self.discard(attempt);
                self.state = State::Ready(running);
            }
            State::Starting(attempt) => {
                // What failed is not what served: go back to that at once.
                self.discard(attempt);
                match self.proven.clone() {
                    Some(distribution) if self.reloading.take().is_some() => {
                        self.start_with(distribution)
                    }
                    _ if fault.is_permanent() && self.proven.is_none() => {
                        self.state = State::Failed;
                    }
                    proven => self.restart(proven, now),
                }
            }
            other => self.state = other,
        }
        self.reloading = None;
        for ticket in mem::take(&mut self.asking) {
            self.answer(ticket, Err(Denied::Failed(fault.clone())));
        }
        self.begin_queued_reload();
        self.make_spare();
    }

    pub(super) fn begin_queued_reload(&mut self) {
        if self.queued.is_empty() {
            return;
        }
        match mem::replace(&mut self.state, State::Stopped) {
            State::Ready(running) => {
                self.asking = mem::take(&mut self.queued);
                self.replace(running);
            }
            State::BackingOff { .. } | State::Failed => {
                self.asking = mem::take(&mut self.queued);
                self.resolve();
                self.begin_reload(None);
            }
            other => self.state = other,
        }
    }

    pub(super) fn restart(&mut self, distribution: Option<P::Distribution>, now: Duration) {
        if self.stays_down {
            self.state = State::Failed;
            return;
        }
        let verdict = self.restarts.failed(now);
        match distribution {
            Some(distribution) if verdict.delay.is_zero() && !self.stale => {
                self.start_with(distribution);
            }
            _ => {
                self.timer += 1;
                self.effects.push(Effect::Wake(self.timer, verdict.delay));
                self.state = State::BackingOff { timer: self.timer, open: verdict.open };
            }
        }
    }

    /// Launches what is resolved already, as soon as the rules allow it.
    pub(super) fn start_with(&mut self, distribution: P::Distribution) {
        self.state = if self.must_wait() {
            State::Switching { distribution }
        } else {
            let generation = self.next_generation();
            State::Starting(self.launch(generation, distribution))
        };
    }

    /// Whether what is on its way out must be gone first.
    pub(super) fn must_wait(&self) -> bool {
        self.exclusive && !(self.retiring.is_empty() && self.abandoned.is_empty())
    }

    /// Something is gone that others may have waited for.
    pub(super) fn settle(&mut self) {
        if !self.must_wait() {
            match mem::replace(&mut self.state, State::Stopped) {
                State::Switching { distribution } => self.start_with(distribution),
                other => self.state = other,
            }
        }
        self.settle_stop();
    }

    /// Whoever carried effects out panicked: nothing of it is trusted. What runs is
    /// killed, and started again if it is to run.
    pub(super) fn panicked(&mut self, fault: P::Fault, now: Duration) {
        self.drop_spare(Retirement::Kill);
        let mut stopping = None;
        match mem::replace(&mut self.state, State::Stopped) {
            State::Stopping(tickets) => stopping = Some(tickets),
            State::Starting(attempt) => self.abandon(attempt),
            State::Ready(running) => {
                self.retire(running.generation, running.connection, Retirement::Kill);
            }
            State::Replacing(running, attempt) => {
                self.abandon(attempt);
                self.retire(running.generation, running.connection, Retirement::Kill);
            }
            State::Stopped | State::Switching { .. } | State::BackingOff { .. } | State::Failed => {
            }
        }
        let died = Withdrawal::Died(fault.clone());
        let withdrawal = if self.wanted { died } else { Withdrawal::Stopping };
        self.effects.push(Effect::Withdraw(withdrawal));
        self.give_up_reload(Denied::Failed(fault.clone()));
        for ticket in self.asking.drain(..).chain(self.queued.drain(..)) {
            self.effects.push(Effect::Answer(ticket, Err(Denied::Failed(fault.clone()))));
        }
        match stopping {
            Some(tickets) => {
                self.state = State::Stopping(tickets);
                self.settle_stop();
            }
            None if self.wanted => self.restart(self.proven.clone(), now),
            None => {}
        }
    }

    pub(super) fn resolve(&mut self) {
        let generation = self.next_generation();
        self.effects.push(Effect::Resolve(generation));
        self.state = State::Starting(Attempt { generation, step: Step::Resolving });
    }

    pub(super) fn replace(&mut self, running: Running<P>) {
        let generation = self.next_generation();
        self.effects.push(Effect::Resolve(generation));
        self.begin_reload(Some(running.generation));
        self.state = State::Replacing(running, Attempt { generation, step: Step::Resolving });
    }

    pub(super) fn launch(
        &mut self,
        generation: Generation,
        distribution: P::Distribution,
    ) -> Attempt<P> {
        self.effects.push(Effect::Launch(generation, distribution.clone()));
        Attempt { generation, step: Step::Launching(distribution) }
    }

    /// Gives up an attempt whose step still runs.
    pub(super) fn abandon(&mut self, attempt: Attempt<P>) {
        let generation = attempt.generation;
        match attempt.step {
            Step::Initialising(_, connection) => {
                self.effects.push(Effect::Cancel(generation));
                self.retire(generation, connection, Retirement::Kill);
            }
            Step::Resolving | Step::Launching(_) => {
                self.effects.push(Effect::Cancel(generation));
                self.abandoned.insert(generation);
            }
        }
    }

    /// Cleans up an attempt whose step has completed with a failure.
    pub(super) fn discard(&mut self, attempt: Attempt<P>) {
        if let Step::Initialising(_, connection) = attempt.step {
            self.effects.push(Effect::Cancel(attempt.generation));
            self.retire(attempt.generation, connection, Retirement::Kill);
        }
    }

    pub(super) fn retire(
        &mut self,
        generation: Generation,
        connection: P::Connection,
        how: Retirement,
    ) {
        self.retiring.insert(generation);
        self.effects.push(Effect::Retire(generation, connection, how));
    }

    pub(super) fn settle_stop(&mut self) {
        if !self.retiring.is_empty() || !self.abandoned.is_empty() {
            return;
        }
        if let State::Stopping(tickets) = &mut self.state {
            let tickets = mem::take(tickets);
            self.state = State::Stopped;
            let generation = self.last;
            for ticket in tickets {
                self.answer(ticket, Ok(generation));
            }
        }
    }

    pub(super) fn awaits(&self, generation: Generation, step: impl Fn(&Step<P>) -> bool) -> bool {
        match &self.state {
            State::Starting(attempt) | State::Replacing(_, attempt) => {
                attempt.generation == generation && step(&attempt.step)
            }
            _ => false,
        }
    }

    pub(super) fn next_generation(&mut self) -> Generation {
        self.last = self.last.next();
        self.last
    }

    /// A number for a generation that is none of this instance's own; until it is
    /// [`Event::Retired`](super::Event::Retired), it counts as one on its way out.
    pub(crate) fn lend_generation(&mut self) -> Generation {
        let generation = self.next_generation();
        self.retiring.insert(generation);
        generation
    }

    pub(super) fn answer(&mut self, ticket: Ticket, result: Result<Generation, Denied<P::Fault>>) {
        self.effects.push(Effect::Answer(ticket, result));
    }
}
