//! What a host is started with, and what of it can be checked before.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::sync::Arc;

use outrigger_discovery::{Central, DiscoveryError, Limits, Resolver, Verifier};
use outrigger_transport::{Driver, Launcher, Output};
use outrigger_types::{InstanceName, InterfaceName, Platform, Sha256Digest};
use tokio::runtime::Handle;

use super::ground::{MakeTrust, Trust};
use super::watching::WatchSettings;
use crate::crash::Crashes;
use crate::error::{HostError, PluginError};
use crate::interface::InterfaceSpec;
use crate::plugin::actor::sandbox;
use crate::settings::{ProviderSettings, Settings, SettingsError, Sources, UnpackLimits};
use crate::source::{PluginSource, RunsAs};
use crate::status::{PluginState, PluginStatus, StartTimings};

/// Where the settings come from, now and at each reload.
#[derive(Debug, Clone)]
pub enum SettingsSource {
    /// Built by the embedder; a reload finds the same.
    Fixed(Arc<Settings>),
    /// Files, environment and overrides; a reload reads them anew.
    Sources(Arc<Sources>),
}

impl SettingsSource {
    pub(super) fn load(&self) -> Result<Settings, HostError> {
        match self {
            Self::Fixed(settings) => Ok(Settings::clone(settings)),
            Self::Sources(sources) => Ok(sources.load()?.settings),
        }
    }
}

/// The interfaces that a node has.
pub type Interfaces = BTreeMap<InterfaceName, Arc<InterfaceSpec>>;

/// Instances with a source of their own.
pub type Sourced = BTreeMap<InstanceName, PluginSource>;

/// Everything that a host is started with.
pub struct HostConfig {
    /// What to run.
    pub settings: Settings,
    /// Where a reload finds what to run then.
    pub source: SettingsSource,
    /// The interfaces that the node has.
    pub interfaces: Interfaces,
    /// Instances that do not come from their distributions, or run in a way of
    /// their own.
    pub sources: Sourced,
    /// Who gets copies of instances' output.
    pub outputs: BTreeMap<InstanceName, Output>,
    /// Who judges distributions, and where those come from that are not in the
    /// base directory.
    pub trust: Trust,
    /// Makes that anew when settings are applied that ask for something else.
    pub make_trust: MakeTrust,
    /// The node's identity, as plugins are told it.
    pub host_identity: Arc<str>,
    /// How plugins are run; `None`: as processes, through the launcher if there
    /// is one.
    pub driver: Option<Arc<dyn Driver>>,
    /// Where connections are driven.
    pub io: Handle,
    /// Whether and how the settings' files are watched, and what was in them when
    /// they were read.
    pub watch: Option<(WatchSettings, Option<Sha256Digest>)>,
    /// Whether instances may be disturbed on purpose.
    pub allow_chaos: bool,
}

impl fmt::Debug for HostConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostConfig").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// What finds, verifies and unpacks distributions as these settings ask, with
/// workspaces beneath `run_dir`.
#[must_use]
pub fn resolver(
    settings: &Settings,
    verifier: Arc<dyn Verifier>,
    central: Option<Arc<dyn Central>>,
    run_dir: &Path,
) -> Resolver {
    Resolver {
        base_dir: settings.base_dir.clone(),
        run_dir: run_dir.to_owned(),
        verifier,
        limits: limits(&settings.unpack),
        platform: Platform::current(),
        central,
        rules: settings.rules,
    }
}

pub(super) fn spec(
    interfaces: &Interfaces,
    provider: &ProviderSettings,
) -> Result<Arc<InterfaceSpec>, HostError> {
    interfaces.get(&provider.interface).cloned().ok_or_else(|| HostError::UnknownInterface {
        interfaces: vec![provider.interface.clone()],
        known: interfaces.keys().cloned().collect(),
    })
}

pub(super) fn check(
    settings: &Settings,
    interfaces: &Interfaces,
    sources: &Sourced,
    verifier: &dyn Verifier,
) -> Result<(), HostError> {
    let known: Vec<_> = interfaces.keys().cloned().collect();
    if let Err(SettingsError::Unsupported { interfaces }) = settings.check_supported(&known) {
        return Err(HostError::UnknownInterface { interfaces, known });
    }
    for (instance, source) in sources {
        if !settings.providers.contains_key(instance) {
            let known = settings.providers.keys().cloned().collect();
            return Err(HostError::UnknownInstance { name: instance.to_string(), known });
        }
        if let Some(directory) = source.directory() {
            verifier.verify_directory(directory).map_err(|error| PluginError {
                plugin: instance.clone(),
                kind: Arc::new(DiscoveryError::Verify(error).into()),
            })?;
        }
    }
    launcher(settings).map(drop)
}

pub(super) fn launcher(settings: &Settings) -> Result<Option<Launcher>, HostError> {
    Launcher::locate(settings.launcher.as_deref()).map_err(HostError::Launcher)
}

/// Makes the directory of distributions if it is not there, as GoQuorum does.
pub(super) fn base_dir(path: &Path) -> Result<(), HostError> {
    let made = DirBuilder::new().recursive(true).mode(0o755).create(path);
    made.map_err(|error| HostError::BaseDir { path: path.to_owned(), error })
}

pub(super) fn initial_status(instance: &InstanceName, provider: &ProviderSettings) -> PluginStatus {
    PluginStatus {
        instance: instance.clone(),
        interface: provider.interface.clone(),
        name: provider.definition.name.clone(),
        version: provider.definition.version.clone(),
        state: PluginState::Stopped,
        required: provider.required,
        generation: None,
        spare: None,
        pid: None,
        app_version: None,
        security: None,
        multiplexed: None,
        runs_as: RunsAs::Process,
        directory: None,
        executable: None,
        containment: None,
        sandbox: sandbox(provider),
        failures: 0,
        state_since: crate::status::now(),
        serving_since: None,
        last_error: None,
        crashes: Crashes::default(),
        timings: StartTimings::default(),
    }
}

fn limits(unpack: &UnpackLimits) -> Limits {
    Limits {
        archive_bytes: unpack.archive_size,
        entries: usize::try_from(unpack.entries).unwrap_or(usize::MAX),
        total_bytes: unpack.total_size,
        file_bytes: unpack.file_size,
        ratio: unpack.ratio,
        depth: usize::try_from(unpack.depth).unwrap_or(usize::MAX),
        metadata_bytes: unpack.metadata_size,
        ..Limits::default()
    }
}
