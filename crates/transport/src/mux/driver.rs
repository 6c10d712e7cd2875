//! The one task that reads and writes a session's raw connection.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::io::AsyncWrite as _;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{Semaphore, mpsc, oneshot};
use yamux::{Connection, ConnectionError};

use super::stream::MuxStream;
use super::wire::{Syns, Wire};

pub(super) struct Driver<T, F> {
    pub(super) connection: Connection<Wire<T>>,
    pub(super) asked: mpsc::Receiver<oneshot::Sender<MuxStream>>,
    /// The stream whose SYN is not written yet, and who waits for it.
    pub(super) opening: Option<(MuxStream, u32, oneshot::Sender<MuxStream>)>,
    pub(super) syns: Syns,
    pub(super) inbound: F,
    /// Room for streams that either side opened.
    pub(super) ours: Arc<Semaphore>,
    pub(super) theirs: Arc<Semaphore>,
}

impl<T, F> Driver<T, F>
where
    T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    F: FnMut(MuxStream) + Send + 'static,
{
    /// Works until the session ends.
    pub(super) async fn run(mut self) -> io::Result<()> {
        poll_fn(|cx| self.poll(cx)).await
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            while self.opening.is_none() {
                let Poll::Ready(Some(reply)) = self.asked.poll_recv(cx) else { break };
                if let Err(error) = self.begin(cx, reply) {
                    return Poll::Ready(Err(error));
                }
            }
            match self.connection.poll_next_inbound(cx) {
                Poll::Ready(Some(Ok(stream))) => {
                    self.admit(cx, stream);
                    continue;
                }
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(io::Error::other(error))),
                Poll::Ready(None) => return Poll::Ready(Ok(())),
                Poll::Pending => {}
            }
            let Some((stream, number, reply)) = self.opening.take() else { return Poll::Pending };
            if !self.syns.written(number) {
                // The connection takes no data; it wakes this task when it does.
                self.opening = Some((stream, number, reply));
                return Poll::Pending;
            }
            // Whoever asked may have given up; then the stream is reset.
            let _given_up = reply.send(stream);
        }
    }

    /// Opens a stream and queues its SYN: the library would send it with the
    /// first data. Without room, whoever asked learns by the drop of `reply`.
    fn begin(&mut self, cx: &mut Context<'_>, reply: oneshot::Sender<MuxStream>) -> io::Result<()> {
        let Ok(room) = self.ours.clone().try_acquire_owned() else { return Ok(()) };
        if reply.is_closed() {
            return Ok(());
        }
        let mut stream = match self.connection.poll_new_outbound(cx) {
            Poll::Ready(Ok(stream)) => stream,
            Poll::Ready(Err(ConnectionError::Closed)) | Poll::Pending => return Ok(()),
            Poll::Ready(Err(error)) => return Err(io::Error::other(error)),
        };
        if write_nothing(cx, &mut stream) {
            let number = stream.id().val();
            self.opening = Some((MuxStream::new(stream, room), number, reply));
        }
        Ok(())
    }

    /// Acknowledges a stream and passes it on: the library would acknowledge it
    /// with the first data, and Go ends the session over one that is not.
    fn admit(&mut self, cx: &mut Context<'_>, mut stream: yamux::Stream) {
        let acknowledged = write_nothing(cx, &mut stream);
        match self.theirs.clone().try_acquire_owned() {
            Ok(room) if acknowledged => (self.inbound)(MuxStream::new(stream, room)),
            // It was reset already, or there are too many; dropping resets it.
            _ => drop(stream),
        }
    }
}

/// Queues a frame without data, which carries a stream's first flag. The queue
/// of a new stream has room.
fn write_nothing(cx: &mut Context<'_>, stream: &mut yamux::Stream) -> bool {
    matches!(Pin::new(stream).poll_write(cx, &[]), Poll::Ready(Ok(_)))
}
