//! The rules that a signature or a key can break.

/// A rule that a signature, or the key that made it, breaks. `key` is always a
/// fingerprint in upper-case hexadecimal digits, times are RFC 3339 in UTC.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyViolation {
    /// The packet's version is not 4.
    #[error("its format is outdated or unknown")]
    SignatureVersion,
    /// The signature is not one over a binary document.
    #[error("it does not sign a binary document")]
    SignatureType,
    /// The signature does not say when it was made.
    #[error("it does not say when it was made")]
    NoCreationTime,
    /// The signature claims to be made later than now.
    #[error("it was made in the future, at {created}")]
    FromTheFuture {
        /// Its time.
        created: String,
    },
    /// The signature has expired.
    #[error("it expired at {expired}")]
    SignatureExpired {
        /// Its end.
        expired: String,
    },
    /// The signature's end is later than OpenPGP can say, and programs differ in
    /// what they make of that.
    #[error("its validity ends beyond the year 2106")]
    Validity,
    /// The signature demands something that not every OpenPGP program knows.
    #[error("it has a critical part of unknown meaning")]
    CriticalPart,
    /// A hash that can be forged. It may be that of the signature, or of a
    /// signature within the key.
    #[error("{what} uses the weak hash {hash}")]
    WeakHash {
        /// What uses it.
        what: &'static str,
        /// The hash.
        hash: String,
    },
    /// A hash that GnuPG does not read. It may be that of the signature, or of a
    /// signature within the key.
    #[error("{what} uses the hash {hash}, which not every OpenPGP program knows")]
    UnusualHash {
        /// What uses it.
        what: &'static str,
        /// The hash.
        hash: String,
    },
    /// The key's version is not 4.
    #[error("key {key} has an outdated format, or one too new")]
    KeyVersion {
        /// The key.
        key: String,
    },
    /// The key has a form of RFC 9580 that GnuPG does not read.
    #[error("key {key} is of the kind {algorithm}, which not every OpenPGP program reads")]
    UnusualKey {
        /// The key.
        key: String,
        /// Its algorithm.
        algorithm: String,
    },
    /// The key can be computed from its public half, or its kind is not known
    /// to be safe.
    #[error("key {key} is too weak: {algorithm}")]
    WeakKey {
        /// The key.
        key: String,
        /// Its algorithm and size.
        algorithm: String,
    },
    /// The key claims to be made later than now.
    #[error("key {key} was made in the future, at {created}")]
    KeyFromTheFuture {
        /// The key.
        key: String,
        /// Its time.
        created: String,
    },
    /// The key has no valid signature of its own that describes it.
    #[error("key {key} has no valid self-signature")]
    NoSelfSignature {
        /// The key.
        key: String,
    },
    /// The key was revoked.
    #[error("key {key} is revoked")]
    KeyRevoked {
        /// The key.
        key: String,
    },
    /// The key has expired.
    #[error("key {key} expired at {expired}")]
    KeyExpired {
        /// The key.
        key: String,
        /// Its end.
        expired: String,
    },
    /// The signature is older than the key that made it.
    #[error("it was made before its key {key}")]
    OlderThanKey {
        /// The key.
        key: String,
    },
    /// The key is not meant for signing.
    #[error("key {key} is not one for signing")]
    NotForSigning {
        /// The key.
        key: String,
    },
    /// Nothing valid ties the subkey to its primary key.
    #[error("subkey {key} is not bound to its primary key")]
    SubkeyNotBound {
        /// The subkey.
        key: String,
    },
    /// The subkey did not agree to belong to the primary key.
    #[error("subkey {key} has no valid back signature")]
    NoBackSignature {
        /// The subkey.
        key: String,
    },
}

impl PolicyViolation {
    /// What an operator can do.
    pub(crate) const fn remedy(&self) -> &'static str {
        match self {
            Self::FromTheFuture { .. } | Self::KeyFromTheFuture { .. } => {
                "check this machine's clock, or ask for a new signature"
            }
            Self::SignatureVersion
            | Self::SignatureType
            | Self::NoCreationTime
            | Self::SignatureExpired { .. }
            | Self::Validity
            | Self::CriticalPart
            | Self::OlderThanKey { .. } => "ask the publisher for a new signature",
            Self::WeakHash { .. } | Self::UnusualHash { .. } => {
                "ask the publisher for a new signature or key with SHA-256"
            }
            Self::KeyExpired { .. } => "get the publisher's renewed key",
            Self::KeyRevoked { .. } => "do not use the plugin; get the publisher's new key",
            _ => "ask the publisher for a signature by a proper key",
        }
    }
}
