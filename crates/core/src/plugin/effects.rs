//! The work that the lifecycle asks for, off the actor's thread.

use std::future::Future;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use outrigger_transport::{Connection, Environment, LaunchSpec, PORTS, Stopped};
use outrigger_types::{Generation, InstanceName, Sha256Digest, failpoint};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::lifecycle::Retirement;
use super::load::{Loaded, load};
use super::secure::security;
use super::{Blueprint, HostContext, ladder};
use crate::error::{PluginError, PluginErrorKind};
use crate::interface::InitialiseRequest;
use crate::live::Live;
use crate::settings::{EnvironmentProfile, ProviderSettings, read_config};
use crate::status::SecurityMode;

/// How long after a failed initialisation a death is waited for.
const DEATH_LIMIT: Duration = Duration::from_millis(100);

/// Gives errors the instance's name.
pub(super) fn fault(instance: &InstanceName, kind: PluginErrorKind) -> PluginError {
    PluginError { plugin: instance.clone(), kind: Arc::new(kind) }
}

/// Finds and judges what is to run.
pub(super) async fn resolve(
    host: Arc<HostContext>,
    blueprint: Arc<Blueprint>,
    instance: InstanceName,
    provider: ProviderSettings,
    proven: Option<Arc<Loaded>>,
) -> Result<Arc<Loaded>, PluginError> {
    let limit = provider.timeouts.start;
    let name = instance.clone();
    let work = tokio::task::spawn_blocking(move || {
        load(&host, &blueprint, &instance, provider, proven.as_deref())
    });
    let kind = match timeout(limit, work).await {
        Ok(Ok(Ok(loaded))) => return Ok(Arc::new(loaded)),
        Ok(Ok(Err(kind))) => kind,
        Ok(Err(panic)) => PluginErrorKind::Internal(panic.to_string()),
        Err(_) => PluginErrorKind::DiscoveryTimedOut(limit),
    };
    Err(fault(&name, kind))
}

/// A launched generation, and how its connections are secured.
pub(super) struct Launched {
    pub(super) connection: Arc<dyn Connection>,
    pub(super) security: SecurityMode,
    pub(super) multiplexed: bool,
}

/// Launches a generation and connects to it.
pub(super) async fn launch(
    host: Arc<HostContext>,
    blueprint: Arc<Blueprint>,
    instance: InstanceName,
    generation: Generation,
    loaded: Arc<Loaded>,
    cancel: CancellationToken,
) -> Result<Launched, PluginError> {
    let launched = try_launch(&host, blueprint, &instance, generation, loaded, cancel).await;
    launched.map_err(|kind| fault(&instance, kind))
}

async fn try_launch(
    host: &Arc<HostContext>,
    blueprint: Arc<Blueprint>,
    instance: &InstanceName,
    generation: Generation,
    loaded: Arc<Loaded>,
    cancel: CancellationToken,
) -> Result<Launched, PluginErrorKind> {
    let driver = blueprint.driver.clone();
    let (context, run_dir) = (host.clone(), host.run_dir.clone());
    let instance = instance.to_string();
    // Off this thread, since certificates may have to be read.
    let spec = tokio::task::spawn_blocking(move || {
        context.restore()?;
        if let Some(gone) = loaded.gone() {
            return Err(PluginErrorKind::FilesGone(gone));
        }
        launch_spec(&blueprint, &loaded, instance, generation, run_dir)
    });
    let spec = spec.await.map_err(|panic| PluginErrorKind::Internal(panic.to_string()))??;
    let security = SecurityMode::of(&spec.security);
    let multiplexed = spec.multiplex;
    if failpoint::fails("plugin.launch") {
        return Err(PluginErrorKind::Internal("a failpoint".to_owned()));
    }
    let launching = driver.launch(spec, cancel.clone());
    let connection = in_turn(&host.starting, &cancel, launching).await??;
    Ok(Launched { connection, security, multiplexed })
}

/// For a launch to be done with what costs the machine most.
const TURN: Duration = Duration::from_secs(1);

/// Lets a few at a time begin, so that many that died together do not come back
/// all at once. One that hangs makes room for others.
async fn in_turn<F: Future>(
    turns: &Semaphore,
    cancel: &CancellationToken,
    work: F,
) -> Result<F::Output, PluginErrorKind> {
    let turn = tokio::select! {
        biased;
        () = cancel.cancelled() => return Err(PluginErrorKind::Stopped),
        turn = turns.acquire() => turn,
    };
    tokio::pin!(work);
    match timeout(TURN, &mut work).await {
        Ok(done) => Ok(done),
        Err(_) => {
            drop(turn);
            Ok(work.await)
        }
    }
}

fn launch_spec(
    blueprint: &Blueprint,
    loaded: &Loaded,
    instance: String,
    generation: Generation,
    run_dir: PathBuf,
) -> Result<LaunchSpec, PluginErrorKind> {
    let Loaded { provider, files, program, .. } = loaded;
    let interface = &*blueprint.spec;
    let largest = provider.largest_message.and_then(|bytes| usize::try_from(bytes).ok());
    // A plugin that is attached to gave its one socket away already.
    let multiplexed = interface.multiplex && blueprint.attached().is_none();
    let mut spec = LaunchSpec {
        generation,
        environment: environment(provider),
        protocol_versions: interface.protocol_versions.clone(),
        security: security(blueprint, provider)?,
        multiplex: provider.multiplex.unwrap_or(multiplexed),
        largest_message: largest.unwrap_or(interface.largest_message),
        ports: provider.ports.clone().unwrap_or(PORTS),
        socket_group: provider.socket_group.clone(),
        checksum: provider.checksum,
        output: blueprint.output.clone(),
        start_timeout: provider.timeouts.start,
        interface: provider.interface.to_string(),
        version: provider.definition.version.to_string(),
        keep: files.keep(),
        ..LaunchSpec::new(instance, program.clone(), interface.cookie.clone(), run_dir)
    };
    if let Some(metadata) = files.metadata() {
        spec.name.clone_from(&metadata.entry_point);
        spec.arguments.clone_from(&metadata.parameters);
    }
    if let Some(directory) = files.working_directory() {
        spec.working_directory = directory;
    }
    Ok(spec)
}

