//! The connection: socket, TLS, HTTP/2.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::rt::TokioIo;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{
    CryptoProvider, aws_lc_rs, ring, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;
use tonic::transport::{Channel, Endpoint};

use crate::Wrong;
use crate::identity::Identity;
use crate::line::{Address, Line};

/// For socket, TLS and HTTP/2.
const LIMIT: Duration = Duration::from_secs(5);

/// How often a host pings that should not.
const PINGS: Duration = Duration::from_millis(200);

pub(crate) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Io for S {}

/// Connects to what the line names.
pub(crate) async fn connect(
    wrong: &Wrong,
    identity: &Identity,
    line: Line,
) -> Result<Channel, String> {
    let connecting = async {
        let raw: Box<dyn Io> = match &line.address {
            Address::Unix(path) => Box::new(UnixStream::connect(path).await.map_err(text)?),
            Address::Tcp(address) => Box::new(TcpStream::connect(address).await.map_err(text)?),
        };
        let config = config(wrong, identity, line.certificate).map_err(text)?;
        let name = if wrong.is("other-name") { "plugin" } else { "localhost" };
        let name = ServerName::try_from(name).map_err(text)?;
        let stream = TlsConnector::from(Arc::new(config)).connect(name, raw).await.map_err(text)?;
        let mut endpoint = Endpoint::from_static("http://localhost");
        if wrong.is("pings") {
            endpoint = endpoint.http2_keep_alive_interval(PINGS).keep_alive_while_idle(true);
        }
        endpoint.connect_with_connector(Once(Some(Box::new(stream)))).await.map_err(text)
    };
    let connected = tokio::time::timeout(LIMIT, connecting).await;
    connected.unwrap_or_else(|_| Err(format!("it cannot be connected to within {LIMIT:?}")))
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn config(
    wrong: &Wrong,
    identity: &Identity,
    announced: Option<CertificateDer<'static>>,
) -> Result<ClientConfig, Error> {
    let algorithms =
        if wrong.is("no-p521") { ring::default_provider() } else { aws_lc_rs::default_provider() };
    let provider = Arc::new(CryptoProvider {
        signature_verification_algorithms: algorithms.signature_verification_algorithms,
        ..ring::default_provider()
    });
    let pinned = Pinned {
        certificate: announced.filter(|_| !wrong.is("any-certificate")),
        signatures: !wrong.is("any-signature"),
        provider: provider.clone(),
    };
    let other;
    let presented = if wrong.is("other-identity") {
        other = Identity::generate(wrong).map_err(|error| Error::General(error.to_string()))?;
        &other
    } else {
        identity
    };
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(pinned))
        .with_client_auth_cert(presented.chain(), presented.key())?;
    if !wrong.is("no-alpn") {
        config.alpn_protocols = vec![b"h2".to_vec()];
    }
    Ok(config)
}

#[derive(Debug)]
struct Pinned {
    /// `None`: any.
    certificate: Option<CertificateDer<'static>>,
    signatures: bool,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        presented: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match &self.certificate {
            Some(pinned) if pinned != presented || !intermediates.is_empty() => {
                Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
            }
            _ => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        if !self.signatures {
            return Ok(HandshakeSignatureValid::assertion());
        }
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        if !self.signatures {
            return Ok(HandshakeSignatureValid::assertion());
        }
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// A connector for one connection that exists.
struct Once(Option<Box<dyn Io>>);

type Connecting = Pin<Box<dyn Future<Output = std::io::Result<TokioIo<Box<dyn Io>>>> + Send>>;

impl tower_service::Service<Uri> for Once {
    type Response = TokioIo<Box<dyn Io>>;
    type Error = std::io::Error;
    type Future = Connecting;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Connecting {
        let stream = self.0.take();
        let gone = || std::io::Error::other("the connection is gone");
        Box::pin(async move { stream.map(TokioIo::new).ok_or_else(gone) })
    }
}
