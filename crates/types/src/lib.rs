//! Outrigger's vocabulary: parsed names, versions, digests and opaque
//! configuration. Nothing here touches a file, a socket or a clock, so every
//! other crate can share these types without sharing anything else.

mod config;
mod definition;
mod digest;
pub mod failpoint;
mod generation;
mod go_json;
mod name;
mod platform;
mod precedence;

pub use config::{ConfigSource, RawConfig};
pub use definition::PluginDefinition;
pub use digest::{DigestError, Sha256Digest};
pub use generation::Generation;
pub use go_json::{GoJsonError, GoValue, go_json};
pub use name::{InstanceName, InterfaceName, NameError, PluginName, PluginVersion};
pub use platform::Platform;
