//! The raw connection under a session: gathers a frame's header and body into
//! one write, and sees which SYNs have gone into the order of outgoing bytes.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, BytesMut};
use futures_util::io as futures_io;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A header and the largest body that the library writes.
const GATHERED: usize = 12 + 16 * 1024;

/// A frame's header, of which the type, the flags, the stream and the length of
/// a body are of interest here.
const HEADER: usize = 12;
const DATA: u8 = 0;
const WINDOW_UPDATE: u8 = 1;
const SYN: u16 = 1;

/// The highest of our own streams whose SYN is on its way. Numbers ascend.
#[derive(Debug, Clone, Default)]
pub(super) struct Syns(Arc<AtomicU32>);

impl Syns {
    pub(super) fn written(&self, stream: u32) -> bool {
        self.0.load(Ordering::Relaxed) >= stream
    }
}

/// A raw connection, as the library wants it.
#[derive(Debug)]
pub(super) struct Wire<T> {
    io: T,
    out: BytesMut,
    frames: Frames,
    syns: Syns,
}

impl<T> Wire<T> {
    pub(super) fn new(io: T) -> (Self, Syns) {
        let syns = Syns::default();
        let out = BytesMut::with_capacity(GATHERED);
        (Self { io, out, frames: Frames::default(), syns: syns.clone() }, syns)
    }
}

impl<T: AsyncWrite + Unpin> Wire<T> {
    fn poll_empty(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.out.is_empty() {
            let written = ready!(Pin::new(&mut self.io).poll_write(cx, &self.out))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.out.advance(written);
        }
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncRead + Unpin> futures_io::AsyncRead for Wire<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(buffer);
        ready!(Pin::new(&mut self.io).poll_read(cx, &mut buffer))?;
        Poll::Ready(Ok(buffer.filled().len()))
    }
}

impl<T: AsyncWrite + Unpin> futures_io::AsyncWrite for Wire<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.out.len() + bytes.len() > GATHERED {
            ready!(self.poll_empty(cx))?;
        }
        let taken = bytes.len().min(GATHERED - self.out.len());
        self.out.extend_from_slice(&bytes[..taken]);
        if let Some(stream) = self.frames.last_syn(&bytes[..taken]) {
            self.syns.0.store(stream, Ordering::Relaxed);
        }
        Poll::Ready(Ok(taken))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_empty(cx))?;
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_empty(cx))?;
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

/// Follows the frames in a sequence of bytes, however it is cut.
#[derive(Debug, Default)]
struct Frames {
    header: [u8; HEADER],
    /// How much of the header is there.
    filled: usize,
    /// How much of the last frame's body is still to come.
    body: usize,
}

impl Frames {
    /// The stream of the last SYN whose header ends in `bytes`.
    fn last_syn(&mut self, mut bytes: &[u8]) -> Option<u32> {
        let mut last = None;
        while !bytes.is_empty() {
            if self.body > 0 {
                let skipped = self.body.min(bytes.len());
                self.body -= skipped;
                bytes = &bytes[skipped..];
                continue;
            }
            let taken = (HEADER - self.filled).min(bytes.len());
            self.header[self.filled..self.filled + taken].copy_from_slice(&bytes[..taken]);
            self.filled += taken;
            bytes = &bytes[taken..];
            if self.filled == HEADER {
                self.filled = 0;
                last = self.frame().or(last);
            }
        }
        last
    }

    fn frame(&mut self) -> Option<u32> {
        let [_, kind, f0, f1, s0, s1, s2, s3, l0, l1, l2, l3] = self.header;
        if kind == DATA {
            self.body = u32::from_be_bytes([l0, l1, l2, l3]) as usize;
        }
        let opens = matches!(kind, DATA | WINDOW_UPDATE) && u16::from_be_bytes([f0, f1]) & SYN != 0;
        opens.then(|| u32::from_be_bytes([s0, s1, s2, s3]))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OPEN_3: [u8; 12] = [0, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0, 0];
    const PING: [u8; 12] = [0, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 42];
    const UPDATE_OPENS_5: [u8; 12] = [0, 1, 0, 1, 0, 0, 0, 5, 0, 0, 0, 9];

    #[test]
    fn a_ping_opens_nothing_and_a_window_update_may() {
        let mut frames = Frames::default();
        assert_eq!(frames.last_syn(&PING), None);
        assert_eq!(frames.last_syn(&OPEN_3), Some(3));
        assert_eq!(frames.last_syn(&UPDATE_OPENS_5), Some(5));
    }

    proptest! {
        #[test]
        fn a_syn_is_seen_however_the_bytes_are_cut(
            body in proptest::collection::vec(any::<u8>(), 0..40),
            cut in 1_usize..20,
        ) {
            let length = u8::try_from(body.len()).unwrap();
            let data = [0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, length];
            let bytes = [&data[..], &body, &PING, &OPEN_3].concat();
            let mut frames = Frames::default();
            let seen: Vec<u32> =
                bytes.chunks(cut).filter_map(|piece| frames.last_syn(piece)).collect();
            prop_assert_eq!(seen, vec![3]);
        }
    }
}
