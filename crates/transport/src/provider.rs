//! The one place that makes a rustls cryptography provider.
//!
//! A mix: *ring* for random numbers, key exchange, record ciphers and our own
//! keys; *aws-lc-rs* for verifying the peer's signatures, because go-plugin
//! presents P-521 certificates and ring has no P-521. Verification draws no
//! random numbers, so the 21 ms that aws-lc spends on its first draw in a
//! process are never spent, and plugin authors need no build flag.

use std::sync::{Arc, OnceLock};

use rustls::crypto::{CryptoProvider, aws_lc_rs, ring};

/// The provider that all of our TLS configurations use. Never installed as the
/// process's default: that one belongs to the node.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    let mixed = || {
        Arc::new(CryptoProvider {
            signature_verification_algorithms: aws_lc_rs::default_provider()
                .signature_verification_algorithms,
            ..ring::default_provider()
        })
    };
    PROVIDER.get_or_init(mixed).clone()
}

#[cfg(test)]
mod tests {
    use rustls::SignatureScheme;

    use super::*;

    #[test]
    fn p_521_signatures_can_be_verified() {
        let schemes = provider().signature_verification_algorithms.supported_schemes();
        assert!(schemes.contains(&SignatureScheme::ECDSA_NISTP521_SHA512));
    }

    #[test]
    fn no_process_wide_default_is_installed() {
        let _ = provider();
        assert!(CryptoProvider::get_default().is_none());
    }
}
