//! The live link to one generation.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tempfile::TempDir;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use crate::control::{self, Health, Heard};
use crate::process::{ExitStatus, Process};
use crate::rpc::{Endpoint, Rpc};
use crate::spec::StopLadder;
use crate::stdio::Tail;

/// After a death, how long output that is still in the pipes is waited for. A
/// descendant may hold them open for ever.
const PIPE_GRACE: Duration = Duration::from_millis(100);

/// How the last step of a stop came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// It had ended before.
    AlreadyDead,
    /// It ended when it was asked to.
    Graceful,
    /// It ended on SIGTERM.
    Terminated,
    /// It had to be killed.
    Killed,
    /// It cannot be killed; nobody waits for it any longer.
    GivenUp,
}

/// How far a host can contain a plugin's processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Containment {
    /// A launcher holds the whole tree, and kills it when the host is gone.
    Tree,
    /// No launcher was found: the plugin is a plain child.
    Child,
    /// There is no process.
    None,
}

/// What each part of a launch took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LaunchTimings {
    /// Identity, launcher and exec.
    pub spawn: Duration,
    /// From the exec to the handshake line.
    pub line: Duration,
    /// Socket, TLS and HTTP/2.
    pub connect: Duration,
}

/// Facts about a generation that do not change while it lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionInfo {
    /// The process; `None` where there is none.
    pub pid: Option<u32>,
    /// The application protocol version that the plugin chose.
    pub app_version: u32,
    /// How far its processes are contained.
    pub containment: Containment,
    /// What its launch took.
    pub timings: LaunchTimings,
}

/// The live link to one generation. Dropping it kills the generation's tree.
#[async_trait]
pub trait Connection: fmt::Debug + Send + Sync + 'static {
    /// How calls reach it.
    fn endpoint(&self) -> Endpoint;

    /// What does not change.
    fn info(&self) -> ConnectionInfo;

    /// Waits for its death.
    async fn died(&self) -> ExitStatus;

    /// The end of its standard error, on one line.
    fn last_words(&self) -> String;

    /// Asks for its health once, within `timeout`.
    async fn health(&self, timeout: Duration) -> Health;

    /// Stops it by the ladder and cleans up after it. May be called again.
    async fn stop(&self, ladder: StopLadder) -> Stopped;

    /// Kills it without asking and cleans up after it.
    async fn kill(&self) -> Stopped;
}

/// The link to a plugin process.
pub(crate) struct ProcessConnection {
    pub(crate) rpc: Rpc,
    pub(crate) process: Process,
    pub(crate) info: ConnectionInfo,
    pub(crate) tail: Tail,
    pub(crate) stderr: tokio::sync::watch::Receiver<bool>,
    /// Drain standard output and standard error.
    pub(crate) drains: Vec<AbortOnDropHandle<()>>,
    /// Drains the stdio stream.
    pub(crate) stdio: AbortOnDropHandle<()>,
    pub(crate) directory: RunDirectory,
    /// The unpacked tree lives as long as the process that runs from it.
    pub(crate) _keep: Option<Arc<dyn Send + Sync>>,
}

impl fmt::Debug for ProcessConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProcessConnection").field("info", &self.info).finish_non_exhaustive()
    }
}

impl ProcessConnection {
    /// Asks, then insists: each step has its time.
    async fn climb(&self, ladder: StopLadder) -> Stopped {
        let process = &self.process;
        if process.died_within(Duration::ZERO).await {
            return Stopped::AlreadyDead;
        }
        let asked = Instant::now();
        let heard = tokio::select! {
            heard = control::shutdown(self.rpc.clone(), ladder.shutdown) => heard,
            _ = process.died() => return Stopped::Graceful,
        };
        // A plugin that ends gracefully waits for its streams, and this one
        // never ends by itself.
        self.stdio.abort();
        let left = ladder.shutdown.saturating_sub(asked.elapsed());
        if heard == Heard::Yes && process.died_within(left).await {
            return Stopped::Graceful;
        }
        if process.terminate().is_ok() && process.died_within(ladder.terminate).await {
            return Stopped::Terminated;
        }
        process.kill();
        if process.died_within(ladder.kill).await { Stopped::Killed } else { Stopped::GivenUp }
    }

    /// Takes down what outlived the main process, and the run directory.
    async fn clean(&self) {
        self.process.kill();
        if !self.process.gone_within(crate::launch::GONE_LIMIT).await {
            tracing::warn!(pid = self.process.pid(), "processes of a plugin cannot be killed");
        }
        let _grace = tokio::time::timeout(PIPE_GRACE, drained(&self.stderr)).await;
        for drain in self.drains.iter().chain([&self.stdio]) {
            drain.abort();
        }
        self.directory.remove().await;
    }
}

/// Waits until standard error is read to its end.
pub(crate) async fn drained(stderr: &tokio::sync::watch::Receiver<bool>) {
    let mut stderr = stderr.clone();
    let _ended = stderr.wait_for(|ended| *ended).await;
}

#[async_trait]
impl Connection for ProcessConnection {
    fn endpoint(&self) -> Endpoint {
        Endpoint::Rpc(self.rpc.clone())
    }

    fn info(&self) -> ConnectionInfo {
        self.info.clone()
    }

    async fn died(&self) -> ExitStatus {
        let status = self.process.died().await;
        let _grace = tokio::time::timeout(PIPE_GRACE, drained(&self.stderr)).await;
        status
    }

    fn last_words(&self) -> String {
        self.tail.text()
    }

    async fn health(&self, timeout: Duration) -> Health {
        control::health(self.rpc.clone(), timeout).await
    }

    async fn stop(&self, ladder: StopLadder) -> Stopped {
        let stopped = self.climb(ladder).await;
        self.clean().await;
        stopped
    }

    async fn kill(&self) -> Stopped {
        let dead = self.process.died_within(Duration::ZERO).await;
        self.clean().await;
        if dead { Stopped::AlreadyDead } else { Stopped::Killed }
    }
}

/// The private directory of one generation, for its sockets and temporary
/// files.
#[derive(Debug)]
pub(crate) struct RunDirectory(std::sync::Mutex<Option<TempDir>>, PathBuf);

impl RunDirectory {
    pub(crate) fn new(directory: TempDir) -> Self {
        let path = directory.path().to_owned();
        Self(std::sync::Mutex::new(Some(directory)), path)
    }

    pub(crate) fn path(&self) -> &std::path::Path {
        &self.1
    }

    /// Removes it with whatever the plugin left there.
    pub(crate) async fn remove(&self) {
        let taken = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        let Some(directory) = taken else { return };
        let removed = tokio::task::spawn_blocking(move || directory.close()).await;
        if let Ok(Err(error)) = removed {
            tracing::warn!(path = %self.1.display(), %error, "a run directory could not be removed");
        }
    }
}
