//! The messages.

use actix::{Actor, Context, Handler, ResponseFuture};
use outrigger_transport::Connection;
use outrigger_types::{Generation, failpoint};

use std::sync::Arc;

use super::PluginActor;
use crate::error::{PluginError, PluginErrorKind};
use crate::mail::counted;
use crate::plugin::Event;
use crate::plugin::effects::fault;
use crate::plugin::load::Files;
use crate::plugin::messages::{
    Disturb, GetConnection, GetServed, Happened, RehearsalEnded, Rehearse, Reload, Remove, Served,
    Start, Stop,
};
use crate::status::{DryRun, EventKind, HostEvent};

type Answer = Result<Generation, PluginError>;

impl Actor for PluginActor {
    type Context = Context<Self>;
}

counted!(
    PluginActor: Disturb, Start, Reload, Rehearse, RehearsalEnded, Stop, Remove, GetServed, GetConnection,
    Happened,
);

impl Handler<Start> for PluginActor {
    type Result = ResponseFuture<Answer>;

    fn handle(&mut self, _: Start, ctx: &mut Context<Self>) -> Self::Result {
        let asked = self.guarded(ctx, |actor, ctx| {
            let _nothing_to_fail = failpoint::fails("plugin.start");
            actor.ask(Event::Start, ctx)
        });
        asked.unwrap_or_else(|error| Box::pin(async move { Err(error) }))
    }
}

impl Handler<Reload> for PluginActor {
    type Result = ResponseFuture<Answer>;

    fn handle(&mut self, reload: Reload, ctx: &mut Context<Self>) -> Self::Result {
        let asked = self.guarded(ctx, |actor, ctx| {
            let _nothing_to_fail = failpoint::fails("plugin.reload");
            actor.reload(reload, ctx)
        });
        asked.unwrap_or_else(|error| Box::pin(async move { Err(error) }))
    }
}

impl PluginActor {
    fn reload(&mut self, reload: Reload, ctx: &mut Context<Self>) -> ResponseFuture<Answer> {
        if reload.order > self.order {
            self.order = reload.order;
            self.provider = reload.provider;
        }
        // To make room for itself it would have to end what it attaches to.
        let held = self.blueprint.attached().is_some_and(|reattach| !reattach.test);
        if held && self.lifecycle.serving().is_some() {
            let refused = fault(&self.instance, PluginErrorKind::Attached);
            return Box::pin(async move { Err(refused) });
        }
        self.ask(Event::Reload, ctx)
    }

    fn stop(&mut self, ctx: &mut Context<Self>) -> ResponseFuture<()> {
        let asked = self.guarded(ctx, |actor, ctx| {
            let _nothing_to_fail = failpoint::fails("plugin.stop");
            actor.end_rehearsal();
            actor.ask(Event::Stop, ctx)
        });
        // What runs is killed after a panic, and must not be started again.
        let asked = match asked {
            Ok(asked) => Some(asked),
            Err(_) => self.guarded(ctx, |actor, ctx| actor.ask(Event::Stop, ctx)).ok(),
        };
        Box::pin(async move {
            if let Some(stopped) = asked {
                let _generation = stopped.await;
            }
        })
    }
}

impl Handler<Rehearse> for PluginActor {
    type Result = ResponseFuture<Result<DryRun, PluginError>>;

    fn handle(&mut self, rehearse: Rehearse, ctx: &mut Context<Self>) -> Self::Result {
        let begun = self.guarded(ctx, |actor, ctx| actor.rehearse(rehearse.provider, ctx));
        begun.unwrap_or_else(|error| Box::pin(async move { Err(error) }))
    }
}

impl Handler<Stop> for PluginActor {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, _: Stop, ctx: &mut Context<Self>) -> Self::Result {
        self.stop(ctx)
    }
}

impl Handler<Remove> for PluginActor {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, _: Remove, ctx: &mut Context<Self>) -> Self::Result {
        let stopped = self.stop(ctx);
        self.cell.remove("the settings do not name it any more");
        let (instance, events) = (self.instance.clone(), self.events.clone());
        Box::pin(async move {
            stopped.await;
            // Nobody needs to listen.
            let _unheard = events.send(HostEvent { instance, kind: EventKind::Removed });
        })
    }
}

impl Handler<GetServed> for PluginActor {
    type Result = Option<Served>;

    fn handle(&mut self, _: GetServed, _: &mut Context<Self>) -> Self::Result {
        self.lifecycle.serving().map(|(_, serving)| Served {
            provider: serving.loaded.provider.clone(),
            distribution: serving.loaded.files.distribution(),
            config: serving.config.get().copied(),
            looks_anew: matches!(serving.loaded.files, Files::Directory(_)),
        })
    }
}

impl Handler<GetConnection> for PluginActor {
    type Result = Option<Arc<dyn Connection>>;

    fn handle(&mut self, _: GetConnection, _: &mut Context<Self>) -> Self::Result {
        self.lifecycle.serving().map(|(_, serving)| serving.connection.clone())
    }
}

impl Handler<Happened> for PluginActor {
    type Result = ();

    fn handle(&mut self, Happened(event): Happened, ctx: &mut Context<Self>) {
        let concerned = event.generation();
        let happened = self.guarded(ctx, |actor, ctx| {
            let _nothing_to_fail = failpoint::fails("plugin.happened");
            if let Event::Resolved(generation, Ok(_)) = &event {
                actor.found = actor.spans.remove(generation);
            }
            if let Event::Resolved(generation, Err(_))
            | Event::Launched(generation, Err(_))
            | Event::Initialised(generation, Err(_)) = &event
            {
                actor.steps.remove(generation);
                actor.spans.remove(generation);
            }
            actor.feed(event, ctx);
        });
        // Its error went to whoever waited; the event is lost.
        if happened.is_err()
            && let Some(concerned) = concerned
        {
            let _given_up = self.guarded(ctx, |actor, ctx| actor.feed_lost(concerned, ctx));
        }
    }
}
