//! The kit as a TLS server: for connections that a peer dials.

use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{NoServerSessionStorage, ServerConfig};
use rustls::sign::SingleCertAndKey;
use rustls::{DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};
use tokio_rustls::TlsAcceptor;

use super::{ALPN, HoldsItsKey, VERSIONS};
use crate::identity::Identity;
use crate::provider::provider;
use crate::wire::{ANSWER, BoxIo};

/// A server, as a case wants it.
#[derive(Debug, Clone)]
pub(crate) struct Acceptor {
    pub(crate) identity: Identity,
    /// Whether it asks for a client certificate at all.
    pub(crate) asks: bool,
}

/// A connection, and what the client showed of itself.
pub(crate) struct Accepted {
    pub(crate) io: BoxIo,
    pub(crate) chain: Vec<CertificateDer<'static>>,
    /// The server name that it asked for.
    pub(crate) name: Option<String>,
    pub(crate) alpn: Option<Vec<u8>>,
}

impl Acceptor {
    /// Shakes hands with whoever dialled.
    pub(crate) async fn accept(&self, io: BoxIo) -> Result<Accepted, String> {
        let config = self.config().map_err(|error| error.to_string())?;
        let accepting = TlsAcceptor::from(Arc::new(config)).accept(io);
        let stream = match tokio::time::timeout(ANSWER, accepting).await {
            Ok(accepted) => accepted.map_err(|error| error.to_string())?,
            Err(_) => return Err("whoever connected did not shake hands".into()),
        };
        let session = stream.get_ref().1;
        let chain = session.peer_certificates().unwrap_or_default();
        let chain = chain.iter().map(|certificate| certificate.clone().into_owned()).collect();
        let name = session.server_name().map(str::to_owned);
        let alpn = session.alpn_protocol().map(<[u8]>::to_vec);
        Ok(Accepted { chain, name, alpn, io: Box::new(stream) })
    }

    fn config(&self) -> Result<ServerConfig, Error> {
        let builder =
            ServerConfig::builder_with_provider(provider()).with_protocol_versions(VERSIONS)?;
        let builder = if self.asks {
            builder.with_client_cert_verifier(Arc::new(HoldsItsKey::default()))
        } else {
            builder.with_no_client_auth()
        };
        let key = Arc::unwrap_or_clone(self.identity.certified());
        let mut config = builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(key)));
        config.alpn_protocols = vec![ALPN.to_vec()];
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(config)
    }
}

impl ClientCertVerifier for HoldsItsKey {
    /// A client without one is for the cases to judge.
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    /// None: a Go client whose issuer is not among them sends no certificate.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _presented: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
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
