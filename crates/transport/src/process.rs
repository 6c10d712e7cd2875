//! A plugin's process: started once, watched through a pidfd, killed as a tree.
//!
//! A task of its own owns each process (`watch`). The handle here only asks
//! and listens; when the last handle goes, the task kills the tree. Processes
//! that others started have tasks of their own (`foreign`).

use std::fmt;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Signal, pidfd_send_signal};
use tokio::sync::watch;

use crate::connection::Jolt;

mod direct;
mod foreign;
mod identify;
mod locate;
mod orphans;
mod spawn;
mod watch_task;

pub(crate) use identify::{descends_from, start_time};
pub use locate::{Launcher, LauncherSource};
pub(crate) use spawn::{Start, spawn};

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitStatus {
    /// It exited with this code.
    Code(i32),
    /// A signal ended it.
    Signal {
        /// The signal's number.
        signal: i32,
        /// Whether core was dumped.
        core: bool,
    },
    /// It is gone, and nobody could say how: something else in the node reaped
    /// it, or the launcher was killed.
    Unknown,
}

impl fmt::Display for ExitStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit code {code}"),
            Self::Signal { signal, .. } => {
                write!(f, "signal {signal}{}", signal_name(*signal))
            }
            Self::Unknown => f.write_str("exit status unknown"),
        }
    }
}

/// The names of the signals that end plugins, for people.
const fn signal_name(signal: i32) -> &'static str {
    match signal {
        2 => " SIGINT",
        4 => " SIGILL",
        6 => " SIGABRT",
        7 => " SIGBUS",
        8 => " SIGFPE",
        9 => " SIGKILL",
        11 => " SIGSEGV",
        13 => " SIGPIPE",
        15 => " SIGTERM",
        31 => " SIGSYS",
        _ => "",
    }
}

/// How far a process has come to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// It runs.
    Alive,
    /// Its main process is dead; descendants may still be dying.
    Dead(ExitStatus),
    /// The whole tree is gone, or what is left cannot be killed.
    Gone(ExitStatus),
}

/// A handle on a plugin's process.
#[derive(Debug, Clone)]
pub(crate) struct Process {
    /// None where a runner holds it.
    pid: Option<u32>,
    pidfd: Option<Arc<OwnedFd>>,
    phase: watch::Receiver<Phase>,
    /// Set to true to have the tree killed; dropping the last one does so too.
    kill: watch::Sender<bool>,
}

impl Process {
    pub(crate) const fn pid(&self) -> Option<u32> {
        self.pid
    }

    /// Waits for the main process's death.
    pub(crate) async fn died(&self) -> ExitStatus {
        self.reached(|phase| !matches!(phase, Phase::Alive)).await
    }

    /// Waits for the end of the whole tree.
    pub(crate) async fn gone(&self) -> ExitStatus {
        self.reached(|phase| matches!(phase, Phase::Gone(_))).await
    }

    pub(crate) async fn died_within(&self, limit: Duration) -> bool {
        tokio::time::timeout(limit, self.died()).await.is_ok()
    }

    pub(crate) async fn gone_within(&self, limit: Duration) -> bool {
        tokio::time::timeout(limit, self.gone()).await.is_ok()
    }

    async fn reached(&self, wanted: impl Fn(&Phase) -> bool) -> ExitStatus {
        match self.phase.clone().wait_for(|phase| wanted(phase)).await.as_deref() {
            Ok(Phase::Dead(status) | Phase::Gone(status)) => *status,
            // The owner is gone with its runtime, and the process with it.
            Ok(Phase::Alive) | Err(_) => ExitStatus::Unknown,
        }
    }

    /// Asks the main process to end, by SIGTERM. False where that cannot be.
    pub(crate) fn terminate(&self) -> bool {
        self.signal(Signal::TERM)
    }

    /// False where that cannot be.
    pub(crate) fn jolt(&self, jolt: Jolt) -> bool {
        self.signal(match jolt {
            Jolt::Kill => Signal::KILL,
            Jolt::Freeze => Signal::STOP,
            Jolt::Thaw => Signal::CONT,
        })
    }

    fn signal(&self, signal: Signal) -> bool {
        let pidfd = self.pidfd.as_ref();
        pidfd.is_some_and(|pidfd| pidfd_send_signal(pidfd.as_fd(), signal).is_ok())
    }

    /// Has the whole tree killed; returns at once.
    pub(crate) fn kill(&self) {
        self.kill.send_replace(true);
    }
}
