//! TLS on the address, and certificates of clients.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::limit::Limited;

/// For a client to shake hands.
const HANDSHAKE: Duration = Duration::from_secs(5);

/// Clients that do so at a time.
const SHAKING: usize = 128;

/// The files of TLS, in PEM.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// The server's certificate, and the chain above it.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
    /// Whose certificates of clients are as good as the full token; `None`: nobody's.
    pub client_ca: Option<PathBuf>,
}

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file cannot be read, or has another form.
    #[error("{what} cannot be read from {}: {reason}; give a PEM file", file.display())]
    File {
        /// What it was to be.
        what: &'static str,
        /// The file.
        file: PathBuf,
        /// What is wrong. Nothing of a key is shown.
        reason: String,
    },
    /// They do not fit, or their kind is not supported.
    #[error("certificate and key cannot be used: {0}; correct them")]
    Rejected(String),
}

pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

pub(crate) fn chain(
    what: &'static str,
    file: &Path,
) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let wrong = |reason: String| TlsError::File { what, file: file.to_owned(), reason };
    let found = CertificateDer::pem_file_iter(file).map_err(|error| wrong(error.to_string()))?;
    let found: Vec<_> =
        found.collect::<Result<_, _>>().map_err(|error| wrong(error.to_string()))?;
    if found.is_empty() {
        return Err(wrong("there is no certificate in it".to_owned()));
    }
    Ok(found)
}

pub(crate) fn key(file: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_file(file).map_err(|error| {
        let reason = error.to_string();
        TlsError::File { what: "the key", file: file.to_owned(), reason }
    })
}

pub(crate) fn roots(file: &Path) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in chain("the certificate of the authority", file)? {
        roots.add(certificate).map_err(rejected)?;
    }
    Ok(roots)
}

pub(crate) fn rejected(error: impl ToString) -> TlsError {
    TlsError::Rejected(error.to_string())
}

/// What the address speaks. Blocks on the disk.
pub(crate) fn config(files: &TlsFiles) -> Result<ServerConfig, TlsError> {
    let builder = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(rejected)?;
    let builder = match &files.client_ca {
        None => builder.with_no_client_auth(),
        Some(ca) => {
            let roots = Arc::new(roots(ca)?);
            let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider());
            // One without a certificate needs a token.
            let verifier = verifier.allow_unauthenticated().build().map_err(rejected)?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let (chain, key) = (chain("the certificate", &files.certificate)?, key(&files.key)?);
    let mut config = builder.with_single_cert(chain, key).map_err(rejected)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// Who is at the other end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer {
    pub(crate) address: Option<SocketAddr>,
    /// It has a certificate that the client authority vouches for.
    pub(crate) is_certified: bool,
}

impl Connected<IncomingStream<'_, Limited<TcpListener>>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Limited<TcpListener>>) -> Self {
        Self { address: Some(*stream.remote_addr()), is_certified: false }
    }
}

impl Connected<IncomingStream<'_, Limited<TlsListener>>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Limited<TlsListener>>) -> Self {
        *stream.remote_addr()
    }
}

/// Shakes hands with several at a time, so that one that says nothing is in nobody's way.
pub(crate) struct TlsListener {
    inner: TcpListener,
    acceptor: TlsAcceptor,
    shaking: JoinSet<Option<(TlsStream<TcpStream>, SocketAddr)>>,
}

impl TlsListener {
    pub(crate) fn new(inner: TcpListener, config: ServerConfig) -> Self {
        let acceptor = TlsAcceptor::from(Arc::new(config));
        Self { inner, acceptor, shaking: JoinSet::new() }
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = Peer;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            tokio::select! {
                Some(shaken) = self.shaking.join_next(), if !self.shaking.is_empty() => {
                    if let Ok(Some((stream, address))) = shaken {
                        let is_certified = stream.get_ref().1.peer_certificates().is_some();
                        return (stream, Peer { address: Some(address), is_certified });
                    }
                }
                (stream, address) = Listener::accept(&mut self.inner),
                    if self.shaking.len() < SHAKING =>
                {
                    let accepting = self.acceptor.accept(stream);
                    self.shaking.spawn(async move {
                        match timeout(HANDSHAKE, accepting).await {
                            Ok(Ok(stream)) => Some((stream, address)),
                            Ok(Err(error)) => {
                                tracing::debug!("a client of the admin API was not let in: {error}");
                                None
                            }
                            Err(_) => None,
                        }
                    });
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        // It is not the other end of anything.
        Ok(Peer { address: None, is_certified: false })
    }
}
