//! Whether the other side speaks HTTP/2 at all.
//!
//! An HTTP/2 client may send at once and hears of its mistake with its first
//! call. A server's first frame is always SETTINGS, and comes at once, so a
//! connection whose first bytes are those stands: the other side has taken our
//! certificate, expects no TLS that we do not speak, and has a server behind its
//! socket.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::oneshot;

/// Where the type of a frame stands, and that of SETTINGS.
const TYPE: usize = 3;
const SETTINGS: u8 = 4;

/// What the first bytes of a connection said.
pub(crate) type Verdict = Result<(), io::Error>;

/// Tells the verdict on the first connection that is made with it.
#[derive(Debug, Clone)]
pub(crate) struct Judge(Arc<Mutex<Option<oneshot::Sender<Verdict>>>>);

impl Judge {
    pub(crate) fn new() -> (Self, oneshot::Receiver<Verdict>) {
        let (tell, verdict) = oneshot::channel();
        (Self(Arc::new(Mutex::new(Some(tell)))), verdict)
    }

    /// Watches the first bytes that come out of `stream`.
    pub(crate) fn watch<S>(&self, stream: S) -> Watched<S> {
        let tell = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        Watched { stream, tell, seen: 0 }
    }
}

/// A stream whose first bytes are looked at.
#[derive(Debug)]
pub(crate) struct Watched<S> {
    stream: S,
    tell: Option<oneshot::Sender<Verdict>>,
    seen: usize,
}

impl<S> Watched<S> {
    fn judge(&mut self, read: &Poll<io::Result<()>>, fresh: &[u8]) {
        let verdict = match read {
            Poll::Pending => return,
            Poll::Ready(Err(error)) => Err(again(error)),
            Poll::Ready(Ok(())) if fresh.is_empty() => {
                Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it closed the connection"))
            }
            Poll::Ready(Ok(())) => {
                let kind = TYPE.checked_sub(self.seen).and_then(|at| fresh.get(at));
                self.seen += fresh.len();
                match kind {
                    None => return,
                    Some(&SETTINGS) => Ok(()),
                    Some(_) => {
                        Err(io::Error::new(io::ErrorKind::InvalidData, "it speaks no HTTP/2"))
                    }
                }
            }
        };
        if let Some(tell) = self.tell.take() {
            let _nobody_waits = tell.send(verdict);
        }
    }
}

/// The same error for a second reader, with what is inside if it can be had.
fn again(error: &io::Error) -> io::Error {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match inner {
        Some(inner) => io::Error::new(error.kind(), inner.clone()),
        None => io::Error::new(error.kind(), error.to_string()),
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if self.tell.is_some() {
            self.judge(&read, &buffer.filled()[before..]);
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    /// What is said of a peer that sends these pieces and closes.
    async fn verdict(pieces: &[&[u8]]) -> Result<(), String> {
        let (mut peer, near) = tokio::io::duplex(64);
        let (judge, verdict) = Judge::new();
        let mut watched = judge.watch(near);
        let mut read = [0; 64];
        for piece in pieces {
            peer.write_all(piece).await.unwrap();
            let _all = watched.read(&mut read).await.unwrap();
        }
        drop(peer);
        let _end = watched.read(&mut read).await.unwrap();
        verdict.await.unwrap().map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn settings_first_is_http_2_however_it_is_cut() {
        let settings: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
        assert_eq!(verdict(&[settings]).await, Ok(()));
        let bytes: Vec<&[u8]> = settings.chunks(1).collect();
        assert_eq!(verdict(&bytes).await, Ok(()));
        assert_eq!(verdict(&[&settings[..3], &settings[3..]]).await, Ok(()));
    }

    #[tokio::test]
    async fn a_tls_alert_other_text_and_silence_are_none() {
        let alert: &[u8] = &[0x15, 3, 3, 0, 2, 2, 70];
        for other in [alert, b"HTTP/1.1 400 Bad Request\r\n"] {
            assert_eq!(verdict(&[other]).await, Err("it speaks no HTTP/2".to_owned()));
        }
        for short in [&[][..], &[&[0, 0][..]]] {
            assert_eq!(verdict(short).await, Err("it closed the connection".to_owned()));
        }
    }
}
