//! What the manager can be told, by a node that is itself made of actors or by
//! anybody who has its address.

use std::path::PathBuf;
use std::sync::Arc;

use actix::Message;
use outrigger_transport::Connection;
use outrigger_types::{Generation, InstanceName, Sha256Digest};
use tokio::sync::broadcast;

use super::plan::{Applied, Reloaded};
use super::registry::Instance;
use crate::chaos::Chaos;
use crate::error::{HostError, PluginError};
use crate::live::Link;
use crate::settings::ProviderSettings;
use crate::status::{DryRun, HostEvent, PluginStatus};

/// Start all plugins. Answered when all required ones serve, or with the first
/// failure of one, when everything is stopped again. May be repeated.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "Result<(), HostError>")]
pub struct StartAll;

/// Read the settings anew and replace an instance's generation. Answered with
/// the generation that serves; on an error the one before goes on serving or,
/// after an exclusive reload, comes back. May be repeated: reloads asked for
/// meanwhile share one.
#[derive(Debug, Clone, Message)]
#[rtype(result = "Result<Generation, HostError>")]
pub struct ReloadPlugin {
    /// The instance.
    pub instance: InstanceName,
}

/// Start an instance that is stopped or failed. Answered with the generation that
/// serves, or with why the first attempt failed. May be repeated.
#[derive(Debug, Clone, Message)]
#[rtype(result = "Result<Generation, HostError>")]
pub struct StartPlugin {
    /// The instance.
    pub instance: InstanceName,
}

/// Stop an instance until somebody starts it: its calls may end within the drain's
/// limit. Answered when its processes are gone. May be repeated.
#[derive(Debug, Clone, Message)]
#[rtype(result = "Result<(), HostError>")]
pub struct StopPlugin {
    /// The instance.
    pub instance: InstanceName,
}

/// Read the settings anew and replace the generation of every instance that they
/// still name, in the order of their start, four at a time. Answered with what
/// became of each. May be repeated.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "Result<Vec<Reloaded>, HostError>")]
pub struct ReloadAll;

/// Read the settings anew, and verify, launch, initialise and throw away what they
/// ask for, beside what serves. Answered with what that found, or with the reason
/// for which a reload would fail. May be repeated, one at a time for an instance.
#[derive(Debug, Clone, Message)]
#[rtype(result = "Result<DryRun, HostError>")]
pub struct DryRunReload {
    /// The instance.
    pub instance: InstanceName,
}

/// Read the settings anew and take up what differs: instances that they drop are
/// drained and stopped, those that they add are started, those that they change,
/// or whose distribution or config has other bytes now, are reloaded; the rest
/// is left alone. On an error nothing changed. May be repeated; one runs at a
/// time, and reloads wait for it.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "Result<Applied, HostError>")]
pub struct ApplySettings {
    /// Only say what would be done.
    pub dry_run: bool,
}

/// Stop all plugins. Answered when their processes are gone. May be repeated.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct StopAll;

/// The status of every instance, now. May be repeated; [`crate::manager::Host`]
/// gives the same without a message.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "Vec<PluginStatus>")]
pub struct GetStatus;

/// The link to an instance, from which its gateway is made; `None` if there is
/// no such instance. May be repeated.
#[derive(Debug, Clone, Message)]
#[rtype(result = "Option<Link>")]
pub struct GetLink {
    /// The instance.
    pub instance: InstanceName,
}

/// Events from now on. May be repeated: each subscriber has its own stream, and
/// is told how many it lost when it falls more than 256 behind.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "broadcast::Receiver<HostEvent>")]
pub struct Subscribe;

/// Disturb an instance on purpose. Answered when it has begun. Where the host was not
/// built to allow it, [`HostError::ChaosNotAllowed`]. May be repeated.
#[derive(Debug, Clone, Message)]
#[rtype(result = "Result<(), HostError>")]
pub struct ChaosPlugin {
    /// The instance.
    pub instance: InstanceName,
    /// What is done to it.
    pub chaos: Chaos,
}

/// What every instance is, and every event after that: nothing is missed between the
/// two, though something may be in both. May be repeated.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "(Vec<PluginStatus>, broadcast::Receiver<HostEvent>)")]
pub struct Follow;

/// The connection that serves for an instance. From [`crate::manager::Host`].
#[derive(Debug, Message)]
#[rtype(result = "Option<Arc<dyn Connection>>")]
pub(crate) struct FindConnection {
    pub(crate) instance: InstanceName,
}

/// Make an instance that settings add. From [`ApplySettings`].
#[derive(Debug, Message)]
#[rtype(result = "Result<Instance, PluginError>")]
pub(super) struct Adopt {
    pub(super) instance: InstanceName,
    pub(super) provider: ProviderSettings,
}

/// As [`ApplySettings`], if this is still what is in the files. From the watcher.
#[derive(Debug, Message)]
#[rtype(result = "Result<Applied, HostError>")]
pub(super) struct ApplyWatched {
    pub(super) files: Vec<PathBuf>,
    pub(super) digest: Sha256Digest,
}
