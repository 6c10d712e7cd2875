//! The manager: one actor a host, which routes starts, reloads and stops to the
//! plugin actors. Status, events and connections are watched, never asked for.

mod actor;
mod apply;
mod config;
mod disturb;
mod factory;
mod gate;
mod ground;
mod host;
pub mod messages;
mod observe;
mod plan;
mod registry;
mod reload;
mod remote;
mod together;
mod watching;

pub use actor::PluginManager;
pub use config::{HostConfig, Interfaces, SettingsSource, Sourced, resolver};
pub use ground::{MakeTrust, Trust};
pub use host::Host;
pub use plan::{Applied, Reloaded};
pub use registry::Lookup;
pub use remote::Remote;
pub use watching::{WatchSettings, digest_of};
