//! How a command speaks TLS to a host.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::tls::{TlsError, chain, key, provider, rejected, roots};

/// A client of one host that speaks TLS.
#[derive(Clone)]
pub struct TlsClient(TlsConnector);

impl fmt::Debug for TlsClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TlsClient")
    }
}

impl TlsClient {
    /// Trusts what this authority vouches for, or this very certificate, and shows its
    /// own certificate, with its key, if it has one. All are PEM files.
    ///
    /// # Errors
    ///
    /// [`TlsError`].
    pub fn new(authority: &Path, own: Option<(&Path, &Path)>) -> Result<Self, TlsError> {
        let builder = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(rejected)?
            .with_root_certificates(roots(authority)?);
        let config = match own {
            None => builder.with_no_client_auth(),
            Some((certificate, file)) => {
                let chain = chain("the client's certificate", certificate)?;
                builder.with_client_auth_cert(chain, key(file)?).map_err(rejected)?
            }
        };
        Ok(Self(TlsConnector::from(Arc::new(config))))
    }

    /// Shakes hands with `host`, a name or an address without its port.
    ///
    /// # Errors
    ///
    /// As of TLS; that of a name that is none.
    pub async fn connect(
        &self,
        host: &str,
        stream: TcpStream,
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let name = ServerName::try_from(host.to_owned());
        let name = name.map_err(|error| std::io::Error::other(error.to_string()))?;
        self.0.connect(name, stream).await
    }
}
