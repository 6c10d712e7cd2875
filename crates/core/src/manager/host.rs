//! A running host, without the gateways: what the facade builds on.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use actix::Addr;
use arc_swap::ArcSwap;
use outrigger_discovery::{Resolver, Verifier};
use outrigger_transport::{Connection, Health, ProcessDriver, Reattach, RunRoot};
use outrigger_types::{InstanceName, InterfaceName, Sha256Digest};
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, broadcast};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::actor::{PluginManager, STARTING_TOGETHER};
use super::config::{
    HostConfig, Interfaces, SettingsSource, Sourced, base_dir, check, launcher, spec,
};
use super::factory::Factory;
use super::gate::Gate;
use super::ground::Ground;
use super::messages::{FindConnection, StartAll, StopAll};
use super::observe::observe;
use super::registry::{Lookup, Registry};
use super::remote::Remote;
use super::together::rest_for_one;
use super::watching::{WatchSettings, watch};
use crate::error::HostError;
use crate::live::Link;
use crate::mail::Mailbox;
use crate::plugin::HostContext;
use crate::settings::{Env, ProcessEnv, Settings};
use crate::source::RunsAs;
use crate::system::ActorSystem;

/// Events that a slow listener may fall behind before it loses some.
const EVENTS: usize = 256;

/// For killed plugins to be gone: a sweep, a reaped launcher, a directory.
const END_LIMIT: Duration = Duration::from_secs(6);

/// A running host.
#[derive(Debug)]
pub struct Host {
    remote: Remote,
    system: Option<ActorSystem>,
    tasks: TaskTracker,
    end: CancellationToken,
    io: Handle,
    // Removed last, when no plugin runs in it any more.
    run_root: Option<Arc<RunRoot>>,
    resolver: Arc<ArcSwap<Resolver>>,
    /// Files to be watched once all plugins serve.
    watched: Option<Watched>,
}

/// Files, how they are watched, and what was in them.
type Watched = (Vec<PathBuf>, (WatchSettings, Option<Sha256Digest>));

impl Host {
    /// Checks settings as far as that needs no process and no network.
    ///
    /// # Errors
    ///
    /// [`HostError::UnknownInterface`] names what the node has no interface
    /// for; [`HostError::UnknownInstance`] a source whose
    /// instance is not configured; [`HostError::Plugin`] a directory that would
    /// have to be verified; [`HostError::Launcher`] a launcher that is none.
    pub fn check(
        settings: &Settings,
        interfaces: &Interfaces,
        sources: &Sourced,
        verifier: &dyn Verifier,
    ) -> Result<(), HostError> {
        check(settings, interfaces, sources, verifier)
    }

    /// Starts the actors and, unless it fails, all plugins.
    ///
    /// # Errors
    ///
    /// [`HostError`]; nothing runs and nothing is left on the disk then.
    pub async fn start(config: HostConfig) -> Result<Self, HostError> {
        Self::start_or(config, CancellationToken::new()).await
    }

    /// As [`Host::start`], until `cancel` is cancelled: what was started by then
    /// is taken down.
    ///
    /// # Errors
    ///
    /// As [`Host::start`], and [`HostError::Stopped`] once it is cancelled.
    pub async fn start_or(
        config: HostConfig,
        cancel: CancellationToken,
    ) -> Result<Self, HostError> {
        Self::check(
            &config.settings,
            &config.interfaces,
            &config.sources,
            &*config.trust.verifier,
        )?;
        let host = tokio::task::spawn_blocking(move || Self::assemble(config));
        let mut host = host.await.map_err(|_| HostError::Stopped)??;
        let started = tokio::select! {
            started = host.remote.manager.send(StartAll) => started.unwrap_or(Err(HostError::Stopped)),
            () = cancel.cancelled() => {
                host.hurry();
                let stopping = host.remote.manager.send(StopAll);
                let _killed = tokio::time::timeout(END_LIMIT, stopping).await;
                Err(HostError::Stopped)
            }
        };
        if let Err(error) = started {
            host.end().await;
            return Err(error);
        }
        if let Some((files, (how, known))) = host.watched.take() {
            let (manager, end) = (host.remote.manager.clone(), host.end.clone());
            let watching = watch(files, known, how, manager, host.io.clone(), end);
            host.tasks.spawn_on(watching, &host.io);
        }
        Ok(host)
    }

