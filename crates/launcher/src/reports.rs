//! Reports on their way to a host that may be slow to read, or dead.

use std::collections::VecDeque;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};

use crate::channel::{Outgoing, Sent};
use crate::deadline::Deadline;
use crate::protocol::Report;

/// How long the launcher, all work done, waits for its host to read the last
/// reports.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// A queue in front of the control socket. Nothing here waits but
/// [`Self::finish`], so a host that does not read cannot hold up a sweep.
#[derive(Debug, Default)]
pub(crate) struct Reports(VecDeque<Outgoing<OwnedFd>>);

impl Reports {
    /// Queues a report behind the others, and sends what the socket takes.
    pub(crate) fn push(&mut self, socket: impl AsFd, report: &Report, with: Option<OwnedFd>) {
        // A report is of a bounded size by construction, but for the message of
        // a refusal, which its maker cuts. So this cannot fail; and if it did,
        // the end of the stream would still tell.
        if let Ok(outgoing) = Outgoing::new(report, with) {
            self.0.push_back(outgoing);
        }
        self.flush(socket);
    }

    /// Sends what the socket takes.
    pub(crate) fn flush(&mut self, socket: impl AsFd) {
        while let Some(first) = self.0.front_mut() {
            match first.send(socket.as_fd()) {
                Ok(Sent::All) => {
                    self.0.pop_front();
                }
                Ok(Sent::Pending) => return,
                // The host is gone; whoever reads the socket will see that.
                Err(_) => self.0.clear(),
            }
        }
    }

    /// Whether it would help to know when the socket is writable.
    pub(crate) fn waiting(&self) -> bool {
        !self.0.is_empty()
    }

    /// Sends the rest, within a time limit.
    pub(crate) fn finish(&mut self, socket: impl AsFd) {
        let deadline = Deadline::after(LAST_WORDS);
        self.flush(socket.as_fd());
        while self.waiting() && !deadline.passed() {
            let mut writable = [PollFd::new(&socket, PollFlags::OUT)];
            let _ = poll(&mut writable, Some(&deadline.left()));
            self.flush(socket.as_fd());
        }
    }
}
