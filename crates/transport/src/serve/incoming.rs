//! Connections from the host, their TLS handshakes done.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{Semaphore, mpsc};
use tokio_rustls::TlsAcceptor;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::AbortOnDropHandle;

use super::listening::SocketFile;
use super::peer::{PluginIo, Stream};

/// A peer that takes longer to shake hands is dropped.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);

/// Peers that may shake hands at the same time; a host needs one.
const HANDSHAKES: usize = 16;

/// Until the next try after `accept` failed, which it does while descriptors
/// are short.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// Where peers come from.
#[derive(Debug)]
pub(super) enum Listener {
    Unix(UnixListener),
    Tcp(TcpListener),
}

/// Connections whose handshake is done; a socket's file goes with it.
#[derive(Debug)]
pub struct Incoming {
    connections: ReceiverStream<io::Result<PluginIo>>,
    severed: CancellationToken,
    _accepting: AbortOnDropHandle<()>,
    _socket: Option<SocketFile>,
}

/// Dropping it ends every connection that came from its [`Incoming`]: reads
/// find the end of the stream.
#[derive(Debug)]
pub struct ConnectionGuard {
    _severs: DropGuard,
}

impl Incoming {
    pub(super) fn new(
        listener: Listener,
        acceptor: Option<TlsAcceptor>,
        socket: Option<SocketFile>,
    ) -> Self {
        let severed = CancellationToken::new();
        let (accepted, connections) = mpsc::channel(HANDSHAKES);
        let accepting = tokio::spawn(accept(listener, acceptor, accepted, severed.clone()));
        Self {
            connections: ReceiverStream::new(connections),
            severed,
            _accepting: AbortOnDropHandle::new(accepting),
            _socket: socket,
        }
    }

    /// Ties the connections to the guard that it returns. A server's own tasks
    /// hold them, and open streams keep those tasks alive for ever.
    #[must_use]
    pub fn guard(&self) -> ConnectionGuard {
        ConnectionGuard { _severs: self.severed.clone().drop_guard() }
    }
}

impl tokio_stream::Stream for Incoming {
    type Item = io::Result<PluginIo>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut self.connections).poll_next(cx)
    }
}

async fn accept(
    listener: Listener,
    acceptor: Option<TlsAcceptor>,
    accepted: mpsc::Sender<io::Result<PluginIo>>,
    severed: CancellationToken,
) {
    let slots = Arc::new(Semaphore::new(HANDSHAKES));
    while let Ok(slot) = slots.clone().acquire_owned().await {
        let peer = match &listener {
            Listener::Unix(listener) => listener.accept().await.map(|(peer, _)| Peer::Unix(peer)),
            Listener::Tcp(listener) => listener.accept().await.map(|(peer, _)| Peer::Tcp(peer)),
        };
        let Ok(peer) = peer else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let (acceptor, accepted, severed) = (acceptor.clone(), accepted.clone(), severed.clone());
        tokio::spawn(async move {
            let _slot = slot;
            let stream = match peer {
                Peer::Unix(peer) => secure(acceptor, peer).await,
                Peer::Tcp(peer) => {
                    // Small answers wait for nothing; a failure costs only time.
                    let _slower = peer.set_nodelay(true);
                    secure(acceptor, peer).await
                }
            };
            if let Some(stream) = stream {
                let _stopped = accepted.send(Ok(PluginIo::new(stream, severed))).await;
            }
        });
    }
}

enum Peer {
    Unix(tokio::net::UnixStream),
    Tcp(tokio::net::TcpStream),
}

async fn secure<S>(acceptor: Option<TlsAcceptor>, peer: S) -> Option<Stream>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let Some(acceptor) = acceptor else {
        return Some(Box::new(peer));
    };
    match tokio::time::timeout(HANDSHAKE_LIMIT, acceptor.accept(peer)).await {
        Ok(Ok(stream)) => Some(Box::new(stream)),
        Ok(Err(error)) => {
            tracing::warn!(%error, "refused a connection");
            None
        }
        Err(_) => {
            tracing::warn!(within = ?HANDSHAKE_LIMIT, "gave up a connection that does not shake hands");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::UnixStream;
    use tokio_stream::StreamExt as _;

    use super::super::{HostRequest, Listening};

    #[tokio::test]
    async fn dropping_the_guard_ends_connections_on_both_sides() {
        let directory = tempfile::tempdir().unwrap();
        let host = HostRequest {
            socket_directory: Some(directory.path().to_owned()),
            ..HostRequest::default()
        };
        let listening = Listening::bind(&host, 1).unwrap();
        let path = listening.line().split('|').nth(3).unwrap().to_owned();
        let mut incoming = listening.incoming();
        let guard = incoming.guard();
        let mut peer = UnixStream::connect(path).await.unwrap();
        peer.write_all(b"x").await.unwrap();
        let mut io = incoming.next().await.unwrap().unwrap();
        assert_eq!(io.read_u8().await.unwrap(), b'x');

        let reading = tokio::spawn(async move { io.read(&mut [0]).await });
        drop(guard);
        assert_eq!(reading.await.unwrap().unwrap(), 0);
        assert_eq!(peer.read(&mut [0]).await.unwrap(), 0);
    }
}
