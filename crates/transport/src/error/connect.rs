//! Why a connection could not be made.

use std::time::Duration;

use crate::handshake::Address;

/// Why a connection could not be made.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// Nobody listens at the announced address.
    #[error("nobody answers at {address}, which it announced: {reason}")]
    Dial {
        /// The announced address.
        address: Address,
        /// The system's words.
        reason: String,
    },
    /// The peer does not hold the announced identity.
    #[error(
        "identity mismatch: whoever answers at its address does not hold the certificate of its handshake; connection refused"
    )]
    IdentityMismatch,
    /// The TLS handshake failed.
    #[error(
        "the TLS handshake failed: {reason}; the plugin must serve TLS 1.2 or later with the certificate that it announced"
    )]
    Tls {
        /// The library's words.
        reason: String,
    },
    /// HTTP/2 could not be set up.
    #[error("no HTTP/2 connection could be set up: {reason}")]
    Http2 {
        /// The library's words.
        reason: String,
    },
    /// The connection did not stand in time.
    #[error("no connection to {address} within {within:?}; the plugin listens but does not answer")]
    TimedOut {
        /// The announced address.
        address: Address,
        /// The limit.
        within: Duration,
    },
}
