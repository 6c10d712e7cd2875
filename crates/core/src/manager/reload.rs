//! Reloads: of one instance, of all, and as a dry run; and starts and stops.

use actix::{Context, Handler, ResponseFuture};
use futures_util::{StreamExt as _, stream};
use outrigger_types::{Generation, InstanceName, failpoint};
use tokio::runtime::Handle;

use super::actor::{PluginManager, STARTING_TOGETHER, flatten, levels};
use super::config::SettingsSource;
use super::gate::Gate;
use super::messages::{DryRunReload, ReloadAll, ReloadPlugin, StartPlugin, StopPlugin};
use super::plan::Reloaded;
use super::registry::{Instance, Registry};
use crate::caught;
use crate::error::{HostError, PluginError};
use crate::plugin::messages::{Rehearse, Reload, Start, Stop};
use crate::settings::{ProviderSettings, Settings};
use crate::status::DryRun;

/// What a reload needs, whatever becomes of the manager meanwhile.
struct Work {
    registry: Registry,
    gate: Gate,
    source: SettingsSource,
    io: Handle,
}

impl Work {
    fn of(manager: &PluginManager) -> Self {
        Self {
            registry: manager.registry.clone(),
            gate: manager.gate.clone(),
            source: manager.settings.clone(),
            io: manager.factory.context.io.clone(),
        }
    }

    async fn settings(&self) -> Result<Settings, HostError> {
        let source = self.source.clone();
        let read = self.io.spawn_blocking(move || source.load()).await;
        read.map_err(|_| HostError::Stopped)?
    }

    /// The instance, and what the settings ask of it now.
    async fn wanted(
        &self,
        instance: &InstanceName,
    ) -> Result<(Instance, ProviderSettings), HostError> {
        let unknown = || {
            let known = self.registry.names();
            HostError::UnknownInstance { name: instance.to_string(), known }
        };
        let found = self.registry.get(instance.as_str()).ok_or_else(unknown)?;
        let settings = self.settings().await?;
        let provider = settings.providers.get(instance).cloned().ok_or_else(unknown)?;
        if provider.interface != found.interface {
            let (instance, asked) = (instance.clone(), provider.interface);
            return Err(HostError::InterfaceChanged { instance, asked });
        }
        Ok((found, provider))
    }

    async fn reload(self, instance: InstanceName) -> Result<Generation, HostError> {
        let _nothing_to_fail = failpoint::fails("manager.reload");
        let _turn = self.gate.share().await?;
        let order = self.gate.order();
        let (found, provider) = self.wanted(&instance).await?;
        let outcome = found.actor.send(Reload { provider, order }).await;
        Ok(flatten(&instance, outcome)?)
    }

    async fn dry_run(self, instance: InstanceName) -> Result<DryRun, HostError> {
        // It changes nothing, so that nobody need wait for it.
        let (found, provider) = {
            let _turn = self.gate.share().await?;
            self.wanted(&instance).await?
        };
        let outcome = found.actor.send(Rehearse { provider }).await;
        Ok(flatten(&instance, outcome)?)
    }

    fn found(&self, instance: &InstanceName) -> Result<Instance, HostError> {
        self.registry.get(instance.as_str()).ok_or_else(|| {
            let known = self.registry.names();
            HostError::UnknownInstance { name: instance.to_string(), known }
        })
    }

    async fn start(self, instance: InstanceName) -> Result<Generation, HostError> {
        let _turn = self.gate.share().await?;
        let outcome = self.found(&instance)?.actor.send(Start).await;
        Ok(flatten(&instance, outcome)?)
    }

    async fn stop(self, instance: InstanceName) -> Result<(), HostError> {
        let _turn = self.gate.share().await?;
        // A closed mailbox has nothing left to stop.
        let _stopped = self.found(&instance)?.actor.send(Stop).await;
        Ok(())
    }

    /// In the order of their start, a few at a time.
    async fn reload_all(self) -> Result<Vec<Reloaded>, HostError> {
        let _turn = self.gate.share().await?;
        let order = self.gate.order();
        let settings = self.settings().await?;
        let instances = self.registry.all().clone();
        let mut all = Vec::new();
        for level in levels(&instances) {
            let found = level.into_iter().filter_map(|name| {
                let instance = instances.get(&name)?;
                let provider = settings.providers.get(&name).cloned()?;
                // Another interface is another instance: for an application of settings.
                (provider.interface == instance.interface).then_some((name, instance, provider))
            });
            let reloads = found.map(|(name, instance, provider)| async move {
                let outcome = instance.actor.send(Reload { provider, order }).await;
                let outcome: Result<Generation, PluginError> = flatten(&name, outcome);
                Reloaded { instance: name, outcome }
            });
            let mut reloads = stream::iter(reloads).buffered(STARTING_TOGETHER);
            while let Some(reloaded) = reloads.next().await {
                all.push(reloaded);
            }
        }
        Ok(all)
    }
}

impl Handler<ReloadPlugin> for PluginManager {
    type Result = ResponseFuture<Result<Generation, HostError>>;

    fn handle(&mut self, reload: ReloadPlugin, _: &mut Context<Self>) -> Self::Result {
        caught::answer(Work::of(self).reload(reload.instance))
    }
}

impl Handler<ReloadAll> for PluginManager {
    type Result = ResponseFuture<Result<Vec<Reloaded>, HostError>>;

    fn handle(&mut self, _: ReloadAll, _: &mut Context<Self>) -> Self::Result {
        caught::answer(Work::of(self).reload_all())
    }
}

impl Handler<DryRunReload> for PluginManager {
    type Result = ResponseFuture<Result<DryRun, HostError>>;

    fn handle(&mut self, dry_run: DryRunReload, _: &mut Context<Self>) -> Self::Result {
        caught::answer(Work::of(self).dry_run(dry_run.instance))
    }
}

impl Handler<StartPlugin> for PluginManager {
    type Result = ResponseFuture<Result<Generation, HostError>>;

    fn handle(&mut self, start: StartPlugin, _: &mut Context<Self>) -> Self::Result {
        caught::answer(Work::of(self).start(start.instance))
    }
}

impl Handler<StopPlugin> for PluginManager {
    type Result = ResponseFuture<Result<(), HostError>>;

    fn handle(&mut self, stop: StopPlugin, _: &mut Context<Self>) -> Self::Result {
        caught::answer(Work::of(self).stop(stop.instance))
    }
}
