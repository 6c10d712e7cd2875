//! One instance: an actor that owns its child process and its connection.
//!
//! The actor decides nothing. A message becomes an event, the pure
//! [`lifecycle`] answers with effects, and those run elsewhere ([`effects`])
//! and come back as messages.

pub(crate) mod actor;
pub(crate) mod counted;
mod effects;
mod expiry;
pub(crate) mod lifecycle;
mod load;
pub(crate) mod messages;
mod monitor;
mod records;
mod restart;
mod secure;

use std::fmt;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use arc_swap::ArcSwap;
use outrigger_discovery::Resolver;
use outrigger_transport::{
    Connection, Driver, Output, Reattach, RunRoot, RunRootError, StopLadder,
};
use outrigger_types::Sha256Digest;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

use crate::error::PluginError;
use crate::interface::InterfaceSpec;
use crate::live::Live;
use crate::settings::{Env, ProviderSettings};
use crate::source::PluginSource;
use crate::status::SecurityMode;

use load::Loaded;
pub use secure::TlsFilesError;

/// What every plugin actor of a host shares.
pub(crate) struct HostContext {
    /// Replaced when settings are applied.
    pub(crate) resolver: Arc<ArcSwap<Resolver>>,
    pub(crate) run_dir: std::path::PathBuf,
    /// The same directory as its owner has it.
    pub(crate) run_root: Weak<RunRoot>,
    pub(crate) host_identity: Arc<str>,
    pub(crate) env: Arc<dyn Env>,
    /// Where connections are driven.
    pub(crate) io: Handle,
    /// Turns to launch: a few at a time.
    pub(crate) starting: Semaphore,
    /// Work on `io` that must have ended before the host has.
    pub(crate) tasks: TaskTracker,
    /// Cancelled when the host ends: from then on, what still runs is killed.
    pub(crate) end: CancellationToken,
}

impl HostContext {
    /// Makes the host's directory again if somebody removed it. Blocks on the disk.
    pub(crate) fn restore(&self) -> Result<(), RunRootError> {
        // Without an owner the host has ended.
        self.run_root.upgrade().map_or(Ok(()), |root| root.restore())
    }
}

impl fmt::Debug for HostContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostContext").field("run_dir", &self.run_dir).finish_non_exhaustive()
    }
}

/// What an instance is, whatever the settings say.
#[derive(Debug)]
pub(crate) struct Blueprint {
    pub(crate) spec: Arc<InterfaceSpec>,
    /// `None`: its distribution.
    pub(crate) source: Option<PluginSource>,
    pub(crate) driver: Arc<dyn Driver>,
    /// Who gets copies of its output.
    pub(crate) output: Output,
}

impl Blueprint {
    /// Whether nothing is started in its place when it ended.
    pub(crate) fn stays_down(&self) -> bool {
        self.attached().is_some()
    }

    /// What it is attached to, if it is.
    pub(crate) fn attached(&self) -> Option<&Reattach> {
        self.source.as_ref().and_then(PluginSource::attached)
    }
}

/// A launched generation.
#[derive(Debug)]
pub(crate) struct Serving {
    pub(crate) connection: Arc<dyn Connection>,
    pub(crate) live: Arc<Live>,
    pub(crate) security: SecurityMode,
    pub(crate) multiplexed: bool,
    pub(crate) loaded: Arc<Loaded>,
    /// What its initialisation took, once it is over.
    pub(crate) initialised_in: Arc<OnceLock<Duration>>,
    /// The digest of the config that it was given.
    pub(crate) config: Arc<OnceLock<Sha256Digest>>,
    /// Watches for its death; ended with it.
    pub(crate) death: Option<AbortOnDropHandle<()>>,
    /// Asks for its health once it serves.
    pub(crate) health: Option<AbortOnDropHandle<()>>,
}

/// What the lifecycle carries here.
#[derive(Debug)]
pub(crate) struct PluginParts;

impl lifecycle::Parts for PluginParts {
    type Distribution = Arc<Loaded>;
    type Connection = Serving;
    type Fault = PluginError;
}

pub(crate) type Event = lifecycle::Event<PluginParts>;

pub(crate) fn ladder(provider: &ProviderSettings) -> StopLadder {
    let timeouts = &provider.timeouts;
    StopLadder { shutdown: timeouts.shutdown, terminate: timeouts.terminate, kill: timeouts.kill }
}
