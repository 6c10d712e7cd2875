//! Plugins that somebody else starts: in a container, under another user, on
//! another machine.
//!
//! A [`Runner`] takes an [`Order`] and gives what it [`Started`]: the output,
//! and a [`Running`] process, which can be waited for and killed and says how
//! its addresses translate. All the rest,
//! handshake, TLS, broker, output, stopping, is as for a process of the host's
//! own.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use outrigger_types::Generation;
use tokio::io::AsyncRead;
use tokio_util::sync::CancellationToken;

use crate::connection::Connection;
use crate::driver::Driver;
use crate::error::LaunchError;
use crate::launch::{Starter, launch};
use crate::process::ExitStatus;
use crate::spec::{LaunchSpec, Program};
use crate::translate::Translate;

/// A stream of a plugin's output.
pub type OutputStream = Box<dyn AsyncRead + Send + Unpin>;

/// What a runner is to start.
#[derive(Debug, Clone)]
pub struct Order {
    /// The instance, for logs.
    pub plugin: String,
    /// Which launch of the instance this is.
    pub generation: Generation,
    /// The program as the host knows it.
    pub program: Program,
    /// Its first argument.
    pub name: String,
    /// Further arguments.
    pub arguments: Vec<String>,
    /// Every variable that the plugin must see, the protocol's among them.
    pub environment: Vec<(OsString, OsString)>,
    /// The working directory as the host knows it.
    pub working_directory: PathBuf,
    /// The directory for sockets, made by the host and removed by it. The runner
    /// makes it visible to the plugin; where its path is another one inside, the
    /// runner changes `PLUGIN_UNIX_SOCKET_DIR` (and `TMPDIR`) to that one.
    pub socket_directory: PathBuf,
}

/// Somebody who starts plugins.
#[async_trait]
pub trait Runner: fmt::Debug + Send + Sync + 'static {
    /// Starts what is ordered and returns once it runs. The host waits no longer
    /// than the start may take and then drops the future, which must leave
    /// nothing behind.
    ///
    /// # Errors
    ///
    /// Whatever keeps it from running; nothing is left of the attempt.
    async fn start(&self, order: Order) -> io::Result<Started>;

    /// The file of this machine that an order makes it execute. Only with one
    /// can a checksum be asked for.
    fn executable(&self, spec: &LaunchSpec) -> Option<PathBuf> {
        let _ = spec;
        None
    }
}

/// What a runner started.
pub struct Started {
    /// The process.
    pub running: Arc<dyn Running>,
    /// Its standard output, where the handshake line comes.
    pub stdout: OutputStream,
    /// Its standard error, where its log comes.
    pub stderr: OutputStream,
}

impl fmt::Debug for Started {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Started").field("running", &self.running).finish_non_exhaustive()
    }
}

/// A process that a runner started, or one that is attached to.
#[async_trait]
pub trait Running: fmt::Debug + Send + Sync + 'static {
    /// A process id, a container's, whatever names it.
    fn id(&self) -> String;

    /// Its name for logs and errors; need not be the only one of that name.
    fn name(&self) -> String {
        self.id()
    }

    /// Waits until it has ended. Dropped and called again at will.
    async fn wait(&self) -> ExitStatus;

    /// Kills it and cleans up after it. Called once more after it has ended by
    /// itself, and again at will.
    ///
    /// # Errors
    ///
    /// It may still be running. Gone already is no error.
    async fn kill(&self) -> io::Result<()>;

    /// What may help a person to find out why there was no good handshake;
    /// empty if nothing does.
    async fn diagnose(&self) -> String {
        String::new()
    }

    /// How its addresses translate; `None` if they are the host's.
    fn translation(&self) -> Option<Arc<dyn Translate>> {
        None
    }
}

/// Runs plugins through a [`Runner`].
#[derive(Debug, Clone)]
pub struct RunnerDriver {
    runner: Arc<dyn Runner>,
}

impl RunnerDriver {
    /// A driver that has `runner` start the plugins.
    #[must_use]
    pub fn new(runner: Arc<dyn Runner>) -> Self {
        Self { runner }
    }
}

#[async_trait]
impl Driver for RunnerDriver {
    async fn launch(
        &self,
        spec: LaunchSpec,
        cancel: CancellationToken,
    ) -> Result<Arc<dyn Connection>, LaunchError> {
        launch(Starter::Runner(self.runner.clone()), spec, cancel).await
    }
}
