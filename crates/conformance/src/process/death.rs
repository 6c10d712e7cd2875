//! Sees a process end, by its pidfd, whoever its parent is.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::thread;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use tokio::sync::watch;

/// A process that runs, or has ended.
#[derive(Debug, Clone)]
pub(crate) struct Watched {
    pidfd: Arc<OwnedFd>,
    ended: watch::Receiver<bool>,
}

impl Watched {
    /// Watches a process. A thread waits for its end, and ends with it.
    pub(crate) fn new(pid: Pid) -> io::Result<Self> {
        let pidfd = Arc::new(pidfd_open(pid, PidfdFlags::empty())?);
        let (sender, ended) = watch::channel(false);
        let waiting = pidfd.clone();
        thread::Builder::new().name("kit-watch".into()).spawn(move || {
            // Interrupted, it is asked again; it fails for no other reason.
            while poll(&mut [PollFd::new(&waiting, PollFlags::IN)], None)
                .is_err_and(|error| error == rustix::io::Errno::INTR)
            {}
            let _nobody_asks = sender.send(true);
        })?;
        Ok(Self { pidfd, ended })
    }

    /// Comes back when it has ended.
    pub(crate) async fn end(&self) {
        let mut ended = self.ended.clone();
        let ended = ended.wait_for(|ended| *ended).await;
        drop(ended);
    }

    /// Sends a signal. One that has ended takes none.
    pub(crate) fn signal(&self, signal: Signal) {
        let _ended = pidfd_send_signal(&self.pidfd, signal);
    }
}
