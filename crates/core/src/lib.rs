//! Settings, lifecycle and actors: everything about plugins but the wire below
//! and the interfaces above.
//!
//! A plugin actor owns its child process and its connection; a manager actor
//! routes starts, reloads and stops. What an actor does is decided by a pure
//! function, the lifecycle. Calls never meet an actor: they find the live
//! connection through a [`Link`].
//!
//! This crate names no gateway. Whoever embeds it says what interfaces there
//! are ([`InterfaceSpec`]).

mod caught;
mod chaos;
mod crash;
mod error;
mod interface;
mod live;
mod logs;
mod mail;
pub mod manager;
pub mod metrics;
mod plugin;
pub mod settings;
mod source;
mod status;
mod system;

pub use chaos::{CallChaos, Chaos};
pub use crash::{CrashReport, Crashes};
pub use error::{HostError, PluginError, PluginErrorKind};
pub use interface::{InitialiseError, InitialiseRequest, Initialiser, InterfaceSpec};
pub use live::{
    Budget, CallLimits, Circuit, Counts, Entered, Link, Live, LostCalls, Passage, Probe, Traffic,
    Unavailable,
};
pub use logs::{LoggedLine, Logs};
pub use plugin::TlsFilesError;
pub use source::{PluginSource, RunsAs};
pub use status::{
    DryRun, EventKind, HostEvent, PluginState, PluginStatus, SecurityMode, StartTimings,
};
