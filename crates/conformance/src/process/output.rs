//! What comes out of a pipe, read to its end and kept up to a limit.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe::Receiver;
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

/// More is read and thrown away.
const KEPT: usize = 4 * 1024 * 1024;

/// What came so far.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) bytes: Vec<u8>,
    /// Whether the last writer is gone.
    pub(crate) ended: bool,
}

/// A pipe and the task that reads it.
#[derive(Debug)]
pub(crate) struct Output {
    seen: watch::Receiver<Seen>,
    reading: AbortOnDropHandle<()>,
}

impl Output {
    pub(super) fn read(pipe: OwnedFd) -> io::Result<Self> {
        let pipe = Receiver::from_owned_fd(pipe)?;
        let (sender, seen) = watch::channel(Seen::default());
        let reading = AbortOnDropHandle::new(tokio::spawn(drain(pipe, sender)));
        Ok(Self { seen, reading })
    }

    /// What came so far.
    pub(crate) fn so_far(&self) -> Vec<u8> {
        self.seen.borrow().bytes.clone()
    }

    /// Looks at what came, each time that there is more, until something is
    /// found; `None` when nothing is within this time, or by the end.
    pub(crate) async fn wait_for<T>(
        &self,
        within: Duration,
        mut find: impl FnMut(&Seen) -> Option<T>,
    ) -> Option<T> {
        let mut seen = self.seen.clone();
        let mut found = None;
        let looking = seen.wait_for(|seen| {
            found = find(seen);
            found.is_some() || seen.ended
        });
        let looked = tokio::time::timeout(within, looking).await;
        drop(looked);
        found
    }

    /// Closes the reading end, as a host's death does.
    pub(crate) async fn close(&mut self) {
        self.reading.abort();
        let _aborted = (&mut self.reading).await;
    }
}

async fn drain(mut pipe: Receiver, seen: watch::Sender<Seen>) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        // A pipe whose reading fails has ended too.
        let read = pipe.read(&mut buffer).await.unwrap_or(0);
        seen.send_modify(|seen| {
            let room = KEPT.saturating_sub(seen.bytes.len()).min(read);
            seen.bytes.extend_from_slice(&buffer[..room]);
            seen.ended = read == 0;
        });
        if read == 0 {
            return;
        }
    }
}
