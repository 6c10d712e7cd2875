//! The TLS of a node's RPC servers, from the security plugin. It never falls
//! back to plain text: whoever wants TLS and cannot have it gets an error.

use std::sync::Arc;

use outrigger::security::{self, TlsConfiguration, TlsConfigurationSource};
use outrigger::{GatewayError, Generation, PluginHost, PluginStatus};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{CipherSuite, ServerConfig};
use tokio::sync::watch;

/// What GoQuorum offers where the plugin names no suite, as IANA numbers them.
const DEFAULT_SUITES: [u16; 4] = [0xc030, 0xc02c, 0xc014, 0xc00a];

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// The plugin cannot be asked, or answers with nonsense.
    #[error("the security plugin gave no TLS configuration; its log says why")]
    Gateway(#[from] GatewayError),
    /// The plugin serves the service, and has nothing to serve.
    #[error("the security plugin has no TLS configuration; configure one, or switch its TLS off")]
    Nothing,
    /// The certificate cannot be read.
    #[error("the TLS certificate of the security plugin is not PEM; correct it")]
    Certificate,
    /// The key cannot be read. Nothing of it is shown.
    #[error("the TLS key of the security plugin is not PEM; correct it")]
    Key,
    /// None of the cipher suites can be used.
    #[error(
        "none of the security plugin's cipher suites ({0:04x?}) is supported; name one with ECDHE \
         and GCM or ChaCha20-Poly1305"
    )]
    Suites(Vec<u16>),
    /// Key and certificate do not fit, or their kind is not supported.
    #[error("the TLS key and certificate of the security plugin cannot be used: {0}; correct them")]
    Rejected(rustls::Error),
}

/// A server's configuration: TLS 1.2 and 1.3, the plugin's suites as far as
/// they are supported. Suites with CBC are not, and are left out; those of
/// TLS 1.3 are always offered, as in Go.
///
/// # Errors
///
/// [`TlsError`], all but `Gateway` and `Nothing`.
pub fn server_config(given: &TlsConfiguration) -> Result<ServerConfig, TlsError> {
    let chain: Vec<CertificateDer<'static>> =
        CertificateDer::pem_slice_iter(&given.certificate_pem)
            .collect::<Result<_, _>>()
            .map_err(|_| TlsError::Certificate)?;
    if chain.is_empty() {
        return Err(TlsError::Certificate);
    }
    let key = PrivateKeyDer::from_pem_slice(&given.key_pem).map_err(|_| TlsError::Key)?;
    let provider = provider(&given.cipher_suites)?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Rejected)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(TlsError::Rejected)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn provider(suites: &[u16]) -> Result<CryptoProvider, TlsError> {
    let mut provider = ring::default_provider();
    let named = if suites.is_empty() { &DEFAULT_SUITES[..] } else { suites };
    let mut chosen: Vec<_> =
        provider.cipher_suites.iter().filter(|suite| suite.tls13().is_some()).copied().collect();
    let always = chosen.len();
    for wanted in named {
        let wanted = CipherSuite::from(*wanted);
        match provider.cipher_suites.iter().find(|suite| suite.suite() == wanted) {
            Some(found) if chosen.contains(found) => {}
            Some(found) => chosen.push(*found),
            None if suites.is_empty() => {}
            None => tracing::warn!("cipher suite {wanted:?} is not supported and left out"),
        }
    }
    let of_tls_1_3 = |wanted: &u16| (0x1301..=0x1305).contains(wanted);
    if chosen.len() == always && !suites.iter().any(of_tls_1_3) {
        return Err(TlsError::Suites(suites.to_vec()));
    }
    provider.cipher_suites = chosen;
    Ok(provider)
}

/// The configuration that new connections get. It follows the plugin.
pub type Current = watch::Receiver<Arc<ServerConfig>>;

/// Asks the source once; `None` where the plugin serves no TLS at all, and only
/// then.
///
/// # Errors
///
/// [`TlsError`].
pub async fn fetch(source: &impl TlsConfigurationSource) -> Result<Option<ServerConfig>, TlsError> {
    match source.get().await {
        Ok(Some(given)) => server_config(&given).map(Some),
        Ok(None) => Err(TlsError::Nothing),
        Err(GatewayError::Unimplemented { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Asks the source again whenever `changes` says that another generation
/// serves, until that ends. A configuration that cannot be used changes
/// nothing and is logged.
pub async fn rotate(
    source: impl TlsConfigurationSource,
    mut changes: watch::Receiver<Option<u64>>,
    current: watch::Sender<Arc<ServerConfig>>,
) {
    loop {
        if changes.borrow_and_update().is_some() {
            match fetch(&source).await {
                Ok(Some(config)) => {
                    current.send_replace(Arc::new(config));
                    tracing::info!("new connections get the security plugin's present certificate");
                }
                Ok(None) => tracing::error!(
                    "the security plugin serves no TLS any more; the certificate before stays"
                ),
                Err(error) => tracing::error!("{error}; the certificate before stays"),
            }
        }
        if changes.changed().await.is_err() {
            return;
        }
    }
}

/// The present configuration of the host's security plugin, and the work that
/// keeps it present, which is to be spawned; `None` where it serves no TLS.
///
/// # Errors
///
/// [`TlsError`]: then nobody should listen.
pub async fn following(
    host: &PluginHost,
    handle: security::Handle,
) -> Result<Option<(Current, impl Future<Output = ()> + Send + 'static)>, TlsError> {
    // Watched first, so that no change is missed.
    let statuses = host.watch(security::INTERFACE);
    let Some(config) = fetch(&handle).await? else { return Ok(None) };
    let (current, receiver) = watch::channel(Arc::new(config));
    let work = async move {
        let Some(mut statuses) = statuses else { return };
        let generation = |statuses: &mut watch::Receiver<PluginStatus>| {
            statuses.borrow_and_update().generation.map(|Generation(number)| number)
        };
        let (changes, generations) = watch::channel(generation(&mut statuses));
        let follow = async move {
            while statuses.changed().await.is_ok() {
                let now = generation(&mut statuses);
                changes.send_if_modified(|known| std::mem::replace(known, now) != now);
            }
        };
        tokio::join!(follow, rotate(handle, generations, current));
    };
    Ok(Some((receiver, work)))
}

#[cfg(test)]
mod tests;
