//! The process that started this one, and its end.

use std::os::fd::OwnedFd;
use std::sync::mpsc;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::process::{PidfdFlags, getppid, pidfd_open};
use tokio_util::sync::CancellationToken;

/// From the host's death until this process ends by force.
const GRACE: Duration = Duration::from_secs(2);

/// A forced end is no success, though nobody is left to read it.
const FORCED: i32 = 1;

/// The watcher polls, cancels and exits; it needs no more.
const STACK: usize = 64 * 1024;

/// Watches over the process that started this one. A plugin that outlived its
/// host would hold files, ports and keys for nobody.
///
/// Two seconds after the host's death this process ends with code 1, whatever
/// it does: the watcher is a thread of its own, so that neither a call that
/// blocks the runtime nor a cleanup that hangs can keep the plugin alive.
/// Dropping the watch does not call that off.
#[derive(Debug, Clone)]
pub struct HostWatch {
    gone: CancellationToken,
}

impl HostWatch {
    /// Starts watching. To be called before anything slow: a host that dies
    /// earlier has been replaced as the parent by then, and nobody can tell.
    ///
    /// Where the kernel or a sandbox refuses to watch, the watch never fires,
    /// and a warning is logged.
    #[must_use]
    pub fn start() -> Self {
        let gone = CancellationToken::new();
        let parent = match parent() {
            Ok(Parent::Unknown) => return Self { gone },
            Ok(parent) => parent,
            Err(error) => {
                tracing::warn!(%error, "the host's death will go unnoticed");
                return Self { gone };
            }
        };
        let seen = gone.clone();
        let thread = std::thread::Builder::new().name("host-watch".into()).stack_size(STACK);
        if let Err(error) = thread.spawn(move || watch(&parent, &seen)) {
            tracing::warn!(%error, "the host's death will go unnoticed");
        }
        Self { gone }
    }

    /// Waits for the host's death.
    ///
    /// # Cancel safety
    ///
    /// Safe: the wait may be given up and begun again.
    pub async fn gone(&self) {
        self.gone.cancelled().await;
    }
}

enum Parent {
    Alive(OwnedFd),
    Gone,
    /// In another PID namespace, where no descriptor of it can be had.
    Unknown,
}

fn parent() -> Result<Parent, Errno> {
    let Some(pid) = getppid() else {
        return Ok(Parent::Unknown);
    };
    match pidfd_open(pid, PidfdFlags::empty()) {
        // The number may have passed to another process in between, but then
        // that process is not the parent.
        Ok(pidfd) if getppid() == Some(pid) => Ok(Parent::Alive(pidfd)),
        Ok(_) | Err(Errno::SRCH) => Ok(Parent::Gone),
        Err(error) => Err(error),
    }
}

fn watch(parent: &Parent, gone: &CancellationToken) {
    if let Parent::Alive(pidfd) = parent
        && !until_readable(pidfd)
    {
        return;
    }
    gone.cancel();
    // A wait that nothing can cut short: the other end is kept here.
    let (_keep, never) = mpsc::channel::<()>();
    let _grace = never.recv_timeout(GRACE);
    std::process::exit(FORCED);
}

/// Waits until the process is dead; false if that cannot be waited for.
fn until_readable(pidfd: &OwnedFd) -> bool {
    loop {
        let mut polled = [PollFd::new(pidfd, PollFlags::IN)];
        match poll(&mut polled, None) {
            Ok(_) if polled[0].revents().contains(PollFlags::IN) => return true,
            Ok(_) => return false,
            Err(Errno::INTR) => {}
            Err(_) => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_host_that_lives_is_not_gone() {
        let watch = HostWatch::start();
        tokio::select! {
            biased;
            () = watch.gone() => panic!("the test's own parent lives"),
            () = tokio::task::yield_now() => {}
        }
    }

    #[test]
    fn the_parent_is_found() {
        assert!(matches!(parent(), Ok(Parent::Alive(_) | Parent::Unknown)));
    }
}
