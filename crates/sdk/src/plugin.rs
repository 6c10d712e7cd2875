//! The plugin: what it serves, and its life from the cookie to the end.

use std::convert::Infallible;
use std::future::Future;
use std::io::{self, Write as _};
use std::pin::pin;
use std::process::ExitCode;
use std::time::Duration;

use outrigger_transport::serve::{HostRequest, Listening};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::transport::Server;
use tower_service::Service;

use crate::cookie::Cookie;
use crate::error::Error;
use crate::host::HostWatch;
use crate::quorum;
use crate::routes::Routes;
use crate::services::{self, Health, Standard};

/// From the request to end until connections are cut. A host that got its
/// answer closes the connection well before; its streams never end by
/// themselves.
const FAREWELL: Duration = Duration::from_millis(50);

/// What a plugin without `version` speaks.
const FIRST_VERSION: u32 = 1;

/// A plugin to be: its cookie, its versions and its services.
#[derive(Debug)]
pub struct Plugin {
    cookie: Cookie,
    versions: Vec<u32>,
    routes: Routes,
    health: Health,
    descriptors: Vec<&'static [u8]>,
}

impl Plugin {
    /// A plugin whose host sets the environment variable `cookie_key` to
    /// `cookie_value`. Both come from the host's documentation, and neither may
    /// be empty.
    #[must_use]
    pub fn new(cookie_key: impl Into<String>, cookie_value: impl Into<String>) -> Self {
        let host = "another program".to_owned();
        Self {
            cookie: Cookie { key: cookie_key.into(), value: cookie_value.into(), host },
            versions: Vec::new(),
            routes: Routes::default(),
            health: Health::default(),
            descriptors: Vec::new(),
        }
    }

    /// A plugin of GoQuorum: its cookie, application protocol version 1.
    #[must_use]
    pub fn quorum() -> Self {
        Self::new(quorum::COOKIE_KEY, quorum::COOKIE_VALUE).made_for("GoQuorum")
    }

    /// Names the host, for the person who runs the plugin by hand.
    #[must_use]
    pub fn made_for(mut self, host: impl Into<String>) -> Self {
        self.cookie.host = host.into();
        self
    }

    /// Adds an application protocol version; without any it is 1. The highest
    /// that the host speaks too is agreed on, and without one the lowest, which
    /// the host refuses with a message that names both sides'.
    #[must_use]
    pub fn version(mut self, version: u32) -> Self {
        self.versions.push(version);
        self
    }

    /// Adds a service: one of this crate, or any that tonic generated. One of
    /// the same name replaces it, go-plugin's own services included.
    #[must_use]
    pub fn service<S>(mut self, service: S) -> Self
    where
        S: Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible>
            + NamedService
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send + 'static,
    {
        self.routes.add(service);
        self
    }

    /// Adds an encoded `google.protobuf.FileDescriptorSet` that describes
    /// services of yours, so that a tool which asks by gRPC reflection, such as
    /// grpcurl, can call them. Reflection names every service without it.
    #[must_use]
    pub fn descriptors(mut self, set: &'static [u8]) -> Self {
        self.descriptors.push(set);
        self
    }

    /// A handle on what the plugin reports as its health.
    #[must_use]
    pub fn health(&self) -> Health {
        self.health.clone()
    }

    /// The version to announce to `host`.
    #[must_use]
    pub fn choose_version(&self, host: &HostRequest) -> u32 {
        if self.versions.is_empty() {
            return host.choose_version(&[FIRST_VERSION]);
        }
        host.choose_version(&self.versions)
    }

    /// Serves until the host wants the plugin to end, or is dead. The last line
    /// of a plugin's `main`, or the last but its cleanup.
    ///
    /// It brings a runtime of one thread, and sends log and panics to the host
    /// ([`log::install`](crate::log::install)). SIGINT is ignored, since a
    /// Ctrl-C in the host's terminal goes to its plugins too; SIGTERM ends the
    /// plugin as a request of the host does. Calls that still run then are cut
    /// off after 50 ms.
    ///
    /// The code is 0 when the plugin served and ended as it should. It is 1
    /// when it did not serve; why is on standard error.
    #[must_use]
    pub fn run(self) -> ExitCode {
        if let Err(refusal) = self.cookie.check() {
            // For a person at a terminal, if it still exists.
            let _unread = writeln!(io::stderr(), "{refusal}");
            return ExitCode::FAILURE;
        }
        let host = HostWatch::start();
        crate::log::install();
        let served = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(Error::Runtime)
            .and_then(|runtime| {
                let served = runtime.block_on(self.serve_under(&host));
                // Nothing waits for a blocking call that goes on.
                runtime.shutdown_background();
                served
            });
        match served {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                tracing::error!("{error}");
                ExitCode::FAILURE
            }
        }
    }

    /// As [`run`](Self::run), on the current tokio runtime (with its I/O and
    /// time drivers), and without touching log and panics. When it returns, the
    /// host's connections are closed and the socket is gone.
    ///
    /// # Errors
    ///
    /// [`Error`]; the refusal of a wrong cookie among them, whose text is meant
    /// for a person and is to be printed as it is.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future cuts all connections and removes the socket.
    pub async fn serve(self) -> Result<(), Error> {
        self.cookie.check()?;
        let host = HostWatch::start();
        self.serve_under(&host).await
    }

    async fn serve_under(self, host: &HostWatch) -> Result<(), Error> {
        // Both before the line: the host may signal from then on.
        let mut terminate = handle(SignalKind::terminate())?;
        let _ignored = handle(SignalKind::interrupt())?;
        let request = HostRequest::from_environment();
        let listening = Listening::bind(&request, self.choose_version(&request))?;
        announce(listening.line()).map_err(Error::Announce)?;
        let end = async {
            tokio::select! {
                _ = terminate.recv() => {}
                () = host.gone() => {}
            }
        };
        self.serve_on(listening, end).await
    }

    /// Serves on a listener that is bound already, until `end` or the host's
    /// request. It reads no environment, prints no line, and touches no signal:
    /// for tests, and for whoever does these things differently.
    ///
    /// # Errors
    ///
    /// [`Error::Server`] and [`Error::Descriptors`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future cuts all connections and removes the socket.
    pub async fn serve_on(
        mut self,
        listening: Listening,
        end: impl Future<Output = ()>,
    ) -> Result<(), Error> {
        let ending = CancellationToken::new();
        let (health, end_asked) = (self.health, ending.clone());
        let standard = Standard { health, end: end_asked, descriptors: &self.descriptors };
        services::add_missing(&mut self.routes, standard)?;
        let incoming = listening.incoming();
        let _connections = incoming.guard();
        let stop = ending.clone().cancelled_owned();
        let serving = Server::builder().serve_with_incoming_shutdown(self.routes, incoming, stop);
        let mut serving = pin!(serving);
        tokio::select! {
            served = &mut serving => return Ok(served?),
            () = end => ending.cancel(),
            () = ending.cancelled() => {}
        }
        match tokio::time::timeout(FAREWELL, serving).await {
            Ok(served) => Ok(served?),
            // Streams that are still open; the guard cuts them.
            Err(_) => Ok(()),
        }
    }
}

fn handle(kind: SignalKind) -> Result<Signal, Error> {
    signal(kind).map_err(Error::Signals)
}

/// Writes the handshake line, all at once: the host takes the first piece of
/// output that ends for the whole line.
fn announce(line: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(format!("{line}\n").as_bytes())?;
    stdout.flush()
}
