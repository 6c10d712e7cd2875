//! What can go wrong with a plugin, and with the host.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use outrigger_discovery::DiscoveryError;
use outrigger_transport::{ExitStatus, LaunchError, RunRootError};
use outrigger_types::{InstanceName, InterfaceName};

use crate::interface::InitialiseError;
use crate::plugin::TlsFilesError;
use crate::plugin::lifecycle::Fault;
use crate::settings::{ConfigError, SettingsError, bracketed};
use crate::status::PluginState;

/// What went wrong, and with which plugin.
#[derive(Debug, Clone)]
pub struct PluginError {
    /// The instance.
    pub plugin: InstanceName,
    /// What went wrong.
    pub kind: Arc<PluginErrorKind>,
}

impl fmt::Display for PluginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "plugin `{}`: {}", self.plugin, self.kind)
    }
}

impl std::error::Error for PluginError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        std::error::Error::source(&*self.kind)
    }
}

impl Fault for PluginError {
    fn is_permanent(&self) -> bool {
        match &*self.kind {
            PluginErrorKind::Discovery(error) => error.is_permanent(),
            PluginErrorKind::Launch(error) => error.is_permanent(),
            PluginErrorKind::Initialise(error) => error.permanent,
            _ => false,
        }
    }

    fn is_stale(&self) -> bool {
        matches!(&*self.kind, PluginErrorKind::FilesGone(_))
    }
}

/// What went wrong with a plugin. Texts start in lower case.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PluginErrorKind {
    /// Its distribution was not found, not verified or not unpacked.
    #[error(transparent)]
    Discovery(#[from] DiscoveryError),
    /// The disk did not answer.
    #[error("its distribution was not read within {0:?}; check the disk")]
    DiscoveryTimedOut(Duration),
    /// Its program could not be copied into sealed memory.
    #[error(
        "its program could not be copied into sealed memory: {0}; check the memory that is left"
    )]
    Seal(std::io::Error),
    /// Its program changed between its verification and its launch.
    #[error("{} is not what was verified; somebody writes to the run directory", .0.display())]
    Swapped(PathBuf),
    /// The host's directory was removed and cannot be made again.
    #[error("the host's directory is gone, and cannot be made again: {0}")]
    RunDir(#[from] RunRootError),
    /// Somebody removed what was unpacked.
    #[error("its files in {} are gone; somebody removed them, and the next start unpacks them again", .0.display())]
    FilesGone(PathBuf),
    /// It could not be launched.
    #[error(transparent)]
    Launch(#[from] LaunchError),
    /// The TLS files that its settings name cannot be used.
    #[error("its `tls` cannot be used: {0}")]
    Tls(#[from] TlsFilesError),
    /// Its config could not be read.
    #[error("its config could not be read: {0}")]
    Config(#[from] ConfigError),
    /// It refused its config.
    #[error("its initialisation failed: {0}; check its `config`")]
    Initialise(#[from] InitialiseError),
    /// It did not finish its initialisation.
    #[error(
        "its initialisation did not end within {0:?}; raise `timeouts.initialise` if it needs longer"
    )]
    InitialiseTimedOut(Duration),
    /// Its process ended.
    #[error("it ended ({status}){}", said(.last_words))]
    Died {
        /// How.
        status: ExitStatus,
        /// The end of its standard error.
        last_words: String,
    },
    /// It does not answer.
    #[error("it hangs: {misses} health checks in a row went without an answer")]
    Hung {
        /// How many.
        misses: u32,
    },
    /// A reload would have to end a process that was attached to.
    #[error(
        "it was attached to, and a reload would end it; stop it and start it again, then reload"
    )]
    Attached,
    /// Two dry runs at a time would be asked of it.
    #[error("a dry run of it is under way; wait for its end")]
    Rehearsing,
    /// It is stopped or stopping.
    #[error("it is stopped")]
    Stopped,
    /// Something of the host's own broke.
    #[error("internal error: {0}")]
    Internal(String),
}

impl PluginErrorKind {
    /// A word for it, for metrics.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Discovery(_) | Self::DiscoveryTimedOut(_) => "distribution",
            Self::Seal(_) | Self::Swapped(_) | Self::RunDir(_) | Self::FilesGone(_) => "files",
            Self::Launch(_) => "launch",
            Self::Tls(_) | Self::Config(_) => "config",
            Self::Initialise(_) | Self::InitialiseTimedOut(_) => "initialise",
            Self::Died { .. } => "died",
            Self::Hung { .. } => "hung",
            Self::Attached | Self::Rehearsing | Self::Stopped => "refused",
            Self::Internal(_) => "internal",
        }
    }
}

fn said(last_words: &str) -> String {
    if last_words.is_empty() { String::new() } else { format!("; its last words: {last_words}") }
}

