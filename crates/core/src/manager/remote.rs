//! Seeing and steering a host from elsewhere: a server's handlers, another task.

use std::time::Duration;

use outrigger_transport::OwnMetrics;
use outrigger_types::{Generation, InstanceName};
use tokio::sync::{broadcast, watch};

use super::actor::{PluginManager, flatten_host};
use super::messages::{
    ApplySettings, ChaosPlugin, DryRunReload, FindConnection, ReloadAll, ReloadPlugin, StartPlugin,
    StopPlugin,
};
use super::plan::{Applied, Reloaded};
use super::registry::{Instance, Registry};
use crate::chaos::Chaos;
use crate::error::HostError;
use crate::live::{Link, Traffic};
use crate::logs::Logs;
use crate::mail::Mail;
use crate::metrics::{Whose, whose};
use crate::status::{DryRun, HostEvent, PluginStatus};

/// A cheap clone that may outlive its host: then it finds what was there last, and
/// what it asks for fails with [`HostError::Stopped`].
#[derive(Debug, Clone)]
pub struct Remote {
    pub(super) registry: Registry,
    pub(super) manager: Mail<PluginManager>,
    pub(super) events: broadcast::Sender<HostEvent>,
}

impl Remote {
    /// The status of every instance, now.
    #[must_use]
    pub fn status(&self) -> Vec<PluginStatus> {
        self.registry.all().values().map(Instance::status).collect()
    }

    /// The status of every instance, and every event after that: nothing is missed
    /// between the two, though something may be in both.
    #[must_use]
    pub fn follow(&self) -> (Vec<PluginStatus>, broadcast::Receiver<HostEvent>) {
        let events = self.events();
        (self.status(), events)
    }

    /// Events from now on; a listener that falls more than 256 behind is told how
    /// many it lost.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<HostEvent> {
        self.events.subscribe()
    }

    /// The status of one instance, to be watched.
    #[must_use]
    pub fn watch(&self, instance: &str) -> Option<watch::Receiver<PluginStatus>> {
        Some(self.registry.get(instance)?.status)
    }

    /// The last lines of one instance.
    #[must_use]
    pub fn logs(&self, instance: &str) -> Option<Logs> {
        Some(self.registry.get(instance)?.logs)
    }

    /// The way to whatever generation of an instance serves; `None` if there is no such
    /// instance.
    #[must_use]
    pub fn link(&self, instance: &str) -> Option<Link> {
        Some(self.registry.get(instance)?.link)
    }

    /// Calls under way at an instance; `None` if there is none.
    #[must_use]
    pub fn in_flight(&self, instance: &str) -> Option<u64> {
        Some(self.registry.get(instance)?.link.in_flight())
    }

    /// Calls of an instance since the host's start; `None` if there is none.
    #[must_use]
    pub fn traffic(&self, instance: &str) -> Option<Traffic> {
        Some(self.registry.get(instance)?.link.traffic())
    }

    /// The own metrics of what serves as an instance; `None` where nothing does, or
    /// nothing came within `timeout`. A port is one at which a process of the plugin
    /// listens, and nobody else; of a plugin whose processes the host does not know,
    /// none is taken.
    pub async fn own_metrics(
        &self,
        instance: &InstanceName,
        timeout: Duration,
    ) -> Option<OwnMetrics> {
        let find = FindConnection { instance: instance.clone() };
        let asking = async {
            let connection = self.manager.send(find).await.ok()??;
            let found = connection.own_metrics(timeout).await?;
            let OwnMetrics::Port(port) = found else { return Some(found) };
            let pid = connection.info().pid;
            let looking = move || pid.map_or(Whose::Anothers, |pid| whose(pid, port));
            match tokio::task::spawn_blocking(looking).await.ok()? {
                Whose::Its => Some(found),
                Whose::Nobodys => None,
                Whose::Anothers => {
                    tracing::warn!(plugin = %instance, port, "the plugin says that its metrics are at a port at which not it alone listens; they are not asked for");
                    Some(OwnMetrics::None)
                }
            }
        };
        tokio::time::timeout(timeout, asking).await.ok()?
    }

    /// The names of the instances.
    #[must_use]
    pub fn instances(&self) -> Vec<InstanceName> {
        self.registry.names()
    }

    /// See [`ReloadPlugin`].
    ///
    /// # Errors
    ///
    /// [`HostError`].
    pub async fn reload(&self, instance: &InstanceName) -> Result<Generation, HostError> {
        flatten_host(self.manager.send(ReloadPlugin { instance: instance.clone() }).await)
    }

    /// See [`DryRunReload`].
    ///
    /// # Errors
    ///
    /// [`HostError`].
    pub async fn dry_run(&self, instance: &InstanceName) -> Result<DryRun, HostError> {
        flatten_host(self.manager.send(DryRunReload { instance: instance.clone() }).await)
    }

    /// See [`ReloadAll`].
    ///
    /// # Errors
    ///
    /// [`HostError`].
    pub async fn reload_all(&self) -> Result<Vec<Reloaded>, HostError> {
        flatten_host(self.manager.send(ReloadAll).await)
    }

    /// See [`ApplySettings`].
    ///
    /// # Errors
    ///
    /// [`HostError`].
    pub async fn apply(&self, dry_run: bool) -> Result<Applied, HostError> {
        flatten_host(self.manager.send(ApplySettings { dry_run }).await)
    }

    /// See [`ChaosPlugin`].
    ///
    /// # Errors
    ///
    /// [`HostError`].
    pub async fn chaos(&self, instance: &InstanceName, chaos: Chaos) -> Result<(), HostError> {
        flatten_host(self.manager.send(ChaosPlugin { instance: instance.clone(), chaos }).await)
    }

    /// See [`StartPlugin`].
    ///
    /// # Errors
    ///
    /// [`HostError`].
    pub async fn start(&self, instance: &InstanceName) -> Result<Generation, HostError> {
        flatten_host(self.manager.send(StartPlugin { instance: instance.clone() }).await)
    }

    /// See [`StopPlugin`].
    ///
    /// # Errors
    ///
    /// [`HostError`].
    pub async fn stop(&self, instance: &InstanceName) -> Result<(), HostError> {
        flatten_host(self.manager.send(StopPlugin { instance: instance.clone() }).await)
    }
}
