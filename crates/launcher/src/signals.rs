//! Signals as something to poll: all are blocked, two are read.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};

use crate::deadline::timespec;
use crate::sys;

/// The length of a record of a signal descriptor, in bytes.
const RECORD: usize = 128;

/// Children's ends and the request to terminate. Every other signal that can be
/// held off is, for good: the terminal's are for the host, which decides about
/// its plugins, and one that is sent to all programs of a name is not meant for
/// a launcher that happens to be the embedder's executable.
#[derive(Debug)]
pub(crate) struct Signals(OwnedFd);

/// What came since it was last asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    /// Some child ended, stopped or went on.
    pub(crate) child: bool,
    /// `SIGTERM`.
    pub(crate) terminate: bool,
}

impl Signals {
    /// Blocks all signals and opens the descriptor.
    ///
    /// # Errors
    ///
    /// The system's, as when there are no descriptors left.
    pub(crate) fn hold() -> io::Result<Self> {
        sys::hold_signals()?;
        sys::signal_descriptor(&[libc::SIGCHLD, libc::SIGTERM]).map(Self)
    }

    /// Takes what has come, without waiting.
    pub(crate) fn take(&self) -> Taken {
        let mut taken = Taken::default();
        let mut records = [0; 2 * RECORD];
        // Pending signals of one number are one record, so two take all.
        if let Ok(length) = rustix::io::read(&self.0, &mut records) {
            for record in records[..length].chunks_exact(RECORD) {
                let number = u32::from_ne_bytes([record[0], record[1], record[2], record[3]]);
                taken.child |= number == libc::SIGCHLD as u32;
                taken.terminate |= number == libc::SIGTERM as u32;
            }
        }
        taken
    }

    /// Waits up to `limit` for any of them and takes it; whether one came.
    pub(crate) fn wait(&self, limit: Duration) -> bool {
        let mut ready = [PollFd::new(&self.0, PollFlags::IN)];
        let came = matches!(poll(&mut ready, Some(&timespec(limit))), Ok(1..));
        if came {
            self.take();
        }
        came
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
