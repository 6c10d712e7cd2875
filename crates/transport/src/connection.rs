//! The live link to one generation.

use std::fmt;
use std::fs::File;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use outrigger_types::failpoint;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use crate::attach::Reattach;
use crate::broker::{Broker, LinkOwner};
use crate::control::{self, Health, Heard, OwnMetrics};
use crate::process::{ExitStatus, Process};
use crate::rpc::{Endpoint, Rpc};
use crate::run_directory::RunDirectory;
use crate::spec::StopLadder;
use crate::stdio::{Drain, Tail};

/// After a death, how long output that is still in the pipes is waited for. A
/// descendant may hold them open for ever.
const PIPE_GRACE: Duration = Duration::from_millis(100);

/// After a plugin was asked to end, how long its stdio stream is left to end by
/// itself. A plugin that ends gracefully may wait for its streams.
const STDIO_GRACE: Duration = Duration::from_millis(100);

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
    /// It is its own master, as a plugin in test mode is, and runs on.
    LeftAlone,
}

/// What can be done to a process on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Jolt {
    /// SIGKILL.
    Kill,
    /// SIGSTOP.
    Freeze,
    /// SIGCONT.
    Thaw,
}

/// How far a host can contain a plugin's processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Containment {
    /// A launcher holds the whole tree, and kills it when the host is gone.
    Tree,
    /// No launcher was found: the plugin is a plain child.
    Child,
    /// Somebody else holds the process: a runner, or whoever started what is
    /// attached to.
    Elsewhere,
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
    /// The certificate that it made for itself, in DER; where certificates were given,
    /// the host's own. `None` without TLS, and where another host began it.
    pub certificate: Option<Arc<[u8]>>,
}

/// The live link to one generation. Dropping it kills the generation's tree,
/// unless the process was attached to.
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

    /// Its own metrics; `None` where it did not answer within `timeout`.
    async fn own_metrics(&self, timeout: Duration) -> Option<OwnMetrics> {
        let _at_once = timeout;
        Some(OwnMetrics::None)
    }

    /// Stops it by the ladder and cleans up after it. May be called again.
    async fn stop(&self, ladder: StopLadder) -> Stopped;

    /// After a stop: what its shutdown hook said, if that failed.
    fn hook_failure(&self) -> Option<String> {
        None
    }

    /// Kills it without asking and cleans up after it.
    async fn kill(&self) -> Stopped;

    /// Does something to its main process on purpose, and to no other that has its
    /// number now. False where there is none, or none of this host's.
    fn jolt(&self, _: Jolt) -> bool {
        false
    }

    /// What another host needs to attach to it, or this one later; `None` where
    /// there is no process.
    fn reattach(&self) -> Option<Reattach> {
        None
    }
}

/// The link to a plugin process.
pub(crate) struct ProcessConnection {
    pub(crate) plugin: Arc<str>,
    pub(crate) rpc: Rpc,
    /// None where the process was attached to.
    pub(crate) link: Option<LiveLink>,
    pub(crate) process: Process,
    pub(crate) ownership: Ownership,
    pub(crate) info: ConnectionInfo,
    pub(crate) tail: Tail,
    pub(crate) output: Drains,
    /// None where the process was attached to.
    pub(crate) directory: Option<RunDirectory>,
    /// None where it cannot be attached to.
    pub(crate) reattach: Option<Reattach>,
    /// What its shutdown hook said, if that failed.
    pub(crate) hook: OnceLock<String>,
    /// What must outlive the process: the unpacked tree, the open file of a
    /// checked program.
    pub(crate) _keep: (Option<Arc<dyn Send + Sync>>, Option<File>),
}

/// What a connection holds beside its channel: the broker, and the multiplexed
/// session.
#[derive(Debug)]
pub(crate) struct LiveLink {
    broker: Option<Broker>,
    _owner: LinkOwner,
    _ends_with_process: AbortOnDropHandle<()>,
}

impl LiveLink {
    /// Ends what is brokered with the process: a descendant may hold its
    /// connection.
    pub(crate) fn new(rpc: &Rpc, owner: LinkOwner, process: Process) -> Self {
        let broker = rpc.broker().cloned();
        let ending = broker.clone();
        let ends = tokio::spawn(async move {
            process.died().await;
            if let Some(broker) = ending {
                broker.close();
            }
        });
        Self { broker, _owner: owner, _ends_with_process: AbortOnDropHandle::new(ends) }
    }

    fn close_broker(&self) {
        if let Some(broker) = &self.broker {
            broker.close();
        }
    }
}

/// Whose a process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ownership {
    /// It was started here and ends with its connection.
    Ours,
    /// It was attached to, and ends when it is stopped.
    Attached,
    /// It was attached to in test mode, and is not stopped.
    ItsOwn,
}

