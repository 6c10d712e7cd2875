//! TLS that trusts exactly one certificate.
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
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError, SignatureScheme,
};

use crate::identity::Identity;
use crate::provider::provider;

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

/// The host's configuration: presents `identity`, accepts only `peer`.
pub(crate) fn client_config(
    identity: &Identity,
    peer: CertificateDer<'static>,
) -> Result<ClientConfig, Error> {
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Pinned::new(vec![peer])))
        .with_client_auth_cert(identity.chain(), identity.key())?;
    config.alpn_protocols = vec![ALPN.to_vec()];
    config.resumption = Resumption::disabled();
    Ok(config)
}

#[cfg(any(feature = "plugin", test))]
mod server {
    use rustls::DistinguishedName;
    use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
    use rustls::server::{NoServerSessionStorage, ServerConfig};

    use super::*;

    impl ClientCertVerifier for Pinned {
        fn client_auth_mandatory(&self) -> bool {
            true
        }

        /// Empty, since a Go client whose issuer is not among the hints sends
        /// no certificate at all.
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

    /// The plugin's configuration: presents `identity`, demands one of `peers`.
    pub(crate) fn server_config(
        identity: &Identity,
        peers: Vec<CertificateDer<'static>>,
    ) -> Result<ServerConfig, Error> {
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(Arc::new(Pinned::new(peers)))
            .with_single_cert(identity.chain(), identity.key())?;
        config.alpn_protocols = vec![ALPN.to_vec()];
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(config)
    }
}

#[cfg(any(feature = "plugin", test))]
pub(crate) use server::server_config;

#[cfg(test)]
mod tests;
