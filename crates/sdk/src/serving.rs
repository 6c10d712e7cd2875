//! A plugin's life, from the host's request to the end.

use std::future::Future;
use std::io::{self, Write as _};
use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use outrigger_transport::Broker;
use outrigger_transport::serve::{HostRequest, Listening};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tonic::transport::Server;

use crate::error::Error;
use crate::host::HostWatch;
use crate::output::{Captured, Output, Tee};
use crate::plugin::{Hook, Plugin};
use crate::services::{self, Controller, Standard};

/// From the request to end until connections are cut. A host that got its
/// answer closes the connection well before; its streams never end by
/// themselves.
const FAREWELL: Duration = Duration::from_millis(50);

impl Plugin {
    pub(crate) async fn serve_under(
        self,
        host: &HostWatch,
        request: HostRequest,
    ) -> Result<(), Error> {
        // Both before the line: the host may signal from then on.
        let mut terminate = handle(SignalKind::terminate())?;
        let _ignored = handle(SignalKind::interrupt())?;
        let listening = self.listen(&request)?;
        print_line(listening.line()).map_err(Error::Announce)?;
        let output = Output::new();
        let captured = Captured::start(&output, self.capture.unwrap_or_default(), Tee::No);
        let end = async {
            tokio::select! {
                _ = terminate.recv() => {}
                () = host.gone() => {}
            }
        };
        self.serve_with(listening, end, output, captured).await
    }

    /// Serves on a listener that is bound already, until `end` or the host's
    /// request. It reads no environment, prints no line, and touches no signal
    /// and no output: for tests, and for whoever does these things differently.
    ///
    /// # Errors
    ///
    /// [`Error::Server`] and [`Error::Descriptors`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future cuts all connections and removes the socket.
    pub async fn serve_on(
        self,
        listening: Listening,
        end: impl Future<Output = ()>,
    ) -> Result<(), Error> {
        let output = Output::new();
        let captured = Captured::nothing(&output);
        self.serve_with(listening, end, output, captured).await
    }

    pub(crate) async fn serve_with(
        mut self,
        listening: Listening,
        end: impl Future<Output = ()>,
        output: Output,
        captured: Captured,
    ) -> Result<(), Error> {
        let (ending, stop) = (CancellationToken::new(), CancellationToken::new());
        let chosen = self.versions.remove(&listening.version()).unwrap_or_default();
        let mut routes = self.services.with(chosen);
        let failure = Arc::new(OnceLock::new());
        let (asked, answer) = (ending.clone(), stop.clone());
        let controller = Controller { ending: asked, answer, failure: failure.clone() };
        let (health, broker, descriptors) = (self.health, &self.broker, &self.descriptors);
        let standard = Standard { health, controller, output, broker, descriptors };
        services::add_missing(&mut routes, standard)?;
        let incoming = listening.incoming_with(broker);
        let _connections = incoming.guard();
        let broker = CloseOnDrop(broker.clone());
        let stopped = stop.clone().cancelled_owned();
        let serving = Server::builder().serve_with_incoming_shutdown(routes, incoming, stopped);
        let mut serving = pin!(serving);
        tokio::select! {
            served = &mut serving => return Ok(served?),
            () = end => {}
            () = ending.cancelled() => {}
        }
        if let Some(Hook(hook)) = self.hook.take() {
            tokio::select! {
                served = &mut serving => return Ok(served?),
                done = hook => if let Err(text) = done {
                    failure.get_or_init(|| text);
                },
            }
        }
        // Before the answer to a host that asked: it may close the connection.
        captured.finish().await;
        drop(broker);
        stop.cancel();
        match tokio::time::timeout(FAREWELL, serving).await {
            Ok(served) => Ok(served?),
            // Streams that are still open; the guard cuts them.
            Err(_) => Ok(()),
        }
    }
}

/// Ends what services still do over the broker, and its sockets, with the plugin.
struct CloseOnDrop(Broker);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        self.0.close();
    }
}

pub(crate) fn handle(kind: SignalKind) -> Result<Signal, Error> {
    signal(kind).map_err(Error::Signals)
}

/// Writes a line to standard output, all at once: a host takes the first piece
/// of output that ends for the whole line.
pub(crate) fn print_line(line: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(format!("{line}\n").as_bytes())?;
    stdout.flush()
}
