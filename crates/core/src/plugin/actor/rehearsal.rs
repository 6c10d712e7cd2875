//! A dry run: verify, launch, initialise and throw away, beside what serves.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use actix::{Context, ResponseFuture};
use futures_util::FutureExt as _;
use outrigger_types::{Generation, InstanceName};
use tokio::sync::oneshot;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{PluginActor, is_exclusive};
use crate::caught;
use crate::error::{PluginError, PluginErrorKind};
use crate::plugin::effects::{self, Launched, fault};
use crate::plugin::lifecycle::Phase;
use crate::plugin::load::Loaded;
use crate::plugin::messages::{Happened, RehearsalEnded};
use crate::plugin::{Blueprint, Event, HostContext, ladder};
use crate::settings::ProviderSettings;
use crate::status::{DryRun, StartTimings};

impl PluginActor {
    pub(super) fn rehearse(
        &mut self,
        provider: ProviderSettings,
        ctx: &mut Context<Self>,
    ) -> ResponseFuture<Result<DryRun, PluginError>> {
        let refusal = match self.lifecycle.phase() {
            Phase::Stopped | Phase::Stopping => Some(PluginErrorKind::Stopped),
            _ if self.rehearsal.is_some() => Some(PluginErrorKind::Rehearsing),
            _ => None,
        };
        if let Some(refusal) = refusal {
            let refused = fault(&self.instance, refusal);
            return Box::pin(async move { Err(refused) });
        }
        let cancel = self.host.end.child_token();
        self.rehearsal = Some(cancel.clone());
        let proven = self.lifecycle.proven().cloned();
        let served = proven.as_ref().map(|loaded| &loaded.provider);
        let mut asked = std::iter::once(&provider).chain(served);
        let alone = asked.any(|provider| is_exclusive(&self.blueprint, provider));
        let rehearsal = Rehearsal {
            host: self.host.clone(),
            blueprint: self.blueprint.clone(),
            instance: self.instance.clone(),
            // Where two may not run nothing is launched, and nobody waits for it.
            generation: (!alone).then(|| self.lifecycle.lend_generation()),
        };
        let (generation, actor) = (rehearsal.generation, self.mail(ctx));
        let (answer, answered) = oneshot::channel();
        let instance = self.instance.clone();
        let work = async move {
            let run = rehearsal.run(provider, proven, cancel.clone());
            let outcome = AssertUnwindSafe(run).catch_unwind();
            let mut outcome = outcome.await.unwrap_or_else(|panic| {
                Err(fault(&instance, PluginErrorKind::Internal(caught::text(&*panic))))
            });
            // Whatever it was at: that it was ended is why it failed.
            if outcome.is_err() && cancel.is_cancelled() {
                outcome = Err(fault(&instance, PluginErrorKind::Stopped));
            }
            // Whoever asked may have given up, and so may the actor.
            let _gone = actor.send(RehearsalEnded).await;
            if let Some(generation) = generation {
                let _gone = actor.send(Happened(Event::Retired(generation))).await;
            }
            let _gone = answer.send(outcome);
        };
        self.host.tasks.spawn_on(work, &self.host.io);
        let stopped = fault(&self.instance, PluginErrorKind::Stopped);
        Box::pin(async move { answered.await.unwrap_or(Err(stopped)) })
    }

    /// Ends a dry run, if one is under way; it says when it has.
    pub(super) fn end_rehearsal(&self) {
        if let Some(rehearsal) = &self.rehearsal {
            rehearsal.cancel();
        }
    }
}

impl actix::Handler<RehearsalEnded> for PluginActor {
    type Result = ();

    fn handle(&mut self, _: RehearsalEnded, _: &mut Context<Self>) {
        self.rehearsal = None;
    }
}

/// One dry run.
struct Rehearsal {
    host: Arc<HostContext>,
    blueprint: Arc<Blueprint>,
    instance: InstanceName,
    /// `None`: nothing is launched.
    generation: Option<Generation>,
}

impl Rehearsal {
    async fn run(
        self,
        provider: ProviderSettings,
        proven: Option<Arc<Loaded>>,
        cancel: CancellationToken,
    ) -> Result<DryRun, PluginError> {
        let resolving = effects::resolve(
            self.host.clone(),
            self.blueprint.clone(),
            self.instance.clone(),
            provider,
            proven,
        );
        let loaded = tokio::select! {
            loaded = resolving => loaded?,
            () = cancel.cancelled() => return Err(fault(&self.instance, PluginErrorKind::Stopped)),
        };
        let found = self.try_out(&loaded, cancel).await;
        // The unpacked tree goes here, and not on a thread that drives connections.
        let _removed = tokio::task::spawn_blocking(move || drop(loaded)).await;
        found
    }

    async fn try_out(
        self,
        loaded: &Arc<Loaded>,
        cancel: CancellationToken,
    ) -> Result<DryRun, PluginError> {
        let Self { host, blueprint, instance, generation } = self;
        let definition = &loaded.provider.definition;
        let mut found = DryRun {
            name: definition.name.clone(),
            version: definition.version.clone(),
            launched: false,
            app_version: None,
            timings: loaded.timings,
        };
        let Some(generation) = generation else { return Ok(found) };
        let launched = effects::launch(
            host.clone(),
            blueprint.clone(),
            instance.clone(),
            generation,
            loaded.clone(),
            cancel.clone(),
        );
        let Launched { connection, .. } = launched.await?;
        let info = connection.info();
        let started = Instant::now();
        let initialised = effects::initialise(
            host,
            blueprint,
            instance,
            loaded.clone(),
            connection.clone(),
            Arc::default(),
            cancel.clone(),
        );
        let initialised = initialised.await;
        let initialise = started.elapsed();
        tokio::select! {
            _ = connection.stop(ladder(&loaded.provider)) => {}
            () = cancel.cancelled() => drop(connection.kill().await),
        }
        initialised?;
        found.launched = true;
        found.app_version = Some(info.app_version);
        found.timings = StartTimings {
            launch: info.timings.spawn,
            handshake: info.timings.line + info.timings.connect,
            initialise,
            ..found.timings
        };
        Ok(found)
    }
}
