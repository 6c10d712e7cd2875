//! What follows a death, an end and a timer.

use std::mem;
use std::time::Duration;

use outrigger_types::Generation;

use super::{
    Effect, Lifecycle, Notice, Parts, Retirement, Running, Spare, State, Step, Timer, Withdrawal,
};

impl<P: Parts> Lifecycle<P> {
    pub(super) fn died(&mut self, generation: Generation, fault: P::Fault, now: Duration) {
        if self.spare.holds(generation) {
            return self.spare_died(fault);
        }
        match mem::replace(&mut self.state, State::Stopped) {
            State::Ready(running) if running.generation == generation => {
                let Running { connection, distribution, probation, .. } = running;
                match probation.filter(|(_, until)| now < *until && !self.stays_down) {
                    Some((before, _)) => {
                        self.drop_spare(Retirement::Kill);
                        self.effects.push(Effect::Withdraw(Withdrawal::Died(fault)));
                        self.retire(generation, connection, Retirement::Kill);
                        self.effects.push(Effect::Announce(Notice::RolledBack(generation)));
                        self.proven = Some(before.clone());
                        self.start_with(before);
                    }
                    None => match self.take_spare() {
                        Some(spare) => {
                            self.succeed(generation, connection, &spare, fault);
                            let (generation, connection) = spare;
                            self.state = State::Ready(Running {
                                generation,
                                connection,
                                distribution,
                                probation: None,
                            });
                            self.spare_after(now);
                        }
                        None => {
                            self.drop_spare(Retirement::Kill);
                            self.effects.push(Effect::Withdraw(Withdrawal::Died(fault)));
                            self.retire(generation, connection, Retirement::Kill);
                            self.restart(Some(distribution), now);
                        }
                    },
                }
            }
            // The candidate goes on; nobody serves meanwhile, unless a spare does.
            State::Replacing(running, attempt) if running.generation == generation => {
                let Running { connection, distribution, .. } = running;
                match self.take_spare() {
                    Some(spare) => {
                        self.succeed(generation, connection, &spare, fault);
                        let (generation, connection) = spare;
                        let running =
                            Running { generation, connection, distribution, probation: None };
                        self.state = State::Replacing(running, attempt);
                    }
                    None => {
                        self.drop_spare(Retirement::Kill);
                        self.effects.push(Effect::Withdraw(Withdrawal::Died(fault)));
                        self.retire(generation, connection, Retirement::Kill);
                        self.state = State::Starting(attempt);
                    }
                }
            }
            state => {
                self.state = state;
                if self.awaits(generation, |step| matches!(step, Step::Initialising(..))) {
                    self.attempt_failed(fault, now);
                }
            }
        }
    }

    pub(super) fn retired(&mut self, generation: Generation) {
        self.retiring.remove(&generation);
        self.settle();
    }

    pub(super) fn woke(&mut self, timer: Timer) {
        if self.spare.waits_for(timer) {
            self.spare = Spare::None;
            return self.make_spare();
        }
        if matches!(self.state, State::BackingOff { timer: awaited, .. } if awaited == timer) {
            match self.proven.clone() {
                Some(distribution) if !self.stale => self.start_with(distribution),
                _ => self.resolve(),
            }
        }
    }
}
