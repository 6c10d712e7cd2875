//! A running host.

use std::path::PathBuf;
use std::time::Duration;

use actix::Addr;
use outrigger_core::manager::{Applied, Host, Lookup, PluginManager, Reloaded, Remote};
use outrigger_core::{Chaos, DryRun, HostError, HostEvent, Logs, PluginStatus};
use outrigger_gateways::Gateway;
use outrigger_transport::{Health, Reattach};
use outrigger_types::{Generation, InstanceName};
use tokio::sync::{broadcast, watch};
use tokio_util::sync::CancellationToken;

use crate::builder::PluginHostBuilder;
use crate::following::Following;

/// Plugins that run, and the ways to them.
///
/// Everything here may be called from any thread of the node. Dropping it kills
/// the plugins; [`PluginHost::stop`] lets their calls end first.
#[derive(Debug)]
pub struct PluginHost(Host);

impl PluginHost {
    /// Starts building a host.
    pub fn builder() -> PluginHostBuilder {
        PluginHostBuilder::default()
    }

    pub(crate) const fn new(host: Host) -> Self {
        Self(host)
    }

    /// A gateway to an instance, such as `gateway::<helloworld::Handle>("helloworld")`.
    /// It stays good across reloads and restarts, and fails with a typed error
    /// while nothing serves.
    ///
    /// # Errors
    ///
    /// [`HostError::NotFound`], and [`HostError::WrongInterface`] for a gateway of
    /// another interface.
    pub fn gateway<G: Gateway>(&self, instance: &str) -> Result<G, HostError> {
        let name = instance.to_ascii_lowercase();
        let (link, interface) = self.0.link(&name).ok_or_else(|| HostError::NotFound {
            name: instance.escape_debug().to_string(),
            known: self.0.remote().instances(),
        })?;
        if interface.as_str() != G::INTERFACE {
            let instance = link.instance().clone();
            return Err(HostError::WrongInterface { instance, interface, asked: G::INTERFACE });
        }
        Ok(G::from_link(link))
    }

    /// Sees and steers this host from elsewhere, such as a server's handlers: status,
    /// events, logs, and the actions of this type.
    #[must_use]
    pub fn remote(&self) -> Remote {
        self.0.remote().clone()
    }

    /// Starts an instance that is stopped or failed.
    ///
    /// # Errors
    ///
    /// [`HostError`] with why the first attempt failed.
    pub async fn start(&self, instance: &str) -> Result<Generation, HostError> {
        self.0.remote().start(&self.parse(instance)?).await
    }

    /// Stops one instance until somebody starts it, and comes back when its
    /// processes are gone.
    ///
    /// # Errors
    ///
    /// [`HostError::UnknownInstance`].
    pub async fn stop_plugin(&self, instance: &str) -> Result<(), HostError> {
        self.0.remote().stop(&self.parse(instance)?).await
    }

    /// Disturbs an instance on purpose, to see what the node makes of it. Comes back
    /// when it has begun.
    ///
    /// # Errors
    ///
    /// [`HostError::ChaosNotAllowed`] unless the host was built with
    /// [`allow_chaos`](PluginHostBuilder::allow_chaos); [`HostError::NotServing`] where
    /// no process is there to be signalled; [`HostError::Chaos`] for more than is
    /// allowed.
    pub async fn chaos(&self, instance: &str, chaos: Chaos) -> Result<(), HostError> {
        self.0.remote().chaos(&self.parse(instance)?, chaos).await
    }

    /// The last lines of an instance's log; `None` if there is no such instance.
    #[must_use]
    pub fn logs(&self, instance: &str) -> Option<Logs> {
        self.0.remote().logs(&instance.to_ascii_lowercase())
    }

    /// Finds what this host has from elsewhere, such as a server's handlers.
    #[must_use]
    pub fn lookup(&self) -> Lookup {
        self.0.lookup()
    }

    /// The way to whichever instance fills the gateway's interface, now and after
    /// settings were applied.
    #[must_use]
    pub fn follow<G: Gateway>(&self) -> Following<G> {
        Following::new(self.0.lookup())
    }

    /// Reads the settings anew and replaces an instance's generation: the new
    /// one is verified, launched and initialised first. Reloads asked for
    /// meanwhile share one.
    ///
    /// # Errors
    ///
    /// [`HostError`] with the reason; the generation before goes on serving or,
    /// after an exclusive reload, comes back.
    pub async fn reload(&self, instance: &str) -> Result<Generation, HostError> {
        self.0.remote().reload(&self.parse(instance)?).await
    }

