//! The plugins that a host starts, as the kit follows them: what they tell, and
//! when they end.

use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::time::Instant;

use super::fact::Fact;

/// Facts that are kept of one plugin.
const MOST_FACTS: usize = 10_000;

/// What all facts of one plugin may take.
const MOST_BYTES: u64 = 8 << 20;

/// Plugins that one run may start.
const MOST_PLUGINS: usize = 16;

/// How often a process is looked at: exact enough for seconds.
const LOOK: Duration = Duration::from_millis(10);

/// One plugin process.
#[derive(Debug)]
pub(crate) struct Plugin {
    /// What it told, and when, from the run's start.
    pub(crate) facts: Vec<(Duration, Fact)>,
    /// When it ended.
    pub(crate) ended: Option<Duration>,
    /// Whether the process that it left outlived the host, too; `None` without
    /// one.
    pub(crate) grandchild_lived: Option<bool>,
    /// Whether all was heard that it told.
    heard: bool,
    process: Option<Arc<OwnedFd>>,
    grandchild: Option<Arc<OwnedFd>>,
}

impl Plugin {
    fn kill(&self) {
        for process in [&self.process, &self.grandchild].into_iter().flatten() {
            let _gone = pidfd_send_signal(process.as_fd(), Signal::KILL);
        }
    }
}

/// All plugins of one run.
#[derive(Debug, Clone, Default)]
pub(crate) struct Plugins(Arc<Mutex<Vec<Plugin>>>);

impl Plugins {
    /// Takes whoever connects, until it is dropped.
    pub(crate) async fn follow(self, control: UnixListener, start: Instant) {
        while let Ok((stream, _)) = control.accept().await {
            let process = stream.peer_cred().ok().and_then(|peer| open(peer.pid()?));
            let Some(place) = self.add(process.clone()) else { continue };
            tokio::spawn(self.clone().listen(place, stream, start));
            // One that cannot be found has ended before it was looked for.
            tokio::spawn(self.clone().wait(place, process, start));
        }
    }

    /// Whether none has come yet.
    pub(crate) fn none(&self) -> bool {
        self.lock().is_empty()
    }

    /// Whether every plugin has ended, and all that they told was heard.
    pub(crate) fn ended(&self) -> bool {
        self.lock().iter().all(|plugin| plugin.ended.is_some() && plugin.heard)
    }

    /// The plugins, in the order of their starts, as they are now; what is left
    /// of them is killed.
    pub(crate) fn take(&self) -> Vec<Plugin> {
        let mut plugins = std::mem::take(&mut *self.lock());
        for plugin in &mut plugins {
            plugin.grandchild_lived = plugin.grandchild.as_ref().map(|process| lives(process));
            plugin.kill();
        }
        plugins
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Plugin>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, process: Option<Arc<OwnedFd>>) -> Option<usize> {
        let mut plugins = self.lock();
        if plugins.len() == MOST_PLUGINS {
            return None;
        }
        plugins.push(Plugin {
            facts: Vec::new(),
            ended: None,
            grandchild_lived: None,
            heard: false,
            process,
            grandchild: None,
        });
        Some(plugins.len() - 1)
    }

    async fn listen(self, place: usize, stream: UnixStream, start: Instant) {
        let mut lines = BufReader::new(stream.take(MOST_BYTES)).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            let Ok(fact) = serde_json::from_str(&line) else { continue };
            let grandchild = match &fact {
                Fact::Grandchild { pid } => i32::try_from(*pid).ok().and_then(open),
                _ => None,
            };
            let mut plugins = self.lock();
            let Some(plugin) = plugins.get_mut(place) else { return };
            plugin.grandchild = grandchild.or(plugin.grandchild.take());
            if plugin.facts.len() < MOST_FACTS {
                plugin.facts.push((start.elapsed(), fact));
            }
        }
        if let Some(plugin) = self.lock().get_mut(place) {
            plugin.heard = true;
        }
    }

    async fn wait(self, place: usize, process: Option<Arc<OwnedFd>>, start: Instant) {
        let mut looks = tokio::time::interval(LOOK);
        while process.as_ref().is_some_and(|process| lives(process)) {
            looks.tick().await;
        }
        if let Some(plugin) = self.lock().get_mut(place) {
            plugin.ended = Some(start.elapsed());
        }
    }
}

fn open(pid: i32) -> Option<Arc<OwnedFd>> {
    Some(Arc::new(pidfd_open(Pid::from_raw(pid)?, PidfdFlags::empty()).ok()?))
}

fn lives(process: &OwnedFd) -> bool {
    let mut polled = [PollFd::new(process, PollFlags::IN)];
    matches!(poll(&mut polled, Some(&Timespec::default())), Ok(0))
}
