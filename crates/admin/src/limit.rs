//! A bound on connections: who comes when there are too many waits outside.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep};

/// Connections at a time, to each address: a quarter of the descriptors that this
/// process may have, since its plugins need the rest.
pub(crate) fn connections() -> usize {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    let limit = limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    (limit / 4).clamp(64, 2_048)
}

/// Of those, the ones that may follow something: whoever asks for a page, or for
/// health, finds room however many never read what they follow.
#[derive(Debug, Clone)]
pub(crate) struct Followers(Arc<Semaphore>);

impl Followers {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Semaphore::new(connections() / 8 * 7)))
    }

    /// A place until it is dropped, if there is one.
    pub(crate) fn place(&self) -> Option<OwnedSemaphorePermit> {
        self.0.clone().try_acquire_owned().ok()
    }
}

/// A listener that accepts no more than it has room for.
pub(crate) struct Limited<L> {
    inner: L,
    room: Arc<Semaphore>,
}

impl<L> Limited<L> {
    pub(crate) fn new(inner: L) -> Self {
        Self { inner, room: Arc::new(Semaphore::new(connections())) }
    }
}

impl<L: Listener> Listener for Limited<L>
where
    L::Io: Unpin,
{
    type Io = Held<L::Io>;
    type Addr = L::Addr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        // It is never closed.
        let permit = self.room.clone().acquire_owned().await.ok();
        let (io, address) = self.inner.accept().await;
        (Held::new(io, permit), address)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.inner.local_addr()
    }
}

/// For a request's head to come, once somebody has connected or was answered.
const HEAD: Duration = Duration::from_secs(15);
const NEXT_HEAD: Duration = Duration::from_secs(90);

/// The end of a head.
const END: &[u8] = b"\r\n\r\n";

/// A connection, and its place, which nobody keeps who asks for nothing.
pub(crate) struct Held<T> {
    io: T,
    /// How much of the end of a head was read last; all of it once there is one.
    matched: usize,
    deadline: Pin<Box<Sleep>>,
    _permit: Option<OwnedSemaphorePermit>,
}

impl<T> Held<T> {
    fn new(io: T, permit: Option<OwnedSemaphorePermit>) -> Self {
        let deadline = Box::pin(tokio::time::sleep(HEAD));
        Self { io, matched: 0, deadline, _permit: permit }
    }

    fn look_for_the_end(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if self.matched == END.len() {
                return;
            }
            let first = usize::from(*byte == END[0]);
            self.matched = if *byte == END[self.matched] { self.matched + 1 } else { first };
        }
    }

    /// Something was answered: another request may come, or nothing more.
    fn answered(&mut self) {
        self.matched = 0;
        self.deadline.as_mut().reset(Instant::now() + NEXT_HEAD);
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Held<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.io).poll_read(cx, buffer);
        if read.is_ready() {
            let new = buffer.filled().get(before..).unwrap_or_default();
            self.look_for_the_end(new);
            return read;
        }
        // A request that is being carried out has deadlines of its own.
        if self.matched < END.len() && self.deadline.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Poll::Pending
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Held<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(cx, bytes);
        // That a body may come is no answer.
        if written.is_ready() && !bytes.starts_with(b"HTTP/1.1 100 ") {
            self.answered();
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    async fn read(held: &mut Held<tokio::io::DuplexStream>) -> io::Result<usize> {
        held.read(&mut [0; 64]).await
    }

    #[tokio::test(start_paused = true)]
    async fn who_asks_for_nothing_loses_the_connection_and_who_waits_for_an_answer_does_not() {
        let (mut client, server) = tokio::io::duplex(1024);
        let mut held = Held::new(server, None);
        client.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
        assert!(read(&mut held).await.unwrap() > 0);
        let began = Instant::now();
        assert_eq!(read(&mut held).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert_eq!(began.elapsed().as_secs(), HEAD.as_secs());

        let (mut client, server) = tokio::io::duplex(1024);
        let mut held = Held::new(server, None);
        client.write_all(b"GET / HTTP/1.1\r\n\r").await.unwrap();
        read(&mut held).await.unwrap();
        client.write_all(b"\n").await.unwrap();
        read(&mut held).await.unwrap();
        let long = tokio::time::timeout(Duration::from_secs(600), read(&mut held));
        assert!(long.await.is_err(), "it is being carried out");
        held.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.unwrap();
        let long = tokio::time::timeout(Duration::from_secs(600), read(&mut held));
        assert!(long.await.is_err(), "it is still being carried out");
        held.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        let began = Instant::now();
        assert_eq!(read(&mut held).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert_eq!(began.elapsed().as_secs(), NEXT_HEAD.as_secs());
    }
}
