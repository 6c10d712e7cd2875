//! A server's certificate, pinned by SHA-256 of itself or of its key.

use std::str::FromStr;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{DigitallySignedStruct, Error, SignatureScheme};

/// SHA-256 of a certificate in DER, or of its public key's SubjectPublicKeyInfo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pin([u8; 32]);

/// A text that is no pin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "certFingerprint is no SHA-256; give that of the server's certificate or public key, in 64 \
     hexadecimal digits (colons may stand between them) or in base64"
)]
pub struct PinError;

impl FromStr for Pin {
    type Err = PinError;

    fn from_str(text: &str) -> Result<Self, PinError> {
        let text = text.trim();
        let named = text.strip_prefix("sha256/").or_else(|| text.strip_prefix("sha256:"));
        let text = named.unwrap_or(text);
        let digits: String = text.chars().filter(|c| !matches!(c, ':' | ' ')).collect();
        let bytes = if digits.len() == 64 { hex(&digits) } else { base64(text) };
        bytes.and_then(|bytes| bytes.try_into().ok()).map(Self).ok_or(PinError)
    }
}

fn hex(digits: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = digits
        .chars()
        // A hexadecimal digit fits into a byte.
        .map(|digit| digit.to_digit(16).map(|digit| digit as u8))
        .collect();
    Some(digits?.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

fn base64(text: &str) -> Option<Vec<u8>> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(text).ok()
}

fn sha256(bytes: &[u8]) -> Option<[u8; 32]> {
    // Reading from memory cannot fail.
    outrigger_discovery::sha256(bytes).ok().map(|digest| digest.0)
}

impl Pin {
    fn fits(self, certificate: &CertificateDer<'_>) -> bool {
        let of_key = || {
            let parsed = ParsedCertificate::try_from(certificate).ok()?;
            sha256(parsed.subject_public_key_info().as_ref())
        };
        sha256(certificate) == Some(self.0) || of_key() == Some(self.0)
    }
}

/// How a server's chain is judged.
#[derive(Debug)]
pub(crate) enum Chain {
    /// Against this machine's authorities.
    Verified(Arc<WebPkiServerVerifier>),
    /// Not at all.
    Unverified,
    /// This machine knows no authority, so that none passes.
    NoAuthorities,
}

/// Judges the chain, and the pin, if there is one.
#[derive(Debug)]
pub(crate) struct Checked {
    chain: Chain,
    pin: Option<Pin>,
    provider: Arc<CryptoProvider>,
}

impl Checked {
    pub(crate) const fn new(chain: Chain, pin: Option<Pin>, provider: Arc<CryptoProvider>) -> Self {
        Self { chain, pin, provider }
    }

    /// Whether what is pinned is among what the server presents.
    fn is_pinned(
        &self,
        pin: Pin,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
    ) -> bool {
        let of_issuers = match self.chain {
            Chain::Verified(_) => intermediates,
            // Without a checked chain, anybody can present what is pinned behind
            // a certificate of their own.
            Chain::Unverified | Chain::NoAuthorities => &[],
        };
        std::iter::once(end_entity).chain(of_issuers).any(|certificate| pin.fits(certificate))
    }
}

impl ServerCertVerifier for Checked {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match &self.chain {
            Chain::Verified(chain) => {
                chain.verify_server_cert(end_entity, intermediates, name, ocsp, now)?;
            }
            Chain::Unverified => {}
            Chain::NoAuthorities => {
                let text =
                    "this machine has no certificates of authorities; install ca-certificates";
                return Err(Error::General(text.to_owned()));
            }
        }
        match self.pin {
            Some(pin) if !self.is_pinned(pin, end_entity, intermediates) => Err(failed()),
            _ => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// The text is GoQuorum's.
fn failed() -> Error {
    Error::General("certificate pinning failed".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_is_hexadecimal_or_base64_and_nothing_shorter() {
        let bytes: Vec<u8> = (0..32).collect();
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let colons: Vec<String> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
        let base64 = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
        let expected: Pin = hex.parse().unwrap();
        for text in [colons.join(":"), base64.to_owned(), format!("sha256/{base64}")] {
            assert_eq!(text.parse::<Pin>(), Ok(expected), "{text}");
        }
        for text in ["", "00", &hex[1..], "not a pin at all", "AAEC"] {
            assert_eq!(text.parse::<Pin>(), Err(PinError), "{text}");
        }
    }
}
