//! The signals that end a host, and the ending.

use std::time::Duration;

use outrigger::PluginHost;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::failure::Failure;

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// SIGHUP: reload.
    Reload,
    /// SIGINT or SIGTERM.
    End,
}

/// From here on, the signals do not end the process by themselves.
pub(crate) struct Signals {
    hangup: Signal,
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// Listens from now on.
    pub(crate) fn new() -> Result<Self, Failure> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Waits for any of them.
    pub(crate) async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.hangup.recv() => Asked::Reload,
            _ = self.interrupt.recv() => Asked::End,
            _ = self.terminate.recv() => Asked::End,
        }
    }

    /// Waits for a signal that ends.
    pub(crate) async fn stop(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    /// Stops a host within `limit`; one more signal takes its patience.
    pub(crate) async fn stop_host(
        &mut self,
        host: PluginHost,
        limit: Duration,
    ) -> Result<(), Failure> {
        let hurry = CancellationToken::new();
        let stopping = host.stop_or(limit, hurry.clone());
        tokio::pin!(stopping);
        loop {
            tokio::select! {
                stopped = &mut stopping => return Ok(stopped?),
                () = self.stop(), if !hurry.is_cancelled() => hurry.cancel(),
            }
        }
    }
}
