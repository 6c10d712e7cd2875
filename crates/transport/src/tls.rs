//! TLS that trusts exactly one certificate, and TLS that the caller gives.
//!
//! Each side knows the other's certificate from the handshake, so there is
//! nothing to build a path to: the presented certificate must be that one, byte
//! for byte, alone, and the handshake signature must prove that the peer holds
//! its key. That is stricter than go-plugin, and it is also needed: go-plugin's
//! certificates are CAs used as leaves, which WebPKI refuses.

use std::sync::Arc;

use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{NoServerSessionStorage, ServerConfig};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, Error, OtherError,
    SignatureScheme,
};

use crate::identity::{Identity, SERVER_NAME};
use crate::provider::provider;

mod vouched;

pub(crate) use vouched::Vouched;

/// grpc-go has refused peers that do not negotiate `h2` since 1.67.
const ALPN: &[u8] = b"h2";

/// The peer presented another certificate than the one of its handshake.
#[derive(Debug, thiserror::Error)]
#[error("the peer's certificate is not the one that it announced in its handshake")]
pub(crate) struct IdentityMismatch;

/// Accepts the certificates that it was made with, and nothing else.
#[derive(Debug)]
pub(crate) struct Pinned {
    certificates: Vec<CertificateDer<'static>>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Pinned {
    pub(crate) fn new(certificates: Vec<CertificateDer<'static>>) -> Self {
        Self { certificates, algorithms: provider().signature_verification_algorithms }
    }

    fn check(
        &self,
        presented: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
    ) -> Result<(), Error> {
        if intermediates.is_empty() && self.certificates.iter().any(|pin| pin == presented) {
            return Ok(());
        }
        let reason = OtherError(Arc::new(IdentityMismatch));
        Err(Error::InvalidCertificate(CertificateError::Other(reason)))
    }
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        presented: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.check(presented, intermediates).map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

impl ClientCertVerifier for Pinned {
    fn client_auth_mandatory(&self) -> bool {
        true
    }

    /// Empty, since a Go client whose issuer is not among the hints sends no
    /// certificate at all.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        presented: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.check(presented, intermediates).map(|()| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// What a connected pair uses on all of its connections, whichever side dials.
#[derive(Debug, Clone)]
pub(crate) struct PeerTls {
    pub(crate) client: Arc<ClientConfig>,
    /// What a server's certificate must carry.
    pub(crate) server_name: ServerName<'static>,
    pub(crate) server: Arc<ServerConfig>,
}

impl PeerTls {
    /// AutoMTLS: presents `identity`, and knows each of `peers` and nobody else.
    pub(crate) fn pinned(
        identity: &Identity,
        peers: Vec<CertificateDer<'static>>,
    ) -> Result<Self, Error> {
        let pinned = Arc::new(Pinned::new(peers));
        let name = ServerName::try_from(SERVER_NAME).expect("invariant: a constant DNS name");
        Self::new(identity.chain(), identity.key(), pinned.clone(), pinned, name)
    }

    /// Given TLS: presents `chain`, and knows whom `vouched` vouches for.
    pub(crate) fn given(
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
        vouched: Arc<Vouched>,
        server_name: ServerName<'static>,
    ) -> Result<Self, Error> {
        Self::new(chain, key, vouched.clone(), vouched, server_name)
    }

    fn new(
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
        servers: Arc<dyn ServerCertVerifier>,
        clients: Arc<dyn ClientCertVerifier>,
        server_name: ServerName<'static>,
    ) -> Result<Self, Error> {
        let client = client_config(chain.clone(), key.clone_key(), servers)?;
        let server = server_config(chain, key, clients)?;
        Ok(Self { client: Arc::new(client), server_name, server: Arc::new(server) })
    }

    /// Takes clients that present no certificate.
    pub(crate) fn without_client_certificates(mut self) -> Result<Self, Error> {
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(self.server.cert_resolver.clone());
        config.alpn_protocols.clone_from(&self.server.alpn_protocols);
        config.session_storage = self.server.session_storage.clone();
        config.send_tls13_tickets = 0;
        self.server = Arc::new(config);
        Ok(self)
    }
}

/// As a client: presents the chain, accepts whom `servers` accepts.
fn client_config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    servers: Arc<dyn ServerCertVerifier>,
) -> Result<ClientConfig, Error> {
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(servers)
        .with_client_auth_cert(chain, key)?;
    config.alpn_protocols = vec![ALPN.to_vec()];
    config.resumption = Resumption::disabled();
    Ok(config)
}

/// As a server: presents the chain, accepts whom `clients` accepts.
fn server_config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    clients: Arc<dyn ClientCertVerifier>,
) -> Result<ServerConfig, Error> {
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(clients)
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![ALPN.to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(config)
}

#[cfg(test)]
mod tests;