/// What went wrong with the host as a whole.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HostError {
    /// The settings cannot be used.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The plugin central cannot be used as it is configured.
    #[error("{0}")]
    Central(String),
    /// The node was built without what its settings or its builder ask for.
    #[error(
        "{what} needs the feature `{feature}` of the crate `outrigger`, which this node was built without; {instead}"
    )]
    Lacking {
        /// What was asked for.
        what: &'static str,
        /// The feature.
        feature: &'static str,
        /// What to do.
        instead: &'static str,
    },
    /// Verification is online, and nobody says which keys are trusted.
    #[error(
        "no key is trusted: {} does not exist; put the publisher's public key there, or pin its fingerprint in `verification.fingerprints`, or trust whatever key the plugin central has, with --plugins.trustcentralkey",
        .looked_for.display()
    )]
    NoTrustedKey {
        /// Where a key was looked for.
        looked_for: PathBuf,
    },
    /// The settings ask for interfaces that the node does not have.
    #[error("plugin: [{}] is not supported; this node has {}", bracketed(.interfaces), names(.known))]
    UnknownInterface {
        /// What the settings ask for, each once, in order.
        interfaces: Vec<InterfaceName>,
        /// What the node has.
        known: Vec<InterfaceName>,
    },
    /// There is no such instance.
    #[error("no such plugin provider: {name}; configured are {}", names(.known))]
    UnknownInstance {
        /// What was asked for.
        name: String,
        /// What the settings name.
        known: Vec<InstanceName>,
    },
    /// Nothing is configured that a gateway could lead to.
    #[error("plugin: [{name}] is not found; configured are {}", names(.known))]
    NotFound {
        /// What was asked for.
        name: String,
        /// What the settings name.
        known: Vec<InstanceName>,
    },
    /// The node gave an instance two of what it can have one of.
    #[error("plugin `{instance}`: it was given more than one {what}; give one")]
    SaidTwice {
        /// The instance.
        instance: InstanceName,
        /// `source` or `output`.
        what: &'static str,
    },
    /// The environment names a plugin to attach to, where plugins are verified.
    #[error(
        "plugin `{instance}`: {} would have it attached to, and this host verifies its plugins; unset the variable, or use it where verification is switched off",
        crate::settings::REATTACH_VARIABLE
    )]
    UnverifiedAttach {
        /// The instance.
        instance: InstanceName,
    },
    /// Nothing serves that could be asked.
    #[error("plugin `{instance}` is {state}; wait until it is ready")]
    NotServing {
        /// The instance.
        instance: InstanceName,
        /// Its state.
        state: PluginState,
    },
    /// Chaos was asked of a host that does not allow it.
    #[error(
        "this host does not allow chaos; start it with --allow-chaos, or build it with `allow_chaos`"
    )]
    ChaosNotAllowed,
    /// Chaos that cannot be.
    #[error("plugin `{instance}` cannot be disturbed so: {reason}")]
    Chaos {
        /// The instance.
        instance: InstanceName,
        /// Why not.
        reason: String,
    },
    /// A gateway does not fit the instance.
    #[error("plugin `{instance}` fills interface `{interface}`, not `{asked}`")]
    WrongInterface {
        /// The instance.
        instance: InstanceName,
        /// Its interface.
        interface: InterfaceName,
        /// The gateway's.
        asked: &'static str,
    },
    /// The settings have another interface for an instance, which one reload
    /// cannot bring about.
    #[error(
        "plugin `{instance}`: the settings have it fill interface `{asked}` now; apply them as a whole"
    )]
    InterfaceChanged {
        /// The instance.
        instance: InstanceName,
        /// What the settings ask for.
        asked: InterfaceName,
    },
    /// The directory of distributions is not there and cannot be made.
    #[error("plugins: unable to resolve plugin base dir due to {}: {error}; create it, or correct `baseDir`", path.display())]
    BaseDir {
        /// The directory.
        path: PathBuf,
        /// The system's answer.
        #[source]
        error: std::io::Error,
    },
    /// The directory for running plugins cannot be used.
    #[error(transparent)]
    RunDir(#[from] RunRootError),
    /// The settings name a launcher that is none.
    #[error("the launcher {} does not exist or is not executable; correct `launcher`", .0.display())]
    Launcher(PathBuf),
    /// A plugin failed.
    #[error(transparent)]
    Plugin(#[from] PluginError),
    /// The actor system could not be started.
    #[error("the thread for the actors could not be started: {0}")]
    Thread(#[from] std::io::Error),
    /// The settings' files changed while they were read.
    #[error("the settings changed while they were read; try again")]
    SettingsMoved,
    /// Something did not end in time.
    #[error("{what} did not end within {limit:?}")]
    TimedOut {
        /// What.
        what: &'static str,
        /// The limit.
        limit: Duration,
    },
    /// Something of the host's own broke. It goes on, and so do its plugins.
    #[error("internal error: {0}; this is a defect of the plugin host, which goes on")]
    Internal(String),
    /// The host has stopped.
    #[error("the plugin host has stopped")]
    Stopped,
}

fn names<T: fmt::Display>(names: &[T]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
