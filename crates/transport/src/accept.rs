//! Connections from the other side, their TLS handshakes done: a plugin's main
//! ones from its host, and those of a brokered service on either side.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{Semaphore, mpsc};
use tokio_rustls::TlsAcceptor;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::AbortOnDropHandle;

use crate::mux::MuxStream;
use crate::sockets::SocketFile;

mod multiplexed;
mod peer;

pub use peer::PeerIo;
pub(crate) use peer::Stream;

/// A peer that takes longer to shake hands is dropped.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);

/// Peers that may shake hands at the same time; a host needs one.
const HANDSHAKES: usize = 16;

/// Until the next try after `accept` failed, which it does while descriptors
/// are short.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// Where peers come from.
#[derive(Debug)]
pub(crate) enum Listener {
    Unix(UnixListener),
    Tcp(TcpListener),
    /// Streams of a multiplexed session; without a sender nobody comes any more.
    Streams(mpsc::Receiver<MuxStream>),
}

/// Streams that may wait to be accepted: as many as yamux lets wait.
pub(crate) const BACKLOG: usize = 256;

impl Listener {
    /// Waits for a peer; `None` if nobody can come any more.
    async fn accept(&mut self) -> io::Result<Option<Stream>> {
        match self {
            Self::Unix(listener) => Ok(Some(Box::new(listener.accept().await?.0))),
            Self::Tcp(listener) => {
                let (peer, _) = listener.accept().await?;
                // Small answers wait for nothing; a failure costs only time.
                let _slower = peer.set_nodelay(true);
                Ok(Some(Box::new(peer)))
            }
            Self::Streams(streams) => {
                Ok(streams.recv().await.map(|stream| Box::new(stream) as Stream))
            }
        }
    }
}

/// Connections whose handshake is done. A socket's file goes with it, and so
/// does the task that it comes from.
#[derive(Debug)]
pub struct Incoming {
    connections: ReceiverStream<io::Result<PeerIo>>,
    severed: CancellationToken,
    _accepting: AbortOnDropHandle<()>,
    /// Runs the multiplexed session that the connections come from.
    _session: Option<AbortOnDropHandle<()>>,
    _socket: Option<SocketFile>,
}

/// Dropping it ends every connection that came from its [`Incoming`]: reads
/// find the end of the stream.
#[derive(Debug)]
pub struct ConnectionGuard {
    _severs: DropGuard,
}

impl Incoming {
    /// `refused` is what a failed handshake may mean, for the log.
    pub(crate) fn new(
        listener: Listener,
        acceptor: Option<TlsAcceptor>,
        socket: Option<SocketFile>,
        refused: &'static str,
    ) -> Self {
        let severed = CancellationToken::new();
        let (accepted, connections) = mpsc::channel(HANDSHAKES);
        let accepting =
            tokio::spawn(accept(listener, acceptor, accepted, severed.clone(), refused));
        Self {
            connections: ReceiverStream::new(connections),
            severed,
            _accepting: AbortOnDropHandle::new(accepting),
            _session: None,
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
    type Item = io::Result<PeerIo>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut self.connections).poll_next(cx)
    }
}

async fn accept(
    mut listener: Listener,
    acceptor: Option<TlsAcceptor>,
    accepted: mpsc::Sender<io::Result<PeerIo>>,
    severed: CancellationToken,
    refused: &'static str,
) {
    let slots = Arc::new(Semaphore::new(HANDSHAKES));
    while let Ok(slot) = slots.clone().acquire_owned().await {
        let peer = match listener.accept().await {
            Ok(Some(peer)) => peer,
            Ok(None) => return,
            Err(_) => {
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let (acceptor, accepted, severed) = (acceptor.clone(), accepted.clone(), severed.clone());
        tokio::spawn(async move {
            let _slot = slot;
            let secured = tokio::select! {
                secured = secure(acceptor, peer, refused) => secured,
                () = severed.cancelled() => None,
                () = accepted.closed() => None,
            };
            if let Some(stream) = secured {
                let _stopped = accepted.send(Ok(PeerIo::new(stream, severed))).await;
            }
        });
    }
}

async fn secure(
    acceptor: Option<TlsAcceptor>,
    peer: Stream,
    refused: &'static str,
) -> Option<Stream> {
    let Some(acceptor) = acceptor else {
        return Some(peer);
    };
    match tokio::time::timeout(HANDSHAKE_LIMIT, acceptor.accept(peer)).await {
        Ok(Ok(stream)) => Some(Box::new(stream)),
        Ok(Err(error)) => {
            tracing::warn!(%error, "refused a connection{refused}");
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

    use crate::serve::{HostRequest, Listening};

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
