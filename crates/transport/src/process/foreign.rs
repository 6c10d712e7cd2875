//! Processes that this one did not start: a runner's, and one that is attached
//! to.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Signal, pidfd_send_signal};
use tokio::sync::watch;
use tokio::time::timeout;

use super::watch_task::ended;
use super::{ExitStatus, Phase, Process};
use crate::runner::Running;

/// For a runner to kill what it started.
const KILL_LIMIT: Duration = Duration::from_secs(3);

impl Process {
    /// A process that a runner holds: killed when the last handle goes.
    pub(crate) fn held_by_runner(running: Arc<dyn Running>) -> Self {
        Self::of_runner(running, true)
    }

    /// A process that a runner holds and this host attaches to: killed when
    /// asked to, and left alone when the last handle goes.
    pub(crate) fn attached_to_runner(running: Arc<dyn Running>) -> Self {
        Self::of_runner(running, false)
    }

    fn of_runner(running: Arc<dyn Running>, ours: bool) -> Self {
        let (phase, phases) = watch::channel(Phase::Alive);
        let (kill, kills) = watch::channel(false);
        tokio::spawn(watch_running(running, ours, kills, phase));
        Self { pid: None, pidfd: None, phase: phases, kill }
    }

    /// A process of somebody else's: killed when asked to, and left alone when
    /// the last handle goes.
    pub(crate) fn attached(pid: u32, pidfd: Arc<OwnedFd>) -> Self {
        let (phase, phases) = watch::channel(Phase::Alive);
        let (kill, kills) = watch::channel(false);
        tokio::spawn(watch_attached(pidfd.clone(), kills, phase));
        Self { pid: Some(pid), pidfd: Some(pidfd), phase: phases, kill }
    }
}

async fn watch_running(
    running: Arc<dyn Running>,
    ours: bool,
    mut kills: watch::Receiver<bool>,
    phase: watch::Sender<Phase>,
) {
    let natural = tokio::select! {
        status = running.wait() => Some(status),
        asked = asked(&mut kills) => {
            if !asked && !ours {
                return;
            }
            None
        }
    };
    if let Some(status) = natural {
        if !ours {
            phase.send_replace(Phase::Gone(status));
            return;
        }
        phase.send_replace(Phase::Dead(status));
    }
    let name = || running.name();
    match timeout(KILL_LIMIT, running.kill()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(process = name(), %error, "a runner could not kill"),
        Err(_) => tracing::warn!(process = name(), within = ?KILL_LIMIT, "a runner did not kill"),
    }
    let status = match natural {
        Some(status) => status,
        None => running.wait().await,
    };
    phase.send_replace(Phase::Gone(status));
}

async fn watch_attached(
    pidfd: Arc<OwnedFd>,
    mut kills: watch::Receiver<bool>,
    phase: watch::Sender<Phase>,
) {
    let death = ended(&*pidfd);
    tokio::pin!(death);
    tokio::select! {
        _ = &mut death => {}
        asked = asked(&mut kills) => {
            if !asked {
                return;
            }
            let _gone = pidfd_send_signal(&*pidfd, Signal::KILL);
            let _ended = death.await;
        }
    }
    phase.send_replace(Phase::Gone(ExitStatus::Unknown));
}

/// True once a kill is asked for, false once nobody can ask any more.
async fn asked(kills: &mut watch::Receiver<bool>) -> bool {
    kills.wait_for(|wanted| *wanted).await.is_ok()
}