fn environment(provider: &ProviderSettings) -> Environment {
    let pass = match &provider.environment {
        EnvironmentProfile::Compat => None,
        EnvironmentProfile::Strict { pass } => Some(pass.clone()),
    };
    let add = provider.variables.iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
    Environment { pass, add: add.collect() }
}

/// Reads the config anew and initialises a generation.
pub(super) async fn initialise(
    host: Arc<HostContext>,
    blueprint: Arc<Blueprint>,
    instance: InstanceName,
    loaded: Arc<Loaded>,
    connection: Arc<dyn Connection>,
    digest: Arc<OnceLock<Sha256Digest>>,
    cancel: CancellationToken,
) -> Result<(), PluginError> {
    let Some(initialiser) = blueprint.spec.initialiser.clone() else { return Ok(()) };
    let limit = loaded.provider.timeouts.initialise;
    let work = async {
        let env = host.env.clone();
        let source = loaded.provider.definition.config.clone();
        let read = tokio::task::spawn_blocking(move || read_config(&source, &*env));
        let config = read.await.map_err(|panic| PluginErrorKind::Internal(panic.to_string()))??;
        if let Ok(taken) = outrigger_discovery::sha256(config.expose()) {
            digest.get_or_init(|| taken);
        }
        if failpoint::fails("plugin.initialise") {
            return Err(PluginErrorKind::Internal("a failpoint".to_owned()));
        }
        let request = InitialiseRequest { host_identity: host.host_identity.clone(), config };
        initialiser.initialise(&connection.endpoint(), request).await?;
        Ok(())
    };
    let outcome = tokio::select! {
        outcome = timeout(limit, work) => outcome,
        () = cancel.cancelled() => Ok(Err(PluginErrorKind::Stopped)),
    };
    let outcome = outcome.unwrap_or(Err(PluginErrorKind::InitialiseTimedOut(limit)));
    let Err(mut kind) = outcome else { return Ok(()) };
    // Its death says more than the call that broke with it; its own words about
    // the config say more than its death.
    let own_words = matches!(&kind, PluginErrorKind::Initialise(error) if error.permanent);
    if !own_words && let Ok(status) = timeout(DEATH_LIMIT, connection.died()).await {
        kind = PluginErrorKind::Died { status, last_words: connection.last_words() };
    }
    Err(fault(&instance, kind))
}

/// How a generation was taken down.
pub(super) struct Retired {
    pub(super) stopped: Stopped,
    /// What its shutdown hook said, if it failed.
    pub(super) hook: Option<Arc<str>>,
}

/// Takes a generation down; once `end` is cancelled, without patience.
pub(super) async fn retire(
    connection: Arc<dyn Connection>,
    live: Arc<Live>,
    provider: ProviderSettings,
    how: Retirement,
    end: CancellationToken,
) -> Retired {
    live.close();
    if how == Retirement::Drain {
        tokio::select! {
            retired = drain_and_stop(&*connection, &live, &provider) => return retired,
            () = end.cancelled() => {}
        }
    }
    live.end("it was killed");
    Retired { stopped: connection.kill().await, hook: None }
}

async fn drain_and_stop(
    connection: &dyn Connection,
    live: &Live,
    provider: &ProviderSettings,
) -> Retired {
    let _nothing_to_fail = failpoint::fails("plugin.drain");
    if timeout(provider.timeouts.drain, live.drained()).await.is_err() {
        let calls = live.in_flight();
        tracing::warn!(calls, "calls outlasted the drain and were cut off");
    }
    live.end("its drain ended");
    let stopped = connection.stop(ladder(provider)).await;
    Retired { stopped, hook: connection.hook_failure().map(Into::into) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[tokio::test(start_paused = true)]
    async fn fifty_launches_begin_a_few_at_a_time() {
        let (turns, begun) = (Semaphore::new(4), AtomicU32::new(0));
        let (most, never) = (AtomicU32::new(0), CancellationToken::new());
        let launches = (0..50).map(|_| {
            in_turn(&turns, &never, async {
                most.fetch_max(begun.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
                tokio::time::advance(Duration::from_millis(10)).await;
                tokio::task::yield_now().await;
                begun.fetch_sub(1, Ordering::Relaxed);
            })
        });
        futures_util::future::join_all(launches).await;
        assert_eq!(most.into_inner(), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn launches_that_hang_make_room_for_others() {
        let (turns, never) = (Semaphore::new(4), CancellationToken::new());
        let hanging = (0..4).map(|_| in_turn(&turns, &never, std::future::pending::<()>()));
        let hanging = futures_util::future::join_all(hanging);
        let other = in_turn(&turns, &never, async { 7 });
        tokio::select! {
            _ = hanging => unreachable!("it hangs"),
            done = other => assert_eq!(done.unwrap(), 7),
        }
    }

    #[tokio::test]
    async fn what_is_stopped_does_not_wait_for_its_turn() {
        let (turns, stopped) = (Semaphore::new(0), CancellationToken::new());
        stopped.cancel();
        let refused = in_turn(&turns, &stopped, async {}).await;
        assert!(matches!(refused, Err(PluginErrorKind::Stopped)));
    }
}
