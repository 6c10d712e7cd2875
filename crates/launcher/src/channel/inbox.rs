//! Reading: messages assembled from what the socket delivers.

use std::io::IoSliceMut;
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::event::PollFlags;
use rustix::io::Errno;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, recvmsg};

use super::{ChannelError, HEADER, MAGIC, wait_for};
use crate::deadline::Deadline;
use crate::protocol::{Message, PROTOCOL_VERSION};

/// Descriptors for which room is kept while reading: one more than the protocol
/// allows, so that a surplus is seen and closed, not cut off in silence.
const ROOM: usize = 2;

/// How much is read at once, in bytes.
const PIECE: usize = 16 << 10;

/// What a read of the socket gave.
#[derive(Debug)]
pub enum Received<M> {
    /// A whole message, and the descriptor that came with it, close-on-exec.
    Message(M, Option<OwnedFd>),
    /// Nothing more for now; call again when the socket is readable.
    Pending,
    /// The other side closed the socket, between two messages.
    Closed,
}

/// Assembles messages from what a socket delivers, piece by piece.
#[derive(Debug)]
pub struct Inbox<M> {
    /// What there is of the message that is being read.
    bytes: Vec<u8>,
    /// How long that message is, as far as is known: the header, until that is
    /// complete; then header and body.
    wanted: usize,
    descriptor: Option<OwnedFd>,
    kind: PhantomData<fn() -> M>,
}

impl<M: Message> Default for Inbox<M> {
    fn default() -> Self {
        Self::new()
    }
}

impl<M: Message> Inbox<M> {
    /// An inbox between two messages.
    #[must_use]
    pub fn new() -> Self {
        Self { bytes: Vec::new(), wanted: HEADER, descriptor: None, kind: PhantomData }
    }

    /// Reads without waiting, up to the end of one message.
    ///
    /// # Errors
    ///
    /// [`ChannelError`]; `Truncated` when the other side left in the middle of
    /// a message. A reset connection counts as a closed one.
    pub fn receive(&mut self, socket: impl AsFd) -> Result<Received<M>, ChannelError> {
        let mut piece = [0; PIECE];
        loop {
            let room = PIECE.min(self.wanted - self.bytes.len());
            match self.read(socket.as_fd(), &mut piece[..room])? {
                Read::Bytes(count) => self.bytes.extend_from_slice(&piece[..count]),
                Read::Nothing => return Ok(Received::Pending),
                Read::End if self.bytes.is_empty() => return Ok(Received::Closed),
                Read::End => {
                    return Err(ChannelError::Truncated { got: self.bytes.len() });
                }
            }
            if self.bytes.len() == HEADER {
                self.wanted = HEADER + body_length::<M>(&self.bytes)?;
            }
            if self.bytes.len() == self.wanted {
                let message = serde_json::from_slice(&self.bytes[HEADER..])?;
                self.bytes.clear();
                self.wanted = HEADER;
                return Ok(Received::Message(message, self.descriptor.take()));
            }
        }
    }

    /// Waits up to `limit` for one whole message.
    ///
    /// # Errors
    ///
    /// As [`Self::receive`], and `TimedOut`, and `Closed` when the other side
    /// left between two messages.
    pub fn receive_within(
        &mut self,
        socket: impl AsFd,
        limit: Duration,
    ) -> Result<(M, Option<OwnedFd>), ChannelError> {
        let deadline = Deadline::after(limit);
        loop {
            match self.receive(socket.as_fd())? {
                Received::Message(message, descriptor) => return Ok((message, descriptor)),
                Received::Closed => return Err(ChannelError::Closed),
                Received::Pending => {
                    wait_for(socket.as_fd(), PollFlags::IN, &deadline, limit)?;
                }
            }
        }
    }

    /// One read. Keeps the descriptor that comes with it.
    fn read(&mut self, socket: BorrowedFd<'_>, piece: &mut [u8]) -> Result<Read, ChannelError> {
        loop {
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(ROOM))];
            let mut control = RecvAncillaryBuffer::new(&mut space);
            let flags = RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC;
            let got = match recvmsg(socket, &mut [IoSliceMut::new(piece)], &mut control, flags) {
                Ok(got) => got,
                Err(Errno::INTR) => continue,
                Err(Errno::AGAIN) => return Ok(Read::Nothing),
                // A peer that closed with our bytes unread resets the stream.
                Err(Errno::CONNRESET) => return Ok(Read::End),
                Err(errno) => return Err(errno.into()),
            };
            for message in control.drain() {
                let RecvAncillaryMessage::ScmRights(descriptors) = message else {
                    continue;
                };
                for descriptor in descriptors {
                    if self.descriptor.replace(descriptor).is_some() {
                        return Err(ChannelError::Descriptors);
                    }
                }
            }
            if got.flags.contains(ReturnFlags::CTRUNC) {
                return Err(ChannelError::Descriptors);
            }
            return Ok(match got.bytes {
                0 => Read::End,
                count => Read::Bytes(count),
            });
        }
    }
}

/// What one system call gave.
enum Read {
    Bytes(usize),
    Nothing,
    End,
}

/// The length of the body that a complete header announces.
fn body_length<M: Message>(header: &[u8]) -> Result<usize, ChannelError> {
    let [m0, m1, m2, theirs, l0, l1, l2, l3] = *header else {
        return Err(ChannelError::Foreign);
    };
    if [m0, m1, m2] != MAGIC {
        return Err(ChannelError::Foreign);
    }
    if theirs != PROTOCOL_VERSION {
        return Err(ChannelError::Version { theirs });
    }
    let size = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
    if size > M::MAX {
        return Err(ChannelError::TooLarge { size, max: M::MAX });
    }
    Ok(size)
}
