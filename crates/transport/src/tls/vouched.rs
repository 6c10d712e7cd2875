//! Whom a caller's roots vouch for.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ParsedCertificate, VerifierBuilderError, WebPkiClientVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, Error, RootCertStore, SignatureScheme};

use crate::provider::provider;

/// Accepts a certificate that leads to a root, or that is one: Go takes a leaf
/// that stands in its pool, and self-signed certificates are configured so.
#[derive(Debug)]
pub(crate) struct Vouched {
    roots: Vec<CertificateDer<'static>>,
    servers: Arc<WebPkiServerVerifier>,
    clients: Arc<dyn ClientCertVerifier>,
}

impl Vouched {
    pub(crate) fn new(roots: Vec<CertificateDer<'static>>) -> Result<Self, VerifierBuilderError> {
        let mut store = RootCertStore::empty();
        // What cannot vouch for others may still be presented itself.
        store.add_parsable_certificates(roots.iter().cloned());
        let store = Arc::new(store);
        let servers =
            WebPkiServerVerifier::builder_with_provider(store.clone(), provider()).build()?;
        let clients = WebPkiClientVerifier::builder_with_provider(store, provider())
            // A Go client sends no certificate when its issuer is not among them.
            .clear_root_hint_subjects()
            .build()?;
        Ok(Self { roots, servers, clients })
    }

    fn is_root(&self, presented: &CertificateDer<'_>) -> bool {
        self.roots.iter().any(|root| root == presented)
    }
}

impl ServerCertVerifier for Vouched {
    fn verify_server_cert(
        &self,
        presented: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.is_root(presented) {
            let parsed = ParsedCertificate::try_from(presented)?;
            verify_server_name(&parsed, name)?;
            return Ok(ServerCertVerified::assertion());
        }
        self.servers.verify_server_cert(presented, intermediates, name, ocsp, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.servers.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.servers.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.servers.supported_verify_schemes()
    }
}

impl ClientCertVerifier for Vouched {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        presented: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        if self.is_root(presented) {
            return Ok(ClientCertVerified::assertion());
        }
        self.clients.verify_client_cert(presented, intermediates, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.clients.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.clients.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.clients.supported_verify_schemes()
    }
}