    fn assemble(config: HostConfig) -> Result<Self, HostError> {
        let launcher = launcher(&config.settings)?;
        base_dir(&config.settings.base_dir)?;
        let run_root = Arc::new(RunRoot::create(&config.settings.run_dir)?);
        let (run_dir, swept_io) = (config.settings.run_dir.clone(), config.io.clone());
        let mut providers = config.settings.providers.values();
        if providers.any(|provider| provider.socket_group.is_some()) {
            run_root.let_groups_through()?;
        }
        let custom = config.driver.is_some();
        let driver = config.driver.clone().unwrap_or_else(|| {
            if launcher.is_none() {
                tracing::warn!(
                    "no launcher was found: descendants of plugins outlive a host that is killed"
                );
            }
            Arc::new(ProcessDriver::new(launcher))
        });
        let ground =
            Ground::new(&config.settings, config.trust, config.make_trust, run_root.path());
        let resolver = ground.current();
        let context = Arc::new(HostContext {
            resolver: resolver.clone(),
            run_dir: run_root.path().to_owned(),
            run_root: Arc::downgrade(&run_root),
            host_identity: config.host_identity.clone(),
            env: Arc::new(ProcessEnv) as Arc<dyn Env>,
            io: config.io.clone(),
            starting: Semaphore::new(STARTING_TOGETHER),
            tasks: TaskTracker::new(),
            end: CancellationToken::new(),
        });
        let (tasks, end) = (context.tasks.clone(), context.end.clone());
        // Beside the start, which need not wait for it.
        let ended = end.clone();
        let sweeping = tasks.track_future(swept_io.spawn_blocking(move || {
            let swept = RunRoot::sweep(&run_dir, || ended.is_cancelled());
            if swept > 0 {
                tracing::info!("swept what {swept} killed hosts left in {}", run_dir.display());
            }
        }));
        swept_io.spawn(sweeping);
        let (events, _) = broadcast::channel(EVENTS);
        let mut wanted = Vec::new();
        for (instance, provider) in &config.settings.providers {
            let spec = spec(&config.interfaces, provider)?;
            wanted.push((instance.clone(), provider.clone(), spec));
        }
        let mut factory = Factory {
            context,
            interfaces: config.interfaces,
            sources: config.sources,
            outputs: config.outputs,
            driver,
            runs_as: if custom { RunsAs::Custom } else { RunsAs::Process },
            events: events.clone(),
            made: 0,
        };
        let registry = Registry::default();
        let (known, settings) = (registry.clone(), config.source);
        let chaos = config.allow_chaos;
        let files = match (&settings, config.watch) {
            (SettingsSource::Sources(sources), Some(watch)) => Some((sources.files()?, watch)),
            (SettingsSource::Fixed(_), Some(_)) => {
                tracing::warn!("settings that the node built itself have no file to be watched");
                None
            }
            (_, None) => None,
        };
        let (system, manager) = ActorSystem::start(move || {
            for (instance, provider, spec) in wanted {
                known.insert(&instance, &factory.make(&instance, provider, spec));
            }
            let (registry, gate, stopping) = (known, Gate::default(), false);
            let mailbox = Mailbox::manager();
            PluginManager { registry, factory, settings, ground, gate, mailbox, chaos, stopping }
                .start()
        })?;
        let (system, run_root) = (Some(system), Some(run_root));
        let io = config.io;
        let together =
            rest_for_one(registry.clone(), manager.clone(), events.subscribe(), end.clone());
        tasks.spawn_on(together, &io);
        tasks.spawn_on(observe(registry.clone(), end.clone()), &io);
        Ok(Self {
            remote: Remote { registry, manager, events },
            system,
            tasks,
            end,
            io,
            run_root,
            resolver,
            watched: files,
        })
    }

    /// Asks an instance for its health once, within `timeout`.
    ///
    /// # Errors
    ///
    /// [`HostError::UnknownInstance`], and [`HostError::NotServing`] while
    /// nothing serves.
    pub async fn health(
        &self,
        instance: &InstanceName,
        timeout: Duration,
    ) -> Result<Health, HostError> {
        Ok(self.connection(instance).await?.health(timeout).await)
    }

    /// What another host needs to attach to the process that serves; `None`
    /// where there is no process.
    ///
    /// # Errors
    ///
    /// As [`Host::health`].
    pub async fn reattach(&self, instance: &InstanceName) -> Result<Option<Reattach>, HostError> {
        Ok(self.connection(instance).await?.reattach())
    }

