//! Sending: a message that goes out in as many pieces as the socket asks for.

use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::event::PollFlags;
use rustix::io::Errno;
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};

use super::{ChannelError, HEADER, MAGIC, wait_for};
use crate::deadline::Deadline;
use crate::protocol::{Message, PROTOCOL_VERSION};

/// A message on its way out, which a slow reader may take in pieces.
///
/// `Fd` is what lends its descriptor: borrowed by a host that keeps its memfd
/// for the next generation, owned by a queue.
#[derive(Debug)]
pub struct Outgoing<Fd = OwnedFd> {
    bytes: Vec<u8>,
    sent: usize,
    descriptor: Option<Fd>,
}

/// How far a message came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Sent {
    /// All of it is in the socket.
    All,
    /// The socket is full; call again when it is writable.
    Pending,
}

impl<Fd: AsFd> Outgoing<Fd> {
    /// Encodes a message, with a descriptor to travel with it.
    ///
    /// # Errors
    ///
    /// [`ChannelError::TooLarge`] when it is over its kind's limit.
    pub fn new<M: Message>(message: &M, descriptor: Option<Fd>) -> Result<Self, ChannelError> {
        let mut bytes = vec![0; HEADER];
        serde_json::to_writer(&mut bytes, message)?;
        let size = bytes.len() - HEADER;
        let too_large = ChannelError::TooLarge { size, max: M::MAX };
        let Ok(length) = u32::try_from(size) else {
            return Err(too_large);
        };
        if size > M::MAX {
            return Err(too_large);
        }
        bytes[..3].copy_from_slice(&MAGIC);
        bytes[3] = PROTOCOL_VERSION;
        bytes[4..HEADER].copy_from_slice(&length.to_le_bytes());
        Ok(Self { bytes, sent: 0, descriptor })
    }

    /// Sends as much as the socket takes, without waiting.
    ///
    /// # Errors
    ///
    /// [`ChannelError::Io`]; a broken pipe when the other side is gone. Never
    /// raises `SIGPIPE`.
    pub fn send(&mut self, socket: impl AsFd) -> Result<Sent, ChannelError> {
        while self.sent < self.bytes.len() {
            let descriptor = match &self.descriptor {
                Some(descriptor) if self.sent == 0 => Some(descriptor.as_fd()),
                _ => None,
            };
            let descriptors = descriptor.as_slice();
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
            let mut control = SendAncillaryBuffer::new(&mut space);
            if !descriptors.is_empty() {
                // The buffer was made for exactly one descriptor.
                let fits = control.push(SendAncillaryMessage::ScmRights(descriptors));
                debug_assert!(fits, "a control buffer for one descriptor takes one");
            }
            let rest = [IoSlice::new(&self.bytes[self.sent..])];
            let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
            match sendmsg(socket.as_fd(), &rest, &mut control, flags) {
                Ok(count) => self.sent += count,
                Err(Errno::AGAIN) => return Ok(Sent::Pending),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        self.descriptor = None;
        Ok(Sent::All)
    }

    /// Sends all of it, waiting up to `limit` for the other side to read.
    ///
    /// # Errors
    ///
    /// As [`Self::send`], and [`ChannelError::TimedOut`].
    pub fn send_within(mut self, socket: impl AsFd, limit: Duration) -> Result<(), ChannelError> {
        let deadline = Deadline::after(limit);
        while self.send(socket.as_fd())? == Sent::Pending {
            wait_for(socket.as_fd(), PollFlags::OUT, &deadline, limit)?;
        }
        Ok(())
    }
}
