//! The manager: one actor a host, which routes starts, reloads and stops to the
//! plugin actors. Status, events and connections are watched, never asked for.

mod actor;
mod config;
mod host;
pub mod messages;

pub use actor::PluginManager;
pub use config::{HostConfig, Interfaces, SettingsSource, Sourced, resolver};
pub use host::Host;
