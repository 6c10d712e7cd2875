//! A one-shot identity: a key pair and a self-signed certificate that live as
//! long as one generation. The key never leaves the process.

use std::fmt;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// The name that go-plugin expects of every peer.
pub(crate) const SERVER_NAME: &str = "localhost";

/// Clocks of the two processes are the same one, but it may be set back.
const BACKDATED: Duration = Duration::from_secs(30);

/// As long as go-plugin's own: a certificate is replaced with its process.
const VALID_FOR: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);

/// A key pair could not be made; the system's random source failed.
#[derive(Debug, thiserror::Error)]
#[error("no key pair could be made; check the system's random source")]
pub struct IdentityError(#[from] rcgen::Error);

/// A key pair and its certificate: P-256, not a CA, SAN `localhost`.
pub struct Identity {
    certificate: CertificateDer<'static>,
    pem: String,
    key: PrivatePkcs8KeyDer<'static>,
}

impl Identity {
    /// Makes a fresh identity.
    ///
    /// # Errors
    ///
    /// [`IdentityError`] when the system's random source fails.
    pub fn generate() -> Result<Self, IdentityError> {
        let now = SystemTime::now();
        Self::valid(now - BACKDATED, now + VALID_FOR)
    }

    pub(crate) fn valid(from: SystemTime, until: SystemTime) -> Result<Self, IdentityError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let mut params = CertificateParams::new(vec![SERVER_NAME.to_owned()])?;
        params.not_before = from.into();
        params.not_after = until.into();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::OrganizationName, "Outrigger");
        params.distinguished_name.push(DnType::CommonName, SERVER_NAME);
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ClientAuth, ExtendedKeyUsagePurpose::ServerAuth];
        let certificate = params.self_signed(&key)?;
        Ok(Self {
            pem: block(certificate.der()),
            certificate: certificate.der().clone(),
            key: PrivatePkcs8KeyDer::from(key.serialize_der()),
        })
    }

    /// The certificate as one PEM block, as `PLUGIN_CLIENT_CERT` carries it.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// The certificate in DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.certificate
    }

    pub(crate) fn chain(&self) -> Vec<CertificateDer<'static>> {
        vec![self.certificate.clone()]
    }

    pub(crate) fn key(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::Pkcs8(self.key.clone_key())
    }
}

/// One PEM block, with the lines of 64 digits that every reader takes.
fn block(certificate: &[u8]) -> String {
    let mut block = "-----BEGIN CERTIFICATE-----\n".to_owned();
    for line in certificate.chunks(48) {
        STANDARD.encode_string(line, &mut block);
        block.push('\n');
    }
    block.push_str("-----END CERTIFICATE-----\n");
    block
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("certificate_bytes", &self.certificate.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::pem::PemObject as _;

    use super::*;

    #[test]
    fn the_block_is_the_certificate_in_lines_that_every_reader_takes() {
        let identity = Identity::generate().unwrap();
        let read = CertificateDer::from_pem_slice(identity.pem().as_bytes()).unwrap();
        assert_eq!(read, identity.certificate);
        let lines: Vec<&str> = identity.pem().lines().collect();
        let [_, full @ .., last, _] = lines.as_slice() else { panic!("{lines:?}") };
        assert!(full.iter().all(|line| line.len() == 64) && last.len() <= 64, "{lines:?}");
        // As it was when a library wrote it.
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        assert_eq!(block(made.cert.der()), made.cert.pem().replace("\r\n", "\n"));
    }
}
