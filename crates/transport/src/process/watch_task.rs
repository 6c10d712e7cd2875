//! The task that owns a process: sees its death, kills its tree, reaps it.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::ExitStatusExt as _;
use std::sync::Arc;
use std::time::Duration;

use outrigger_launcher::{Command, End, Inbox, Outgoing, Received, Report, SWEEP_DEADLINE};
use rustix::process::{Signal, pidfd_send_signal};
use tokio::io::unix::AsyncFd;
use tokio::sync::watch;
use tokio::time::timeout;

use super::orphans::Reaped;
use super::{ExitStatus, Phase, direct};
use crate::sys;

/// The launcher sees the death at the same moment as we do; its report is here
/// within microseconds unless it is stopped or gone.
const STATUS_LIMIT: Duration = Duration::from_millis(50);

/// The sweep's own deadline and some air.
const SWEEP_LIMIT: Duration = SWEEP_DEADLINE.saturating_add(Duration::from_millis(500));

/// For the launcher to end once it is killed.
const REAP_LIMIT: Duration = Duration::from_millis(500);

/// What holds the process.
#[derive(Debug)]
pub(super) enum Owner {
    Launcher { child: Reaped, pidfd: OwnedFd, control: OwnedFd },
    Direct { child: Reaped },
}

#[derive(Debug)]
pub(super) struct Owned {
    pub(super) pid: u32,
    pub(super) pidfd: Arc<OwnedFd>,
    pub(super) owner: Owner,
}

/// Runs until the whole tree is gone.
pub(super) async fn watch(
    owned: Owned,
    mut kills: watch::Receiver<bool>,
    phase: watch::Sender<Phase>,
) {
    let Owned { pid, pidfd, owner } = owned;
    let status = match owner {
        Owner::Launcher { child, pidfd: launcher, control } => {
            let mut held = Held { plugin: pidfd, launcher, child, inbox: Inbox::new(), end: None };
            match sys::readable(control) {
                Ok(control) => held.run(control, &mut kills, &phase).await,
                Err(_) => held.abandon(),
            }
        }
        Owner::Direct { child } => run_direct(pid, &pidfd, child, &mut kills, &phase).await,
    };
    phase.send_replace(Phase::Gone(status));
}

/// True once a kill is asked for or nobody can ask any more.
async fn kill_wanted(kills: &mut watch::Receiver<bool>) {
    let _closed = kills.wait_for(|wanted| *wanted).await;
}

/// A readable pidfd is a dead process.
pub(super) async fn ended(pidfd: impl AsFd) -> io::Result<()> {
    let pidfd = sys::readable(pidfd.as_fd().try_clone_to_owned()?)?;
    pidfd.readable().await.map(drop)
}

/// A process that a launcher holds.
struct Held {
    plugin: Arc<OwnedFd>,
    launcher: OwnedFd,
    child: Reaped,
    inbox: Inbox<Report>,
    end: Option<End>,
}

impl Held {
    async fn run(
        &mut self,
        control: AsyncFd<OwnedFd>,
        kills: &mut watch::Receiver<bool>,
        phase: &watch::Sender<Phase>,
    ) -> ExitStatus {
        let plugin = self.plugin.clone();
        let death = ended(&*plugin);
        tokio::pin!(death);
        let mut killed = false;
        let mut swept = false;
        loop {
            tokio::select! {
                _ = &mut death => break,
                () = kill_wanted(kills), if !killed => {
                    killed = true;
                    self.kill_tree(&control);
                }
                last = self.report(&control), if !swept => swept = last,
            }
        }
        if self.end.is_none() && !swept {
            swept = timeout(STATUS_LIMIT, self.report(&control)).await.unwrap_or(false);
        }
        phase.send_replace(Phase::Dead(self.status()));
        if !swept {
            let rest = async { while !self.report(&control).await {} };
            let _late = timeout(SWEEP_LIMIT, rest).await;
        }
        // Closing the socket ends a launcher that is still there.
        drop(control);
        if timeout(REAP_LIMIT, ended(&self.launcher)).await.is_err() {
            let _gone = pidfd_send_signal(&self.launcher, Signal::KILL);
            let _unkillable = timeout(REAP_LIMIT, ended(&self.launcher)).await;
        }
        let _reaped = self.child.child().try_wait();
        self.status()
    }

    /// Takes the next report; true when there will be no more.
    async fn report(&mut self, control: &AsyncFd<OwnedFd>) -> bool {
        loop {
            let Ok(mut ready) = control.readable().await else { return true };
            match self.inbox.receive(control.get_ref()) {
                Ok(Received::Message(Report::Exited { end }, _)) => {
                    self.end = Some(end);
                    return false;
                }
                Ok(Received::Message(Report::Swept { killed, left }, _)) => {
                    if left > 0 {
                        tracing::warn!(killed, left, "processes of a plugin could not be killed");
                    }
                    return true;
                }
                Ok(Received::Message(_, _)) => {}
                Ok(Received::Pending) => ready.clear_ready(),
                Ok(Received::Closed) | Err(_) => return true,
            }
        }
    }

    /// Asks the launcher, and does not rely on it: it may be stopped.
    fn kill_tree(&self, control: &AsyncFd<OwnedFd>) {
        if let Ok(mut message) = Outgoing::<OwnedFd>::new(&Command::Kill, None) {
            let _full_or_gone = message.send(control.get_ref());
        }
        let _gone = pidfd_send_signal(&*self.plugin, Signal::KILL);
    }

    /// For when the runtime cannot watch: the control socket is closed, so the
    /// launcher kills the tree.
    fn abandon(&mut self) -> ExitStatus {
        let _gone = pidfd_send_signal(&*self.plugin, Signal::KILL);
        ExitStatus::Unknown
    }

    fn status(&self) -> ExitStatus {
        match self.end {
            Some(End::Code(code)) => ExitStatus::Code(code),
            Some(End::Signal { signal, core }) => ExitStatus::Signal { signal, core },
            None => ExitStatus::Unknown,
        }
    }
}

async fn run_direct(
    pid: u32,
    pidfd: &OwnedFd,
    mut child: Reaped,
    kills: &mut watch::Receiver<bool>,
    phase: &watch::Sender<Phase>,
) -> ExitStatus {
    let death = ended(pidfd);
    tokio::pin!(death);
    let mut killed = false;
    loop {
        tokio::select! {
            _ = &mut death => break,
            () = kill_wanted(kills), if !killed => {
                killed = true;
                direct::kill_descendants(pid);
                let _gone = pidfd_send_signal(pidfd, Signal::KILL);
            }
        }
    }
    direct::kill_group(pid);
    let status = match child.child().try_wait() {
        Ok(Some(status)) => match (status.code(), status.signal()) {
            (Some(code), _) => ExitStatus::Code(code),
            (None, Some(signal)) => ExitStatus::Signal { signal, core: status.core_dumped() },
            (None, None) => ExitStatus::Unknown,
        },
        Ok(None) | Err(_) => ExitStatus::Unknown,
    };
    phase.send_replace(Phase::Dead(status));
    status
}