/// The tasks that drain a generation's output.
#[derive(Debug)]
pub(crate) struct Drains {
    /// Standard error, then standard output; none of a process that was
    /// attached to.
    pub(crate) pipes: Vec<Drain>,
    /// The stdio stream.
    pub(crate) stdio: Drain,
}

impl fmt::Debug for ProcessConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProcessConnection").field("info", &self.info).finish_non_exhaustive()
    }
}

impl ProcessConnection {
    /// Asks, then insists: each step has its time.
    async fn climb(&self, ladder: StopLadder) -> Stopped {
        let _nothing_to_fail = failpoint::fails("stop.climb");
        let process = &self.process;
        if process.died_within(Duration::ZERO).await {
            return Stopped::AlreadyDead;
        }
        tokio::select! {
            biased;
            _ = process.died() => return Stopped::Graceful,
            () = self.let_streams_go() => {}
            () = self.ask(ladder.shutdown) => {}
        }
        if process.died_within(Duration::ZERO).await {
            return Stopped::Graceful;
        }
        if process.terminate() && process.died_within(ladder.terminate).await {
            return Stopped::Terminated;
        }
        process.kill();
        if process.died_within(ladder.kill).await { Stopped::Killed } else { Stopped::GivenUp }
    }

    /// Asks it to end; returns when it will not.
    async fn ask(&self, within: Duration) {
        let asked = Instant::now();
        let heard = control::shutdown(self.rpc.clone(), within).await;
        if let Heard::HookFailed(complaint) = &heard {
            self.hook.get_or_init(|| complaint.clone());
        }
        if heard != Heard::No {
            let left = within.saturating_sub(asked.elapsed());
            self.process.died_within(left).await;
        }
    }

    /// A plugin that ends gracefully waits for its streams, and the host's part
    /// of them never ends by itself.
    async fn let_streams_go(&self) {
        self.output.stdio.ended_within(STDIO_GRACE).await;
        self.output.stdio.finish();
        if let Some(link) = &self.link {
            link.close_broker();
        }
        std::future::pending().await
    }

    /// Takes down what outlived the main process, and the run directory.
    async fn clean(&self) {
        let _nothing_to_fail = failpoint::fails("stop.clean");
        self.process.kill();
        if !self.process.gone_within(crate::launch::GONE_LIMIT).await {
            let plugin = &*self.plugin;
            tracing::warn!(
                plugin,
                pid = self.process.pid(),
                "processes of a plugin cannot be killed"
            );
        }
        let Drains { pipes, stdio } = &self.output;
        tokio::join!(self.stderr_read(), stdio.ended_within(PIPE_GRACE));
        // A descendant that got away may hold the pipes for ever.
        for drain in pipes.iter().chain([stdio]) {
            drain.finish();
        }
        if let Some(link) = &self.link {
            link.close_broker();
        }
        if let Some(directory) = &self.directory {
            directory.remove().await;
        }
    }

    /// Waits for the end of standard error, not for ever.
    async fn stderr_read(&self) {
        if let Some(stderr) = self.output.pipes.first() {
            stderr.ended_within(PIPE_GRACE).await;
        }
    }
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
        self.stderr_read().await;
        status
    }

    fn last_words(&self) -> String {
        self.tail.text()
    }

    async fn health(&self, timeout: Duration) -> Health {
        tokio::select! {
            biased;
            // A descendant may still hold its connection.
            _ = self.process.died() => Health::Unreachable,
            health = control::health(self.rpc.clone(), timeout) => health,
        }
    }

    async fn own_metrics(&self, timeout: Duration) -> Option<OwnMetrics> {
        control::own_metrics(self.rpc.clone(), timeout).await
    }

    async fn stop(&self, ladder: StopLadder) -> Stopped {
        if self.ownership == Ownership::ItsOwn {
            return Stopped::LeftAlone;
        }
        let stopped = self.climb(ladder).await;
        self.clean().await;
        stopped
    }

    async fn kill(&self) -> Stopped {
        if self.ownership == Ownership::ItsOwn {
            return Stopped::LeftAlone;
        }
        let dead = self.process.died_within(Duration::ZERO).await;
        self.clean().await;
        if dead { Stopped::AlreadyDead } else { Stopped::Killed }
    }

    fn hook_failure(&self) -> Option<String> {
        self.hook.get().cloned()
    }

    fn jolt(&self, jolt: Jolt) -> bool {
        self.ownership != Ownership::ItsOwn && self.process.jolt(jolt)
    }

    fn reattach(&self) -> Option<Reattach> {
        self.reattach.clone()
    }
}
