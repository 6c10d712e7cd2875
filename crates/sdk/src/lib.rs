//! Serve a Rust implementation as a plugin, under any host that speaks
//! HashiCorp's go-plugin protocol: Outrigger, GoQuorum, or a Go program of your
//! own.
//!
//! A plugin is a program with a `main` like this one:
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! use outrigger_sdk::{Plugin, Status, quorum};
//!
//! struct Polite;
//!
//! impl quorum::Initialiser for Polite {
//!     async fn init(&self, _identity: &str, _config: &[u8]) -> Result<(), Status> {
//!         Ok(())
//!     }
//! }
//!
//! impl quorum::Greeter for Polite {
//!     async fn greeting(&self, msg: &str) -> Result<String, Status> {
//!         Ok(format!("Good day, {msg}."))
//!     }
//! }
//!
//! fn main() -> ExitCode {
//!     Plugin::quorum()
//!         .service(quorum::initialiser(Polite))
//!         .service(quorum::greeter(Polite))
//!         .run()
//! }
//! ```
//!
//! [`Plugin::run`] does what a host expects: it checks the magic cookie, agrees
//! on a protocol version, listens, makes an identity for mutual TLS, prints the
//! handshake line, serves go-plugin's own services beside yours, and ends when
//! the host asks for it or dies. `examples/hello_world.rs` is a whole plugin to
//! start from.
//!
//! # Three things to know
//!
//! - **What is printed goes to the host.** After the handshake line, whatever
//!   writes to standard output, a library in C too, reaches the host's own
//!   output by go-plugin's stdio stream ([`Plugin::capture`]); nothing that
//!   prints waits for the host to read it. What is printed before the line
//!   delays the start, or prevents it. Log with `tracing`: [`log`] carries it
//!   to the host.
//! - **`run` uses one thread.** A call that computes for long belongs into
//!   `tokio::task::spawn_blocking`; or build a runtime of your own and use
//!   [`Plugin::serve`].
//! - **What the host asked for is nobody else's.** `run` takes the protocol's
//!   variables out of the environment, so call it before you start threads; or
//!   [`scrub`] the commands of your children.
//!
//! # Versions
//!
//! [`Plugin::version_with`] gives each application protocol version services of
//! its own. The host's list decides which one is served.
//!
//! # The broker
//!
//! [`Plugin::broker`] makes connections beside the main one. The application's
//! own messages carry their ids. A service that hands out a service of its own,
//! and calls the host back:
//!
//! ```
//! # use outrigger_sdk::{Broker, BrokerError, Brokered, Status, quorum};
//! # use outrigger_proto::quorum::plugin_greeting_client::PluginGreetingClient;
//! # use outrigger_proto::quorum::plugin_hello_world::Request;
//! # struct Greeter;
//! # impl quorum::Greeter for Greeter {
//! #     async fn greeting(&self, msg: &str) -> Result<String, Status> {
//! #         Ok(msg.to_owned())
//! #     }
//! # }
//! struct Door {
//!     broker: Broker,
//! }
//!
//! impl Door {
//!     /// The host dials the id. The service ends when `Brokered` is dropped.
//!     async fn hand_out(&self) -> Result<Brokered, BrokerError> {
//!         self.broker.serve(quorum::greeter(Greeter)).await
//!     }
//!
//!     /// `id` came from the host, which serves a greeter under it.
//!     async fn call_back(&self, id: u32) -> Result<String, Status> {
//!         let host = self.broker.dial(id).await.map_err(|e| Status::unavailable(e.to_string()))?;
//!         let largest = host.largest_message();
//!         let mut host = PluginGreetingClient::new(host).max_decoding_message_size(largest);
//!         Ok(host.greeting(Request { msg: "Ahoy".into() }).await?.into_inner().msg)
//!     }
//! }
//! ```
//!
//! Whether the connections are sockets of their own or streams of one is the
//! host's choice (`PLUGIN_MULTIPLEX_GRPC`), and nothing changes for the service.
//!
//! # Test mode
//!
//! [`Plugin::run_in_test_mode`] serves without a host, for a debugger:
//!
//! ```text
//! $ hello_world --debug
//! {"helloworld":{"Protocol":"grpc","ProtocolVersion":1,"Pid":4711,"Test":true,"Addr":{…}}}
//! ```
//!
//! A host that finds this line in its variable `OUTRIGGER_REATTACH_PLUGINS`
//! attaches to the plugin instead of starting one, and never ends it.
//! [`Plugin::serve_in_test_mode`] is the same within a test.

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
compile_error!(
    "outrigger-sdk is built and tested on Linux x86-64; elsewhere pidfd is missing, by which a \
     plugin sees its host die"
);

mod cookie;
mod environment;
mod error;
mod host;
mod output;
mod plugin;
mod routes;
mod services;
mod serving;
mod set;
mod stderr;
mod sys;
mod test_mode;
#[cfg(feature = "opentelemetry")]
mod traces;

pub mod log;
pub mod quorum;

pub use cookie::CookieError;
pub use environment::scrub;
pub use error::Error;
pub use host::HostWatch;
pub use output::Capture;
pub use outrigger_transport::serve::{HostRequest, Listen, Listening, Ports, ServeError};
pub use outrigger_transport::{
    Broker, BrokerError, Brokered, GivenTls, GivenTlsError, Reattach, Rpc,
};
pub use plugin::Plugin;
pub use services::Health;
pub use set::ServiceSet;
pub use test_mode::TestServing;
pub use tonic::{Code, Status};
