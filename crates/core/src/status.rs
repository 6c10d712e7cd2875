//! What others see of an instance: a status that is watched, and events.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use outrigger_transport::{Containment, Security, Stopped};
use outrigger_types::{Generation, InstanceName, InterfaceName, PluginName, PluginVersion};
use serde::Serialize;

use crate::crash::Crashes;
use crate::source::RunsAs;

/// The state of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum PluginState {
    /// Not running, and not meant to.
    Stopped,
    /// On its way to serving, for the first time or after a death.
    Starting,
    /// Serving.
    Ready,
    /// Serving, while the next generation is made ready.
    Reloading,
    /// Between two generations of an exclusive reload or restart.
    Switching,
    /// Waiting before the next try.
    BackingOff,
    /// Waiting for the next probe, after too many failures.
    CircuitOpen,
    /// Not tried again until somebody asks: a retry cannot mend it.
    Failed,
    /// On its way to stopped.
    Stopping,
}

impl PluginState {
    /// Every state.
    pub const ALL: [Self; 9] = [
        Self::Stopped,
        Self::Starting,
        Self::Ready,
        Self::Reloading,
        Self::Switching,
        Self::BackingOff,
        Self::CircuitOpen,
        Self::Failed,
        Self::Stopping,
    ];
}

impl fmt::Display for PluginState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stopped => "stopped",
            Self::Starting => "starting",
            Self::Ready => "ready",
            Self::Reloading => "reloading",
            Self::Switching => "switching",
            Self::BackingOff => "backing off",
            Self::CircuitOpen => "circuit open",
            Self::Failed => "failed",
            Self::Stopping => "stopping",
        })
    }
}

/// How a generation's connections are secured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum SecurityMode {
    /// Mutual TLS with certificates that were made for this one process.
    Mutual,
    /// TLS by certificates that were given.
    Given,
    /// None at all, which is dangerous.
    None,
}

impl SecurityMode {
    pub(crate) const fn of(security: &Security) -> Self {
        match security {
            Security::AutoMtls => Self::Mutual,
            Security::Given(_) => Self::Given,
            Security::Plaintext => Self::None,
        }
    }
}

impl fmt::Display for SecurityMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mutual => "mutual",
            Self::Given => "given",
            Self::None => "none",
        })
    }
}

/// What each part of bringing a generation up took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StartTimings {
    /// Hashing and checking the signature.
    pub verify: Duration,
    /// Unpacking, and sealing the image.
    pub unpack: Duration,
    /// Identity, launcher and exec.
    pub launch: Duration,
    /// The handshake line, TLS and HTTP/2.
    pub handshake: Duration,
    /// The plugin's initialisation.
    pub initialise: Duration,
}

impl StartTimings {
    /// Each part by its name, in their order.
    #[must_use]
    pub fn phases(&self) -> [(&'static str, Duration); 5] {
        [
            ("verify", self.verify),
            ("unpack", self.unpack),
            ("launch", self.launch),
            ("handshake", self.handshake),
            ("initialise", self.initialise),
        ]
    }
}

/// What a dry run of a reload found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DryRun {
    /// The distribution's name.
    pub name: PluginName,
    /// The distribution's version.
    pub version: PluginVersion,
    /// Whether a generation was launched and initialised, and thrown away. Where two
    /// may not run at a time, the distribution is verified and unpacked only.
    pub launched: bool,
    /// The application protocol version that it chose.
    pub app_version: Option<u32>,
    /// What each part took.
    pub timings: StartTimings,
}

/// The status of an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PluginStatus {
    /// The instance.
    pub instance: InstanceName,
    /// The interface that it fills.
    pub interface: InterfaceName,
    /// Its distribution's name.
    pub name: PluginName,
    /// Its distribution's version.
    pub version: PluginVersion,
    /// Its state.
    pub state: PluginState,
    /// Since when it is in that state.
    pub state_since: SystemTime,
    /// Since when the serving generation serves.
    pub serving_since: Option<SystemTime>,
    /// Whether the node may not start without it.
    pub required: bool,
    /// The generation that serves.
    pub generation: Option<Generation>,
    /// The generation that stands ready to take over.
    pub spare: Option<Generation>,
    /// The process that serves.
    pub pid: Option<u32>,
    /// The application protocol version in use.
    pub app_version: Option<u32>,
    /// How its connections are secured.
    pub security: Option<SecurityMode>,
    /// Whether brokered connections share its one socket.
    pub multiplexed: Option<bool>,
    /// How it runs.
    pub runs_as: RunsAs,
    /// The unsigned directory that it runs from, if it does.
    pub directory: Option<PathBuf>,
    /// The program of the serving generation, and its arguments.
    pub executable: Option<Arc<[String]>>,
    /// How far its processes are contained.
    pub containment: Option<Containment>,
    /// `compat` or `strict`.
    pub sandbox: &'static str,
    /// Deaths and failed attempts since the start.
    pub failures: u64,
    /// The last of them.
    pub last_error: Option<Arc<str>>,
    /// The latest deaths of generations that served.
    pub crashes: Crashes,
    /// What bringing the serving generation up took.
    pub timings: StartTimings,
}

/// What others are shown, and nothing is decided by.
pub(crate) fn now() -> SystemTime {
    SystemTime::now()
}

/// Something that happened to an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HostEvent {
    /// The instance.
    pub instance: InstanceName,
    /// What happened.
    pub kind: EventKind,
}

/// What happened. Whoever takes the status of all and then each event, as from
/// [`Remote::follow`](crate::manager::Remote::follow), knows at any point what serves and in
/// which state it is: an event comes after the status has it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventKind {
    /// A generation was launched and has shaken hands; it is to be initialised.
    Started {
        /// The generation.
        generation: Generation,
        /// Its process, where there is one.
        pid: Option<u32>,
    },
    /// A generation serves.
    Ready(Generation),
    /// The serving generation died or hung.
    Crashed(Generation, Arc<str>),
    /// A reload has begun. [`EventKind::Reloaded`] or [`EventKind::ReloadFailed`] ends it.
    Reloading {
        /// What serves, if something does.
        from: Option<Generation>,
    },
    /// A reload has ended well.
    Reloaded {
        /// What served when it began, if something did.
        from: Option<Generation>,
        /// What serves now.
        to: Generation,
        /// From its beginning.
        took: Duration,
    },
    /// A reload has failed. What served goes on or, after an exclusive reload, is
    /// launched again.
    ReloadFailed(Arc<str>),
    /// A generation died on probation; what served before it comes back.
    RolledBack(Generation),
    /// It is not tried again soon, since its circuit is open, or not until somebody
    /// asks: the state says which.
    Quarantined(Arc<str>),
    /// A spare is ready to take over.
    SpareReady(Generation),
    /// A generation that was on its way out is gone.
    Gone {
        /// The generation.
        generation: Generation,
        /// How its stop came about.
        how: Stopped,
        /// What its shutdown hook said, if it failed.
        hook: Option<Arc<str>>,
    },
    /// A start failed that was no reload: somebody's, a restart, or a spare's.
    AttemptFailed(Arc<str>),
    /// Nothing of it runs any more, as somebody asked.
    Stopped,
    /// The settings do not name it any more: its last event.
    Removed,
    /// The state changed.
    State(PluginState),
}
