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
//! # Plugins of any host's
//!
//! [`InterfaceSpec`] says what a plugin interface is: its cookie, the protocol
//! versions that the node's gateways speak, how its plugins are initialised, how
//! connections are secured ([`Security`]), how large a message may be. A gateway
//! sees the version of each call ([`Outgoing::version`]) and uses the services
//! that belong to it. `examples/own_interface` is an interface of a node's own;
//! `examples/kv` is one with two versions, without an initialiser, whose plugins
//! call back.
//!
//! # Connections beside the main one
//!
//! Host and plugin can serve each other further services over the [`Broker`]
//! that comes with a plugin's connection, [`Rpc::broker`]. Serve a service that
//! tonic generated, and send the id in a message of the interface's own; or dial
//! an id that the plugin sent:
//!
//! ```no_run
//! # use outrigger::{BrokerError, Rpc};
//! # async fn watch(rpc: Rpc, observer: tonic::service::Routes) -> Result<(), BrokerError> {
//! let broker = rpc.broker().ok_or(BrokerError::NotServed)?;
//! let observed = broker.serve(observer).await?; // ends when it is dropped
//! let id: u32 = observed.id(); // for the plugin, in a message
//! # let id_of_the_plugin = 1;
//! let other: Rpc = broker.dial(id_of_the_plugin).await?; // for a generated client
//! # Ok(())
//! # }
//! ```
//!
//! A broker ends with its generation: after a reload or a restart ([`Link::generation`])
//! there is another one.
//!
//! # Other ways to run a plugin
//!
//! | builder | the instance is |
//! | --- | --- |
//! | [`develop`](PluginHostBuilder::develop) | run from an unsigned directory, where nothing is verified |
//! | [`attach`](PluginHostBuilder::attach) | one that runs already, such as in a debugger; also by the variable `OUTRIGGER_REATTACH_PLUGINS` |
//! | [`runner`](PluginHostBuilder::runner) | started by somebody else: a [`Runner`] of the node's own |
//! | [`source`](PluginHostBuilder::source) | run by a [`Driver`] of the node's own |
//!
//! [`output`](PluginHostBuilder::output) gives the node exact copies of what an
//! instance prints, beside the log.
//!
//! # The launcher
//!
//! The first line of a plain `fn main` should be [`launcher_hook`]; then the
//! node's own executable holds its plugins' process trees. A node that keeps
//! `#[tokio::main]` ships the program `outrigger-launcher` beside it.
//!
//! # Features
//!
//! All are on by default.
//!
//! | feature | adds | without it |
//! | --- | --- | --- |
//! | `openpgp` | verifying, making and checking signatures of distributions | [`register`](PluginHostBuilder::register) fails where a signature would be needed ([`HostError::Lacking`]), and nothing that is unsigned is let pass |
//! | `central` | fetching from a plugin central over HTTP | settings that name a central are refused |
//! | `opentelemetry` | traces over OTLP, `telemetry` | calls carry no trace |

mod builder;
mod following;
mod host;
mod trust;

pub use builder::{PluginHostBuilder, Registered};
pub use following::Following;
pub use host::PluginHost;

#[cfg(feature = "central")]
pub use outrigger_central::{Download, Template as PathTemplate};
pub use outrigger_core::manager::{Applied, Reloaded, Remote, WatchSettings};
pub use outrigger_core::settings::{self, Settings, SettingsError};
pub use outrigger_core::{
    Chaos, CrashReport, Crashes, DryRun, EventKind, HostError, HostEvent, InitialiseError,
    InitialiseRequest, Initialiser, InterfaceSpec, Link, LoggedLine, Logs, LostCalls, PluginError,
    PluginErrorKind, PluginSource, PluginState, PluginStatus, RunsAs, SecurityMode, StartTimings,
    TlsFilesError, Traffic, Unavailable, manager, metrics,
};
pub use outrigger_gateways::{
    CallOptions, Caller, Gateway, GatewayError, Method, Outgoing, account, helloworld, initialiser,
    qlight, security,
};
pub use outrigger_launcher::hook as launcher_hook;
#[cfg(feature = "opentelemetry")]
pub use outrigger_telemetry as telemetry;
pub use outrigger_transport::{
    Address, AttachDriver, Broker, BrokerError, Brokered, Connection, Containment, Cookie, Driver,
    Endpoint, ExitStatus, GivenTls, GivenTlsError, Health, LARGEST_MESSAGE, LaunchError,
    LaunchSpec, LineSink, LogLine, Order, Output, OutputStream, OwnMetrics, Program, Reattach,
    ReattachError, Rpc, Runner, RunnerDriver, Running, Security, Sink, Started, Stopped, Translate,
};
pub use outrigger_types::{
    ConfigSource, Generation, InstanceName, InterfaceName, Platform, PluginDefinition, PluginName,
    PluginVersion, RawConfig,
};

/// Verifying, packing and signing distributions.
pub mod distribution {
    pub use outrigger_discovery::*;
}

/// Looking at what a host would find on this machine, without starting one.
pub mod diagnosis {
    pub use outrigger_launcher::landlock_abi;
    pub use outrigger_transport::{Launcher, LauncherSource, RunRoot, RunRootError, missing_part};
}

/// actix, in the version whose messages the manager and the gateway actors
/// take.
pub use actix;

#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
