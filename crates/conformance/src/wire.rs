//! The kit's own way to a peer: sockets, and gRPC over any stream of bytes.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::rt::TokioIo;
use outrigger_proto::health::HealthCheckRequest;
use outrigger_proto::health::health_client::HealthClient;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tonic::Status;
use tonic::transport::{Channel, Endpoint};

/// For whatever a peer does at once when it is well. Generous, since the
/// machine may be busy.
pub(crate) const ANSWER: Duration = Duration::from_secs(10);

/// Where a peer listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Address {
    Unix(PathBuf),
    Tcp(SocketAddr),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "{}", path.display()),
            Self::Tcp(address) => write!(f, "{address}"),
        }
    }
}

/// A stream of bytes.
pub(crate) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// Any stream of bytes.
pub(crate) type BoxIo = Box<dyn Io>;

/// Connects to an address.
pub(crate) async fn dial(address: &Address) -> io::Result<BoxIo> {
    let dialling = async {
        let io: BoxIo = match address {
            Address::Unix(path) => Box::new(UnixStream::connect(path).await?),
            Address::Tcp(address) => {
                let socket = TcpStream::connect(address).await?;
                socket.set_nodelay(true)?;
                Box::new(socket)
            }
        };
        Ok(io)
    };
    match tokio::time::timeout(ANSWER, dialling).await {
        Ok(dialled) => dialled,
        Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "nobody accepted")),
    }
}

/// Connects to an address where somebody may begin to listen a moment later: a
/// plugin that is too slow is to fail the case of that, and not all others.
pub(crate) async fn dial_patiently(address: &Address) -> io::Result<BoxIo> {
    const PATIENCE: Duration = Duration::from_secs(3);
    const PAUSE: Duration = Duration::from_millis(20);
    let given_up = tokio::time::Instant::now() + PATIENCE;
    loop {
        let dialled = dial(address).await;
        let nobody = dialled.as_ref().is_err_and(|error| {
            matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused)
        });
        if !nobody || tokio::time::Instant::now() > given_up {
            return dialled;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// gRPC over a stream. It is used once: a channel whose stream is gone fails.
pub(crate) async fn channel(io: BoxIo, authority: &str) -> Result<Channel, String> {
    let endpoint = Endpoint::from_shared(format!("http://{authority}"));
    let endpoint = endpoint.map_err(|error| error.to_string())?;
    let once = Once(Arc::new(Mutex::new(Some(io))));
    let connecting = endpoint.connect_with_connector(once);
    match tokio::time::timeout(ANSWER, connecting).await {
        Ok(connected) => connected.map_err(|error| innermost(&error)),
        Err(_) => Err("nothing came in answer to HTTP/2's preface".into()),
    }
}

/// Asks for health; any answer of the peer's own is good, a refusal too.
pub(crate) async fn ping(channel: &Channel) -> Result<(), String> {
    match check_health(channel, "plugin").await {
        Ok(_) => Ok(()),
        Err(status) => said_by_peer(&status).map(drop),
    }
}

/// `grpc.health.v1.Health/Check`; the status as a number.
pub(crate) async fn check_health(channel: &Channel, service: &str) -> Result<i32, Status> {
    let request = HealthCheckRequest { service: service.to_owned() };
    let mut client = HealthClient::new(channel.clone());
    match tokio::time::timeout(ANSWER, client.check(request)).await {
        Ok(answer) => answer.map(|answer| answer.into_inner().status),
        Err(_) => Err(silent("Health/Check")),
    }
}

/// A status for a call that was not answered in time. It counts as none of the
/// peer's own.
pub(crate) fn silent(call: &str) -> Status {
    let seconds = ANSWER.as_secs();
    let late =
        io::Error::new(io::ErrorKind::TimedOut, format!("{call} was not answered in {seconds} s"));
    let mut status = Status::deadline_exceeded(late.to_string());
    status.set_source(Arc::new(late));
    status
}

/// The status, if the peer sent it; what broke, if the connection did.
pub(crate) fn said_by_peer(status: &Status) -> Result<&Status, String> {
    match std::error::Error::source(status) {
        None => Ok(status),
        Some(source) => Err(innermost(source)),
    }
}

/// The error beneath all others.
pub(crate) fn innermost(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

/// Removes the file of a socket with it.
#[derive(Debug)]
pub(crate) struct SocketFile(pub(crate) PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        let _gone = std::fs::remove_file(&self.0);
    }
}

/// Connects with a stream that is there already.
#[derive(Clone)]
struct Once(Arc<Mutex<Option<BoxIo>>>);

impl tower_service::Service<Uri> for Once {
    type Response = TokioIo<BoxIo>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<TokioIo<BoxIo>>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let io = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let gone = || io::Error::new(io::ErrorKind::NotConnected, "the connection was closed");
        Box::pin(std::future::ready(io.map(TokioIo::new).ok_or_else(gone)))
    }
}