    async fn connection(&self, instance: &InstanceName) -> Result<Arc<dyn Connection>, HostError> {
        let Some(known) = self.remote.registry.get(instance.as_str()) else {
            let known = self.remote.registry.names();
            return Err(HostError::UnknownInstance { name: instance.to_string(), known });
        };
        let find = FindConnection { instance: instance.clone() };
        let found = self.remote.manager.send(find).await.map_err(|_| HostError::Stopped)?;
        found.ok_or_else(|| HostError::NotServing {
            instance: instance.clone(),
            state: known.status().state,
        })
    }

    /// The manager's address, for a node that is itself made of actors.
    #[must_use]
    pub fn manager(&self) -> Addr<PluginManager> {
        self.remote.manager.address().clone()
    }

    /// Sees and steers this host, from here and from elsewhere.
    #[must_use]
    pub const fn remote(&self) -> &Remote {
        &self.remote
    }

    /// Finds instances from elsewhere, across settings that are applied.
    #[must_use]
    pub fn lookup(&self) -> Lookup {
        Lookup { registry: self.remote.registry.clone(), resolver: self.resolver.clone() }
    }

    /// The link to an instance, and the interface that it fills.
    #[must_use]
    pub fn link(&self, instance: &str) -> Option<(Link, InterfaceName)> {
        let found = self.remote.registry.get(instance)?;
        Some((found.link, found.interface))
    }

    /// Where distributions lie, now.
    #[must_use]
    pub fn base_dir(&self) -> PathBuf {
        self.resolver.load().base_dir.clone()
    }

    /// Stops all plugins, then the actors.
    ///
    /// # Errors
    ///
    /// [`HostError::TimedOut`] when plugins outlast `deadline`; they are killed
    /// then.
    pub async fn stop(self, deadline: Duration) -> Result<(), HostError> {
        self.stop_or(deadline, CancellationToken::new()).await
    }

    /// As [`Host::stop`], with the deadline brought forward once `hurry` is
    /// cancelled.
    ///
    /// # Errors
    ///
    /// As [`Host::stop`].
    pub async fn stop_or(
        mut self,
        deadline: Duration,
        hurry: CancellationToken,
    ) -> Result<(), HostError> {
        let started = tokio::time::Instant::now();
        let stopping = self.remote.manager.send(StopAll);
        tokio::pin!(stopping);
        let stopped = tokio::select! {
            biased;
            _ = &mut stopping => true,
            () = tokio::time::sleep(deadline) => false,
            () = hurry.cancelled() => false,
        };
        if !stopped {
            self.hurry();
            let _killed = tokio::time::timeout(END_LIMIT, stopping).await;
        }
        self.end().await;
        if stopped {
            return Ok(());
        }
        let limit = started.elapsed().min(deadline);
        Err(HostError::TimedOut { what: "stopping all plugins", limit })
    }

    /// From here on, what still runs is killed and what is fetched is not.
    fn hurry(&self) {
        self.end.cancel();
        if let Some(central) = &self.resolver.load().central {
            central.cancel();
        }
    }

    /// Kills what still runs and ends the actors.
    async fn end(&mut self) {
        self.hurry();
        self.tasks.close();
        if tokio::time::timeout(END_LIMIT, self.tasks.wait()).await.is_err() {
            tracing::error!("plugins could not be killed; their directories may be left over");
        }
        let system = self.system.take();
        let run_root = self.run_root.take();
        let ended = tokio::task::spawn_blocking(move || {
            if let Some(system) = system {
                system.stop();
            }
            drop(run_root);
        });
        let _panicked = ended.await;
    }
}

impl Drop for Host {
    /// A host that is dropped without `stop` kills its plugins.
    fn drop(&mut self) {
        let Some(system) = self.system.take() else { return };
        tracing::warn!("the plugin host was dropped without being stopped");
        self.hurry();
        self.tasks.close();
        system.stop();
        // What still runs holds files beneath it.
        let (tasks, run_root) = (self.tasks.clone(), self.run_root.take());
        self.io.spawn(async move {
            let _killed = tokio::time::timeout(END_LIMIT, tasks.wait()).await;
            let _removed = tokio::task::spawn_blocking(move || drop(run_root)).await;
        });
    }
}
