//! A panic in a handler replaces the actor and nothing else: its address, its link
//! and its status stay, and what it ran is killed and started anew.

use std::panic::{AssertUnwindSafe, catch_unwind};

use actix::{ActorContext as _, Context};

use super::{Effect, PluginActor};
use crate::caught::text;
use crate::error::{PluginError, PluginErrorKind};
use crate::plugin::Event;
use crate::plugin::effects::fault;
use crate::plugin::lifecycle::{Concerned, Denied, Notice};

impl PluginActor {
    /// Does what a message asks for.
    pub(super) fn guarded<T>(
        &mut self,
        ctx: &mut Context<Self>,
        work: impl FnOnce(&mut Self, &mut Context<Self>) -> T,
    ) -> Result<T, PluginError> {
        catch_unwind(AssertUnwindSafe(|| work(self, ctx))).map_err(|panic| {
            let text = format!("its actor panicked: {}", text(&*panic));
            let error = fault(&self.instance, PluginErrorKind::Internal(text));
            tracing::error!("{error}; what it ran is killed, and started anew");
            self.start_anew(&error, ctx);
            error
        })
    }

    /// Trusts nothing of what it knew but what it is and what is asked of it.
    fn start_anew(&mut self, error: &PluginError, ctx: &mut Context<Self>) {
        // A stop that is under way is answered when nothing runs any more.
        let stopping = self.lifecycle.stopping();
        let failed = self.callers.extract_if(|ticket, _| !stopping.contains(ticket));
        for (_, caller) in failed {
            // It may have given up.
            let _gone = caller.send(Err(error.clone()));
        }
        for (_, step) in self.steps.drain() {
            step.cancel();
        }
        self.spans.clear();
        self.found = None;
        self.end_rehearsal();
        let fed = catch_unwind(AssertUnwindSafe(|| self.feed_panic(error, ctx)));
        if fed.is_err() {
            tracing::error!("plugin `{}`: its actor panicked again and is given up", self.instance);
            ctx.stop();
        }
    }

    /// What was not carried out any more is on nobody's mind but the lifecycle's: a
    /// connection is taken down all the same, and of a step it is told.
    fn feed_panic(&mut self, error: &PluginError, ctx: &mut Context<Self>) {
        let mut lost: Vec<Concerned> = self.carried_out.take().into_iter().collect();
        for effect in std::mem::take(&mut self.pending) {
            match effect {
                Effect::Retire(..) => self.run(effect, ctx),
                // Nothing serves that was to be told of.
                Effect::Announce(Notice::Reloaded { .. }) => {
                    self.announce(Notice::ReloadFailed(Denied::Failed(error.clone())));
                }
                Effect::Announce(notice) => self.announce(notice),
                _ => lost.extend(effect.generation()),
            }
        }
        self.feed(Event::Panicked(error.clone()), ctx);
        for concerned in lost {
            self.feed_lost(concerned, ctx);
        }
    }

    /// A completion was lost: whoever waits for it need not any more.
    pub(super) fn feed_lost(&mut self, concerned: Concerned, ctx: &mut Context<Self>) {
        self.feed(
            match concerned {
                Concerned::Step(generation) => Event::StepLost(generation),
                // Its connection was dropped, which kills.
                Concerned::Retired(generation) => Event::Retired(generation),
            },
            ctx,
        );
    }
}
