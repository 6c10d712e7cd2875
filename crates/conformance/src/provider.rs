//! The cryptography of the kit's own TLS, never a process-wide default.
//!
//! A mix: *ring* for random numbers, key exchange and the kit's usual keys;
//! *aws-lc-rs* for verifying signatures and for the P-521 key, which ring lacks
//! and go-plugin's peers use.

use std::sync::{Arc, OnceLock};

use rustls::crypto::{CryptoProvider, aws_lc_rs, ring};
use rustls::pki_types::PrivateKeyDer;
use rustls::sign::SigningKey;

/// What all configurations of the kit use.
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

/// A key of any kind that go-plugin's peers use.
pub(crate) fn signing_key(key: &PrivateKeyDer<'_>) -> Result<Arc<dyn SigningKey>, rustls::Error> {
    aws_lc_rs::sign::any_supported_type(key)
}
