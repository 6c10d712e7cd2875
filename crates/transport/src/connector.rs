//! From a place to dial to a gRPC channel: raw connection, TLS, HTTP/2.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use http::Uri;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::oneshot;
use tokio_rustls::TlsConnector;
use tonic::transport::{Channel, Endpoint};

use crate::accept::Stream;
use crate::broker::BrokerError;
use crate::error::ConnectError;
use crate::handshake::Address;
use crate::settled::{Judge, Verdict, Watched};
use crate::tls::{IdentityMismatch, PeerTls};

/// Where raw connections come from. A channel that lost its connection asks
/// again.
#[async_trait]
pub(crate) trait Dial: fmt::Debug + Send + Sync + 'static {
    /// Makes one.
    async fn dial(&self) -> Result<Stream, DialError>;

    /// What a connection that does not stand within the limit is called.
    fn timed_out(&self, within: Duration) -> DialError;
}

/// Why a connection could not be made, by who asked for it.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum DialError {
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error(transparent)]
    Broker(#[from] BrokerError),
}

/// Connects to an address; see [`connect_over`].
pub(crate) async fn connect(
    address: &Address,
    tls: Option<&PeerTls>,
    within: Duration,
) -> Result<Channel, ConnectError> {
    connect_over(Arc::new(address.clone()), tls, within).await.map_err(DialError::of_address)
}

/// Without `tls`, HTTP/2 begins at once.
///
/// go-plugin sets no limit on a host's side; neither do we on the channel.
/// Small calls want the default windows: an adaptive one kills the connection
/// at 256 calls in flight.
pub(crate) async fn connect_over(
    dial: Arc<dyn Dial>,
    tls: Option<&PeerTls>,
    within: Duration,
) -> Result<Channel, DialError> {
    let (judge, verdict) = Judge::new();
    let connector = Connector { dial: dial.clone(), tls: tls.cloned(), judge };
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
        Err(_) => Err(dial.timed_out(within)),
    }
}

impl DialError {
    /// Of a connection that no broker has a part in.
    pub(crate) fn of_address(self) -> ConnectError {
        match self {
            Self::Connect(error) => error,
            Self::Broker(error) => ConnectError::Http2 { reason: error.to_string() },
        }
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
fn typed(error: &tonic::transport::Error) -> DialError {
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        if let Some(ours) = inner.downcast_ref::<DialError>() {
            return ours.clone();
        }
        source = inner.source();
    }
    ConnectError::Http2 { reason: innermost(error) }.into()
}

fn innermost(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

#[derive(Clone)]
struct Connector {
    dial: Arc<dyn Dial>,
    tls: Option<PeerTls>,
    judge: Judge,
}

type Connecting = Pin<Box<dyn Future<Output = Result<TokioIo<Watched<Stream>>, DialError>> + Send>>;

impl tower_service::Service<Uri> for Connector {
    type Response = TokioIo<Watched<Stream>>;
    type Error = DialError;
    type Future = Connecting;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), DialError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Connecting {
        let Self { dial, tls, judge } = self.clone();
        Box::pin(async move {
            let stream = secure(tls.as_ref(), dial.dial().await?).await?;
            Ok(TokioIo::new(judge.watch(stream)))
        })
    }
}

#[async_trait]
impl Dial for Address {
    async fn dial(&self) -> Result<Stream, DialError> {
        match raw(self).await {
            Ok(stream) => Ok(stream),
            Err(error) => {
                let (address, reason) = (self.clone(), error.to_string());
                Err(ConnectError::Dial { address, reason }.into())
            }
        }
    }

    fn timed_out(&self, within: Duration) -> DialError {
        ConnectError::TimedOut { address: self.clone(), within }.into()
    }
}

/// A socket that is connected, and nothing on it yet.
pub(crate) async fn raw(address: &Address) -> io::Result<Stream> {
    match address {
        Address::Unix(path) => Ok(Box::new(UnixStream::connect(path).await?)),
        Address::Tcp { host, port } => {
            let socket = TcpStream::connect((host.as_str(), *port)).await?;
            socket.set_nodelay(true)?;
            Ok(Box::new(socket))
        }
    }
}

async fn secure(tls: Option<&PeerTls>, stream: Stream) -> Result<Stream, ConnectError> {
    let Some(PeerTls { client, server_name, .. }) = tls else { return Ok(stream) };
    let connector = TlsConnector::from(client.clone());
    match connector.connect(server_name.clone(), stream).await {
        Ok(stream) => Ok(Box::new(stream)),
        Err(error) if is_identity_mismatch(&error) => Err(ConnectError::IdentityMismatch),
        Err(error) => Err(ConnectError::Tls { reason: error.to_string() }),
    }
}

fn is_identity_mismatch(error: &io::Error) -> bool {
    use rustls::{CertificateError, Error};
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    matches!(tls, Some(Error::InvalidCertificate(CertificateError::Other(other)))
        if other.0.downcast_ref::<IdentityMismatch>().is_some())
}