    /// Reads the settings anew and replaces the generation of every instance that
    /// they name, in the order of their start, four at a time.
    ///
    /// # Errors
    ///
    /// [`HostError`] when the settings cannot be used; nothing changed then. What
    /// becomes of single instances is in what this returns.
    pub async fn reload_all(&self) -> Result<Vec<Reloaded>, HostError> {
        self.0.remote().reload_all().await
    }

    /// Tries what a [`reload`](Self::reload) would do now: what the settings ask for
    /// is verified, launched and initialised beside what serves, and thrown away.
    /// Where two generations may not run at a time it is verified and unpacked only.
    ///
    /// # Errors
    ///
    /// [`HostError`] with the reason for which a reload would fail.
    pub async fn dry_run(&self, instance: &str) -> Result<DryRun, HostError> {
        self.0.remote().dry_run(&self.parse(instance)?).await
    }

    /// Reads the settings anew and takes up what differs: instances that they drop
    /// are drained and stopped, those that they add are started, those that they
    /// change, or whose distribution or config has other bytes now, are reloaded;
    /// the rest is left alone. One runs at a time, and reloads wait for it.
    /// Gateways to what is removed fail from then on, and such to what is added
    /// can be had.
    ///
    /// # Errors
    ///
    /// [`HostError`] when the settings cannot be used; nothing changed then. What
    /// could not be started or reloaded is in [`Applied::failed`].
    pub async fn apply(&self) -> Result<Applied, HostError> {
        self.0.remote().apply(false).await
    }

    /// What [`PluginHost::apply`] would do now.
    ///
    /// # Errors
    ///
    /// As [`PluginHost::apply`].
    pub async fn plan(&self) -> Result<Applied, HostError> {
        self.0.remote().apply(true).await
    }

    /// Asks an instance for its health once, within `timeout`.
    ///
    /// # Errors
    ///
    /// [`HostError::UnknownInstance`], and [`HostError::NotServing`] while
    /// nothing serves.
    pub async fn health(&self, instance: &str, timeout: Duration) -> Result<Health, HostError> {
        self.0.health(&self.parse(instance)?, timeout).await
    }

    /// What another host needs to attach to the process that serves an
    /// instance; `None` where there is no process. The host goes on owning it:
    /// it is killed when the host is stopped.
    ///
    /// # Errors
    ///
    /// As [`PluginHost::health`].
    pub async fn reattach(&self, instance: &str) -> Result<Option<Reattach>, HostError> {
        self.0.reattach(&self.parse(instance)?).await
    }

    /// Calls under way at an instance; `None` if there is none.
    #[must_use]
    pub fn in_flight(&self, instance: &str) -> Option<u64> {
        self.0.remote().in_flight(&instance.to_ascii_lowercase())
    }

    /// The status of every instance, now.
    #[must_use]
    pub fn status(&self) -> Vec<PluginStatus> {
        self.0.remote().status()
    }

    /// The status of one instance, to be watched; `None` if there is none.
    #[must_use]
    pub fn watch(&self, instance: &str) -> Option<watch::Receiver<PluginStatus>> {
        self.0.remote().watch(&instance.to_ascii_lowercase())
    }

    /// Events from now on. A listener that falls more than 256 behind is told
    /// how many it lost.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<HostEvent> {
        self.0.remote().events()
    }

    /// Where distributions lie, now.
    #[must_use]
    pub fn base_dir(&self) -> PathBuf {
        self.0.base_dir()
    }

    /// The manager actor, for a node that is itself made of actors. Its
    /// messages are in [`crate::manager::messages`].
    #[must_use]
    pub fn manager(&self) -> Addr<PluginManager> {
        self.0.manager()
    }

    /// Stops all plugins: lets calls end, asks, insists, kills.
    ///
    /// # Errors
    ///
    /// [`HostError::TimedOut`] when plugins outlast `deadline`; they are killed
    /// then.
    pub async fn stop(self, deadline: Duration) -> Result<(), HostError> {
        self.0.stop(deadline).await
    }

    /// As [`PluginHost::stop`], without patience once `hurry` is cancelled.
    ///
    /// # Errors
    ///
    /// As [`PluginHost::stop`].
    pub async fn stop_or(
        self,
        deadline: Duration,
        hurry: CancellationToken,
    ) -> Result<(), HostError> {
        self.0.stop_or(deadline, hurry).await
    }

    fn parse(&self, instance: &str) -> Result<InstanceName, HostError> {
        InstanceName::parse(instance).map_err(|_| self.unknown(instance))
    }

    fn unknown(&self, instance: &str) -> HostError {
        let known = self.0.remote().instances();
        HostError::UnknownInstance { name: instance.escape_debug().to_string(), known }
    }
}
