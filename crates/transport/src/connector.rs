//! From an address to a gRPC channel: socket, TLS, HTTP/2.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::oneshot;
use tokio_rustls::TlsConnector;
use tonic::transport::{Channel, Endpoint};

use crate::error::ConnectError;
use crate::handshake::Address;
use crate::settled::{Judge, Verdict, Watched};
use crate::tls::{IdentityMismatch, PeerTls};

/// Without `tls`, HTTP/2 begins at once.
///
/// go-plugin sets no limit on a host's side; neither do we on the channel.
/// Small calls want the default windows: an adaptive one kills the connection
/// at 256 calls in flight.
pub(crate) async fn connect(
    address: &Address,
    tls: Option<&PeerTls>,
    within: Duration,
) -> Result<Channel, ConnectError> {
    let (judge, verdict) = Judge::new();
    let connector = Connector { address: address.clone(), tls: tls.cloned(), judge };
    // The scheme `http` keeps tonic from a TLS of its own; the origin is what
    // goes over the wire.
    let origin = if tls.is_some() { "https://localhost" } else { "http://localhost" };
    let endpoint = Endpoint::from_static("http://localhost").origin(Uri::from_static(origin));
    let connecting = async {
        let channel = endpoint.connect_with_connector(connector).await;
        let channel = channel.map_err(|error| typed(&error))?;
        settled(verdict, tls.is_some()).await?;
        Ok(channel)
    };
    match tokio::time::timeout(within, connecting).await {
        Ok(connected) => connected,
        Err(_) => Err(ConnectError::TimedOut { address: address.clone(), within }),
    }
}

/// Waits for the other side's first bytes: until then a connection stands that
/// it may refuse, or take for something else.
async fn settled(verdict: oneshot::Receiver<Verdict>, tls: bool) -> Result<(), ConnectError> {
    let verdict = verdict.await.unwrap_or_else(|_| Err(io::ErrorKind::BrokenPipe.into()));
    let Err(error) = verdict else { return Ok(()) };
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    Err(match inner {
        Some(error) => ConnectError::Tls { reason: error.to_string() },
        None if tls => ConnectError::Http2 { reason: error.to_string() },
        None => ConnectError::Http2 {
            reason: format!("{error}; it may expect TLS, which this host was told not to speak"),
        },
    })
}

/// The connector's own error, from under the layers that wrapped it.
fn typed(error: &tonic::transport::Error) -> ConnectError {
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        if let Some(ours) = inner.downcast_ref::<ConnectError>() {
            return ours.clone();
        }
        source = inner.source();
    }
    ConnectError::Http2 { reason: innermost(error) }
}

fn innermost(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

#[derive(Clone)]
struct Connector {
    address: Address,
    tls: Option<PeerTls>,
    judge: Judge,
}

type Connecting =
    Pin<Box<dyn Future<Output = Result<TokioIo<Watched<Box<dyn Io>>>, ConnectError>> + Send>>;

impl tower_service::Service<Uri> for Connector {
    type Response = TokioIo<Watched<Box<dyn Io>>>;
    type Error = ConnectError;
    type Future = Connecting;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Connecting {
        let Self { address, tls, judge } = self.clone();
        Box::pin(async move {
            let stream = dial(&address, tls.as_ref()).await?;
            Ok(TokioIo::new(judge.watch(stream)))
        })
    }
}

async fn dial(address: &Address, tls: Option<&PeerTls>) -> Result<Box<dyn Io>, ConnectError> {
    let unreachable = |error: io::Error| ConnectError::Dial {
        address: address.clone(),
        reason: error.to_string(),
    };
    match address {
        Address::Unix(path) => {
            let socket = UnixStream::connect(path).await.map_err(unreachable)?;
            secure(tls, socket).await
        }
        Address::Tcp { host, port } => {
            let socket = TcpStream::connect((host.as_str(), *port)).await.map_err(unreachable)?;
            socket.set_nodelay(true).map_err(unreachable)?;
            secure(tls, socket).await
        }
    }
}

async fn secure<S>(tls: Option<&PeerTls>, socket: S) -> Result<Box<dyn Io>, ConnectError>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let Some(PeerTls { client, server_name, .. }) = tls else { return Ok(Box::new(socket)) };
    let connector = TlsConnector::from(client.clone());
    let stream = connector.connect(server_name.clone(), socket).await.map_err(|error| {
        if is_identity_mismatch(&error) {
            ConnectError::IdentityMismatch
        } else {
            ConnectError::Tls { reason: error.to_string() }
        }
    })?;
    Ok(Box::new(stream))
}

fn is_identity_mismatch(error: &io::Error) -> bool {
    use rustls::{CertificateError, Error};
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    matches!(tls, Some(Error::InvalidCertificate(CertificateError::Other(other)))
        if other.0.downcast_ref::<IdentityMismatch>().is_some())
}
