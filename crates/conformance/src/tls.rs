//! TLS as the kit speaks it. It takes any certificate whose key the peer
//! proves to hold: which one it was is for the cases to judge.

mod accept;

use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ResolvesClientCert, Resumption};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{
    ClientConfig, DigitallySignedStruct, Error, SignatureScheme, SupportedProtocolVersion,
};
use tokio_rustls::TlsConnector;

use crate::identity::{Identity, SERVER_NAME};
use crate::provider::provider;
use crate::wire::{ANSWER, BoxIo};

pub(crate) use accept::{Accepted, Acceptor};

/// What peers have to negotiate.
pub(crate) const ALPN: &[u8] = b"h2";

/// Both that rustls has.
pub(crate) const VERSIONS: &[&SupportedProtocolVersion] =
    &[&rustls::version::TLS13, &rustls::version::TLS12];

/// A client, as a case wants it.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    /// What it presents when it is asked; nothing without one.
    pub(crate) identity: Option<Identity>,
    pub(crate) versions: &'static [&'static SupportedProtocolVersion],
}

/// A connection, and what the server showed of itself.
pub(crate) struct Secured {
    pub(crate) io: BoxIo,
    /// The certificates, the peer's own first.
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) alpn: Option<Vec<u8>>,
    /// What the server asked of the client's certificate, if it did.
    pub(crate) asked: Option<Asked>,
}

/// A server's wish for a client certificate.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// Names of authorities, in DER.
    pub(crate) authorities: Vec<Vec<u8>>,
    pub(crate) schemes: Vec<SignatureScheme>,
}

impl Client {
    /// One that presents `identity`, and speaks all versions.
    pub(crate) fn new(identity: Option<Identity>) -> Self {
        Self { identity, versions: VERSIONS }
    }

    /// Shakes hands. Under TLS 1.3 a server that refuses the client says so only
    /// afterwards.
    pub(crate) async fn connect(&self, io: BoxIo) -> Result<Secured, String> {
        let presenting = Arc::new(Presenting {
            identity: self.identity.as_ref().map(Identity::certified),
            asked: Mutex::new(None),
        });
        let config = self.config(presenting.clone()).map_err(|error| error.to_string())?;
        let name = ServerName::try_from(SERVER_NAME).map_err(|error| error.to_string())?;
        let connecting = TlsConnector::from(Arc::new(config)).connect(name, io);
        let stream = match tokio::time::timeout(ANSWER, connecting).await {
            Ok(connected) => connected.map_err(|error| error.to_string())?,
            Err(_) => return Err("nothing came in answer to a ClientHello".into()),
        };
        let session = stream.get_ref().1;
        let chain = session.peer_certificates().unwrap_or_default();
        let chain = chain.iter().map(|certificate| certificate.clone().into_owned()).collect();
        let alpn = session.alpn_protocol().map(<[u8]>::to_vec);
        let asked = presenting.asked.lock().unwrap_or_else(PoisonError::into_inner).take();
        Ok(Secured { chain, alpn, asked, io: Box::new(stream) })
    }

    fn config(&self, presenting: Arc<Presenting>) -> Result<ClientConfig, Error> {
        let mut config = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(self.versions)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(HoldsItsKey::default()))
            .with_client_cert_resolver(presenting);
        config.alpn_protocols = vec![ALPN.to_vec()];
        config.resumption = Resumption::disabled();
        Ok(config)
    }
}

/// Presents a certificate to whoever asks, and notes what was asked.
#[derive(Debug)]
struct Presenting {
    identity: Option<Arc<CertifiedKey>>,
    asked: Mutex<Option<Asked>>,
}

impl ResolvesClientCert for Presenting {
    fn resolve(
        &self,
        authorities: &[&[u8]],
        schemes: &[SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        let authorities = authorities.iter().map(|name| name.to_vec()).collect();
        let asked = Asked { authorities, schemes: schemes.to_vec() };
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner) = Some(asked);
        self.identity.clone()
    }

    /// Always, so as to be asked: a client without one answers with nothing.
    fn has_certs(&self) -> bool {
        true
    }
}

/// Takes any certificate, if the peer holds its key.
#[derive(Debug)]
struct HoldsItsKey(WebPkiSupportedAlgorithms);

impl Default for HoldsItsKey {
    fn default() -> Self {
        Self(provider().signature_verification_algorithms)
    }
}

impl ServerCertVerifier for HoldsItsKey {
    fn verify_server_cert(
        &self,
        _presented: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}
