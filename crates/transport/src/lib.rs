//! From a verified program to a connection that calls can use, and back: launch,
//! handshake, identity, pinned TLS, stdio, health, shutdown, death.
//!
//! The seam is [`Driver`]: it launches a [`LaunchSpec`] and gives a
//! [`Connection`]. [`ProcessDriver`] is the one that starts processes and
//! speaks go-plugin's protocol, core version 1, over gRPC with mutual TLS.
//! [`serve`] is the other side of the wire, for the SDK, and [`Broker`] is both
//! sides' connections beside the main one.
//!
//! There is no actor here, no settings file and no distribution: the crate
//! above turns those into a [`LaunchSpec`].

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
compile_error!(
    "outrigger-transport is built and tested on Linux x86-64; elsewhere pidfd, memfd seals and \
     the launcher are missing"
);

mod accept;
mod attach;
mod broker;
mod checksum;
mod connection;
mod connector;
mod control;
mod diagnosis;
mod driver;
mod environment;
mod error;
mod group;
mod handshake;
mod identity;
mod image;
mod launch;
mod logs;
mod mux;
mod process;
mod provider;
mod rpc;
mod run_directory;
mod run_root;
mod runner;
mod security;
mod settled;
mod sockets;
mod spec;
mod stdio;
mod sys;
#[cfg(test)]
mod testing;
mod tls;
mod translate;

pub mod serve;
pub mod trace;

/// What the benches measure from within; no part of the API.
#[cfg(feature = "measure")]
#[doc(hidden)]
pub mod measure {
    /// Reads a piece of a plugin's log and logs its lines.
    pub fn read_log(plugin: &str, bytes: &[u8]) {
        let mut lines = crate::stdio::Lines::new(crate::stdio::Reading::log());
        let origin = crate::spec::Origin { plugin: plugin.to_owned(), ..Default::default() };
        lines.push(bytes, |line| crate::stdio::log(&origin, line, None));
    }
}

pub use attach::{AttachDriver, Handover, Reattach, ReattachError};
pub use broker::{Broker, BrokerError, Brokered};
pub use connection::{Connection, ConnectionInfo, Containment, Jolt, LaunchTimings, Stopped};
pub use control::{Health, OwnMetrics};
pub use diagnosis::missing_part;
pub use driver::{Driver, ProcessDriver};
pub use error::{ConnectError, Evidence, LaunchError};
pub use handshake::{Address, HandshakeError, HandshakeLine, Offer};
pub use identity::{Identity, IdentityError};
pub use image::Image;
pub use logs::LogLine;
pub use process::{ExitStatus, Launcher, LauncherSource};
pub use rpc::{Endpoint, Rpc};
pub use run_root::{RunRoot, RunRootError};
pub use runner::{Order, OutputStream, Runner, RunnerDriver, Running, Started};
pub use security::{GivenTls, GivenTlsError, Security};
pub use spec::{
    Cookie, Environment, LARGEST_MESSAGE, LaunchSpec, LineSink, Output, PORTS, Program, Sink,
    StopLadder,
};
pub use translate::Translate;
