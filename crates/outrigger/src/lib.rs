//! Outrigger: a host runtime for plugins that run as their own processes.
//!
//! A node builds a [`PluginHost`] in two phases. [`PluginHostBuilder::register`]
//! reads and checks the settings; it starts no process and uses no network, so
//! a node fails fast. [`Registered::start`] starts the plugins. From then on the
//! node's code holds gateway handles, which stay good across reloads and
//! restarts.
//!
//! ```no_run
//! use outrigger::helloworld::{self, Greeter as _};
//! use outrigger::PluginHost;
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let host = PluginHost::builder()
//!     .settings_url("file:///etc/node/plugins.json")
//!     .interface(helloworld::interface())
//!     .register()?
//!     .start()
//!     .await?;
//! let greeter = host.gateway::<helloworld::Handle>("helloworld")?;
//! println!("{}", greeter.greeting("world").await?);
//! host.reload("helloworld").await?;
//! host.stop(std::time::Duration::from_secs(15)).await?;
//! # Ok(())
//! # }
//! ```
//!
//! The first line of a plain `fn main` should be [`launcher_hook`]; then the
//! node's own executable holds its plugins' process trees. A node that keeps
//! `#[tokio::main]` ships the program `outrigger-launcher` beside it.

mod builder;
mod host;

pub use builder::{PluginHostBuilder, Registered};
pub use host::PluginHost;

pub use outrigger_core::settings::{self, Settings, SettingsError};
pub use outrigger_core::{
    EventKind, HostError, HostEvent, InitialiseError, InitialiseRequest, Initialiser,
    InterfaceSpec, Link, PluginError, PluginErrorKind, PluginSource, PluginState, PluginStatus,
    RunsAs, SecurityMode, StartTimings, TlsFilesError, Unavailable, manager,
};
pub use outrigger_gateways::{
    CallOptions, Caller, Gateway, GatewayError, Method, Outgoing, helloworld, initialiser,
};
pub use outrigger_launcher::hook as launcher_hook;
pub use outrigger_transport::{
    Address, AttachDriver, Connection, Containment, Cookie, Driver, Endpoint, ExitStatus, GivenTls,
    GivenTlsError, Health, LARGEST_MESSAGE, LaunchError, LaunchSpec, Order, Output, OutputStream,
    Program, Reattach, ReattachError, Rpc, Runner, RunnerDriver, Running, Security, Sink,
    Translate,
};
pub use outrigger_types::{
    ConfigSource, Generation, InstanceName, InterfaceName, Platform, PluginDefinition, PluginName,
    PluginVersion, RawConfig,
};

/// Verifying, packing and signing distributions.
pub mod distribution {
    pub use outrigger_discovery::*;
}

/// actix, in the version whose messages the manager and the gateway actors
/// take.
pub use actix;

#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
