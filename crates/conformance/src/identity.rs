//! The certificates that the kit presents: one of its own for each process
//! that it starts, and a fixed one on P-521, as a Go host's is.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::provider::signing_key;

/// The name that every peer presents and expects.
pub(crate) const SERVER_NAME: &str = "localhost";

/// A key pair that guards nothing, and its certificate: on P-521, valid from 2024
/// to 2084, with the extensions of go-plugin's own.
const P521_CERTIFICATE: &str = include_str!("identity/p521.pem");
const P521_KEY: &str = include_str!("identity/p521-key.pem");

/// As go-plugin dates its own.
const BACKDATED: Duration = Duration::from_secs(30);
const VALID_FOR: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);

/// A certificate and its key.
#[derive(Clone)]
pub(crate) struct Identity {
    certificate: CertificateDer<'static>,
    pem: String,
    certified: Arc<CertifiedKey>,
}

/// No certificate could be made; the system's random source failed.
#[derive(Debug, thiserror::Error)]
#[error("no certificate could be made ({0}); check the system's random source")]
pub struct IdentityError(String);

impl Identity {
    /// A new one on P-256, as Outrigger's are.
    pub(crate) fn generate() -> Result<Self, IdentityError> {
        let failed = |error: rcgen::Error| IdentityError(error.to_string());
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(failed)?;
        let mut params = CertificateParams::new(vec![SERVER_NAME.to_owned()]).map_err(failed)?;
        let now = SystemTime::now();
        params.not_before = (now - BACKDATED).into();
        params.not_after = (now + VALID_FOR).into();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::OrganizationName, "Outrigger conformance kit");
        params.distinguished_name.push(DnType::CommonName, SERVER_NAME);
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ClientAuth, ExtendedKeyUsagePurpose::ServerAuth];
        let certificate = params.self_signed(&key).map_err(failed)?;
        let der = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        Self::new(certificate.der().clone(), certificate.pem(), &der)
    }

    /// The fixed one on P-521.
    pub(crate) fn p521() -> Result<Self, IdentityError> {
        let unreadable = |error: rustls::pki_types::pem::Error| IdentityError(error.to_string());
        let certificate =
            CertificateDer::from_pem_slice(P521_CERTIFICATE.as_bytes()).map_err(unreadable)?;
        let key = PrivateKeyDer::from_pem_slice(P521_KEY.as_bytes()).map_err(unreadable)?;
        Self::new(certificate, P521_CERTIFICATE.to_owned(), &key)
    }

    fn new(
        certificate: CertificateDer<'static>,
        pem: String,
        key: &PrivateKeyDer<'_>,
    ) -> Result<Self, IdentityError> {
        let key = signing_key(key).map_err(|error| IdentityError(error.to_string()))?;
        let certified = Arc::new(CertifiedKey::new(vec![certificate.clone()], key));
        Ok(Self { certificate, pem: pem.replace("\r\n", "\n"), certified })
    }

    /// One PEM block, as `PLUGIN_CLIENT_CERT` carries it.
    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }

    /// The name of who signed it, in DER.
    pub(crate) fn issuer(&self) -> Result<Vec<u8>, IdentityError> {
        let parsed = X509Certificate::from_der(&self.certificate);
        let (_, parsed) = parsed.map_err(|error| IdentityError(error.to_string()))?;
        Ok(parsed.issuer().as_raw().to_vec())
    }

    pub(crate) fn certified(&self) -> Arc<CertifiedKey> {
        self.certified.clone()
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("certificate_bytes", &self.certificate.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fixed_certificate_is_on_p_521_and_looks_like_go_plugin_s() {
        let identity = Identity::p521().unwrap();
        let signs = identity
            .certified()
            .key
            .choose_scheme(&[rustls::SignatureScheme::ECDSA_NISTP521_SHA512]);
        assert!(signs.is_some());
        assert_eq!(identity.pem().matches("BEGIN CERTIFICATE").count(), 1);
    }

    #[test]
    fn two_certificates_are_never_the_same() {
        let [one, two] = [Identity::generate().unwrap(), Identity::generate().unwrap()];
        assert_ne!(one.certificate, two.certificate);
        assert!(one.pem().starts_with("-----BEGIN CERTIFICATE-----\n"), "{}", one.pem());
    }
}
