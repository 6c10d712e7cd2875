//! The order of a start, and the end.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::UnixListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::transport::Server;
use tonic::transport::server::Connected;

use crate::broker::Broker;
use crate::line;
use crate::listen::{self, Role};
use crate::services;
use crate::stdio::Stdio;
use crate::tls::Tls;
use crate::wrong::is;

/// From the host's request until connections are broken off.
const FAREWELL: Duration = Duration::from_millis(50);

/// Connections that wait to be served.
const WAITING: usize = 64;

type Failed = Box<dyn std::error::Error + Send + Sync>;

/// Starts, serves until it is told to end, and cleans up.
pub(crate) async fn serve() -> Result<(), Failed> {
    let version = line::version()?;
    let tls = Tls::from_environment()?;
    let path = listen::path(Role::Main);
    let certificate = tls.as_ref().map(|tls| tls.announced());
    let (mut interrupt, mut terminate) =
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let listener = if is("late-listener") {
        line::announce(version, &path, certificate);
        tokio::time::sleep(Duration::from_millis(300)).await;
        listen::bind(&path, Role::Main)?
    } else {
        let listener = listen::bind(&path, Role::Main)?;
        line::announce(version, &path, certificate);
        listener
    };
    let acceptor = tls.as_ref().map(|tls| tls.acceptor(Role::Main)).transpose()?;
    let end = CancellationToken::new();
    let (broker, stdio) = (Broker::new(tls.clone()), Arc::new(Stdio::default()));
    let router = services::router(version, &end, broker, stdio);
    let incoming = incoming(listener, acceptor);
    let ended = end.clone();
    let graceful = async move {
        if is("waits-for-streams") { ended.cancelled().await } else { std::future::pending().await }
    };
    let mut serving = pin!(router.serve_with_incoming_shutdown(incoming, graceful));
    tokio::select! {
        served = &mut serving => served?,
        _ = interrupt.recv(), if is("dies-of-sigint") => {}
        _ = terminate.recv() => {}
        () = end.cancelled() => {
            if is("waits-for-streams") {
                serving.await?;
            } else {
                let _answering = tokio::time::timeout(FAREWELL, serving).await;
            }
        }
    }
    listen::remove();
    Ok(())
}

/// A server of a brokered socket: what it serves is its own.
pub(crate) fn server() -> Server {
    Server::builder()
}

/// Connections, their TLS done.
pub(crate) fn incoming(
    listener: UnixListener,
    acceptor: Option<TlsAcceptor>,
) -> ReceiverStream<std::io::Result<Io>> {
    let (sender, connections) = mpsc::channel(WAITING);
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let (acceptor, sender) = (acceptor.clone(), sender.clone());
            let shaking = async move {
                let io: Box<dyn Duplex> = match acceptor {
                    None => Box::new(socket),
                    Some(acceptor) => match acceptor.accept(socket).await {
                        Ok(stream) => Box::new(stream),
                        Err(_) => return,
                    },
                };
                let _stopped = sender.send(Ok(Io(io))).await;
            };
            if is("one-handshake-at-a-time") {
                shaking.await;
            } else {
                tokio::spawn(shaking);
            }
        }
    });
    ReceiverStream::new(connections)
}

pub(crate) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// A connection as tonic's server takes it.
pub(crate) struct Io(Box<dyn Duplex>);

impl Connected for Io {
    type ConnectInfo = ();

    fn connect_info(&self) {}
}

impl AsyncRead for Io {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Io {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
