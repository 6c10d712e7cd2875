//! Messages on the control socket.
//!
//! The socket is an `AF_UNIX` stream: a spec with a large environment is more
//! than one datagram may hold. A message is a header of 8 bytes, `ORL`, the
//! protocol version as one byte and the body's length as a little-endian `u32`,
//! then the body in JSON. At most one descriptor travels with a message, on the
//! first byte of its header. A reader never reads past the message that it
//! assembles, so a descriptor cannot end up with a neighbour.
//!
//! Nothing here changes the socket's flags or blocks on its own: reads and
//! writes are non-blocking by the call, so that [`Inbox`] and [`Outgoing`] serve
//! a poll loop and an async runtime alike. The helpers with a time limit wait in
//! `poll`.

mod inbox;
mod outgoing;

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

use crate::deadline::Deadline;
use crate::protocol::{Command, PROTOCOL_VERSION, Report, Spec};

pub use inbox::{Inbox, Received};
pub use outgoing::{Outgoing, Sent};

/// How every message begins.
const MAGIC: [u8; 3] = *b"ORL";

/// The length of a header, in bytes.
const HEADER: usize = 8;

/// Why a message could not be sent or read. After any of these the stream has
/// lost its place: drop the socket.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// The socket failed.
    #[error("the control socket failed: {0}")]
    Io(#[from] io::Error),
    /// The bytes are no message of this protocol.
    #[error("the bytes on the control socket are no message of the launcher protocol")]
    Foreign,
    /// The other side speaks another version.
    #[error(
        "the other side speaks version {theirs} of the launcher protocol and this one version \
         {PROTOCOL_VERSION}; host and launcher must come from the same release"
    )]
    Version {
        /// The version in the message.
        theirs: u8,
    },
    /// The message is longer than its kind may be.
    #[error("a message of {size} bytes is over the limit of {max}")]
    TooLarge {
        /// The length of its body, in bytes.
        size: usize,
        /// The limit, in bytes.
        max: usize,
    },
    /// The other side left in the middle of a message.
    #[error("the control socket was closed after {got} bytes of a message")]
    Truncated {
        /// How many bytes of it came, header included.
        got: usize,
    },
    /// The other side left before the message.
    #[error("the control socket was closed")]
    Closed,
    /// The body is no JSON of this kind of message. The text says only where,
    /// since the parser's own words may quote a secret.
    #[error(
        "a message on the control socket cannot be read: {:?} error at column {}",
        .0.classify(),
        .0.column()
    )]
    Body(#[from] serde_json::Error),
    /// More than one descriptor came with a message, or one for which this
    /// process has no room.
    #[error(
        "a message came with more than one descriptor, or with one that this process has no room \
         for under its limit of open files"
    )]
    Descriptors,
    /// The other side did not read or write in time.
    #[error("the other side of the control socket did not answer within {0:?}")]
    TimedOut(Duration),
}

impl From<Errno> for ChannelError {
    fn from(errno: Errno) -> Self {
        Self::Io(errno.into())
    }
}

/// Makes the control socket. The first end is the host's; the second becomes
/// the launcher's standard input. Both close on exec.
///
/// # Errors
///
/// The system's, as when the process has no descriptors left.
pub fn control_pair() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?)
}

/// Sends the spec, and with it the memfd if [`Spec::exec`] says so. Waits for
/// the launcher to read, up to `limit`.
///
/// # Errors
///
/// [`ChannelError`]; `TooLarge` before anything is sent.
pub fn send_spec(
    socket: impl AsFd,
    spec: &Spec,
    memfd: Option<BorrowedFd<'_>>,
    limit: Duration,
) -> Result<(), ChannelError> {
    Outgoing::new(spec, memfd)?.send_within(socket, limit)
}

/// Sends a command, waiting up to `limit` for room in the socket.
///
/// # Errors
///
/// [`ChannelError`]; a broken pipe when the launcher has exited.
pub fn send_command(
    socket: impl AsFd,
    command: Command,
    limit: Duration,
) -> Result<(), ChannelError> {
    Outgoing::<BorrowedFd<'_>>::new(&command, None)?.send_within(socket, limit)
}

/// Waits for the next report, up to `limit`. A host that waits for other
/// things too keeps an [`Inbox`] and asks it when the socket is readable.
///
/// # Errors
///
/// [`ChannelError`]; `Closed` after the last report. After `TimedOut` in the
/// middle of a report the stream has lost its place.
pub fn recv_report(
    socket: impl AsFd,
    limit: Duration,
) -> Result<(Report, Option<OwnedFd>), ChannelError> {
    Inbox::new().receive_within(socket, limit)
}

/// Waits until the socket is ready or closed.
fn wait_for(
    socket: BorrowedFd<'_>,
    what: PollFlags,
    deadline: &Deadline,
    limit: Duration,
) -> Result<(), ChannelError> {
    match poll(&mut [PollFd::from_borrowed_fd(socket, what)], Some(&deadline.left())) {
        Ok(0) => Err(ChannelError::TimedOut(limit)),
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}
