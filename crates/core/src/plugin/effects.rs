//! The work that the lifecycle asks for, off the actor's thread.

use std::fs::File;
use std::sync::Arc;
use std::time::Duration;

use outrigger_discovery::{EntryKind, Resolved};
use outrigger_transport::{Connection, Environment, Image, LaunchSpec, Program};
use outrigger_types::{Generation, InstanceName};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::lifecycle::Retirement;
use super::{HostContext, Loaded, ladder};
use crate::error::{PluginError, PluginErrorKind};
use crate::interface::{InitialiseRequest, InterfaceSpec};
use crate::live::Live;
use crate::settings::{EnvironmentProfile, ProviderSettings, read_config};
use crate::status::StartTimings;

/// How long after a failed initialisation a death is waited for.
const DEATH_LIMIT: Duration = Duration::from_millis(100);

/// Gives errors the instance's name.
pub(super) fn fault(instance: &InstanceName, kind: PluginErrorKind) -> PluginError {
    PluginError { plugin: instance.clone(), kind: Arc::new(kind) }
}

/// Finds, verifies and unpacks, and seals the program if it is a single file.
pub(super) async fn resolve(
    host: Arc<HostContext>,
    instance: InstanceName,
    provider: ProviderSettings,
    proven: Option<Arc<Loaded>>,
) -> Result<Arc<Loaded>, PluginError> {
    let limit = provider.timeouts.start;
    let name = instance.clone();
    let work = tokio::task::spawn_blocking(move || load(&host, provider, proven.as_deref()));
    let kind = match timeout(limit, work).await {
        Ok(Ok(Ok(loaded))) => return Ok(Arc::new(loaded)),
        Ok(Ok(Err(kind))) => kind,
        Ok(Err(panic)) => PluginErrorKind::Internal(panic.to_string()),
        Err(_) => PluginErrorKind::DiscoveryTimedOut(limit),
    };
    Err(fault(&name, kind))
}

fn load(
    host: &HostContext,
    provider: ProviderSettings,
    proven: Option<&Loaded>,
) -> Result<Loaded, PluginErrorKind> {
    let start = Instant::now();
    let clock = || start.elapsed();
    let known = proven.map(|loaded| &loaded.resolved);
    let resolved = host.resolver.resolve(&provider.definition, known, &clock)?;
    let before = clock();
    let program = match proven {
        // Made once for each verified distribution.
        Some(proven) if Arc::ptr_eq(&proven.resolved.workspace, &resolved.workspace) => {
            proven.program.clone()
        }
        _ => program(&resolved)?,
    };
    let timings = StartTimings {
        verify: resolved.timings.locate + resolved.timings.verify,
        unpack: resolved.timings.unpack + clock().saturating_sub(before),
        ..StartTimings::default()
    };
    Ok(Loaded { provider, resolved, program, timings })
}

/// Seals a single-file executable, and checks that what was sealed is what was
/// verified.
fn program(resolved: &Resolved) -> Result<Program, PluginErrorKind> {
    let entry = &resolved.entry_point;
    if !entry.single_file || entry.kind != EntryKind::Elf {
        return Ok(Program::Path(entry.path.clone()));
    }
    let seal = || {
        let mut file = File::open(&entry.path)?;
        let image = Image::seal(&resolved.metadata.entry_point, &mut file)?;
        let digest = outrigger_discovery::sha256(image.reader()?)?;
        Ok::<_, std::io::Error>((image, digest))
    };
    let (image, digest) = seal().map_err(PluginErrorKind::Seal)?;
    if digest != entry.digest {
        return Err(PluginErrorKind::Swapped(entry.path.clone()));
    }
    Ok(Program::Image(Arc::new(image)))
}

/// Launches a generation and connects to it.
pub(super) async fn launch(
    host: Arc<HostContext>,
    spec: Arc<InterfaceSpec>,
    instance: InstanceName,
    generation: Generation,
    loaded: Arc<Loaded>,
    cancel: CancellationToken,
) -> Result<Arc<dyn Connection>, PluginError> {
    let workspace = loaded.resolved.workspace.clone();
    let launch = LaunchSpec {
        generation,
        name: loaded.resolved.metadata.entry_point.clone(),
        arguments: loaded.resolved.metadata.parameters.clone(),
        working_directory: workspace.tree(),
        environment: environment(&loaded.provider.environment),
        protocol_versions: spec.protocol_versions.clone(),
        start_timeout: loaded.provider.timeouts.start,
        keep: Some(workspace),
        ..LaunchSpec::new(
            instance.to_string(),
            loaded.program.clone(),
            spec.cookie.clone(),
            host.run_dir.clone(),
        )
    };
    let launched = host.driver.launch(launch, cancel).await;
    launched.map_err(|error| fault(&instance, error.into()))
}

fn environment(profile: &EnvironmentProfile) -> Environment {
    let pass = match profile {
        EnvironmentProfile::Compat => None,
        EnvironmentProfile::Strict { pass } => Some(pass.clone()),
    };
    Environment { pass, add: Vec::new() }
}

/// Reads the config anew and initialises a generation.
pub(super) async fn initialise(
    host: Arc<HostContext>,
    spec: Arc<InterfaceSpec>,
    instance: InstanceName,
    loaded: Arc<Loaded>,
    connection: Arc<dyn Connection>,
    cancel: CancellationToken,
) -> Result<(), PluginError> {
    let Some(initialiser) = spec.initialiser.clone() else { return Ok(()) };
    let limit = loaded.provider.timeouts.initialise;
    let work = async {
        let env = host.env.clone();
        let source = loaded.provider.definition.config.clone();
        let read = tokio::task::spawn_blocking(move || read_config(&source, &*env));
        let config = read.await.map_err(|panic| PluginErrorKind::Internal(panic.to_string()))??;
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

/// Takes a generation down; once `end` is cancelled, without patience.
pub(super) async fn retire(
    connection: Arc<dyn Connection>,
    live: Arc<Live>,
    provider: ProviderSettings,
    how: Retirement,
    end: CancellationToken,
) {
    live.close();
    if how == Retirement::Drain {
        tokio::select! {
            () = drain_and_stop(&*connection, &live, &provider) => return,
            () = end.cancelled() => {}
        }
    }
    live.end("it was killed");
    connection.kill().await;
}

async fn drain_and_stop(connection: &dyn Connection, live: &Live, provider: &ProviderSettings) {
    if timeout(provider.timeouts.drain, live.drained()).await.is_err() {
        let calls = live.in_flight();
        tracing::warn!(calls, "calls outlasted the drain and were cut off");
    }
    live.end("its drain ended");
    connection.stop(ladder(provider)).await;
}
