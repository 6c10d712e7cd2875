//! Disturbing an instance on purpose.

use actix::{Context, Handler};
use outrigger_transport::Jolt;
use tokio::time::Instant;

use super::PluginActor;
use crate::chaos::Chaos;
use crate::plugin::messages::{Disturb, Disturbed};

impl PluginActor {
    fn disturb(&mut self, chaos: Chaos) -> Disturbed {
        match chaos {
            Chaos::Kill => self.jolt(Jolt::Kill),
            Chaos::Freeze { lasts } => {
                let frozen = self.jolt(Jolt::Freeze);
                let Some((_, serving)) = self.lifecycle.serving() else { return frozen };
                if frozen == Disturbed::Done {
                    // The later one says when it thaws.
                    std::mem::take(&mut self.frozen).cancel();
                    let later = self.frozen.clone();
                    let (connection, over) = (serving.connection.clone(), self.chaos.child_token());
                    self.host.tasks.spawn_on(
                        async move {
                            tokio::select! {
                                () = tokio::time::sleep(lasts) => {}
                                () = over.cancelled() => {}
                                _ = connection.died() => return,
                                () = later.cancelled() => return,
                            }
                            connection.jolt(Jolt::Thaw);
                        },
                        &self.host.io,
                    );
                }
                frozen
            }
            Chaos::Slow { lasts, .. } | Chaos::Errors { lasts, .. } => {
                let Some(calls) = chaos.of_calls(Instant::now()) else { return Disturbed::Done };
                self.cell.disturb(Some(calls));
                let (link, over) = (self.cell.link(), self.chaos.child_token());
                self.host.tasks.spawn_on(
                    async move {
                        tokio::select! {
                            () = tokio::time::sleep(lasts) => {}
                            () = over.cancelled() => {}
                        }
                        link.undisturb(calls);
                    },
                    &self.host.io,
                );
                Disturbed::Done
            }
            Chaos::None => {
                self.chaos.cancel();
                self.chaos = self.host.end.child_token();
                self.cell.disturb(None);
                Disturbed::Done
            }
        }
    }

    fn jolt(&self, jolt: Jolt) -> Disturbed {
        match self.lifecycle.serving() {
            None => Disturbed::NothingServes,
            Some((_, serving)) if serving.connection.jolt(jolt) => Disturbed::Done,
            Some(_) => Disturbed::NoProcess,
        }
    }
}

impl Handler<Disturb> for PluginActor {
    type Result = Disturbed;

    fn handle(&mut self, disturb: Disturb, _: &mut Context<Self>) -> Self::Result {
        self.disturb(disturb.0)
    }
}
