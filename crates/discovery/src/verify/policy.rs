//! What makes a signature count. The OpenPGP library checks arithmetic only: to
//! it, an expired key's SHA-1 signature is as good as any.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{Signature, SignatureType, SignatureVersion, SubpacketData};
use pgp::ser::Serialize;
use pgp::types::{
    EcdsaPublicParams, EddsaLegacyPublicParams, KeyDetails, KeyVersion, PublicParams,
};

/// How far the publisher's clock may be ahead of ours, in seconds.
const CLOCK_SKEW: u64 = 300;
const MIN_BITS: u16 = 2048;

/// A rule that a signature, or the key that made it, breaks. `key` is always a
/// fingerprint in upper-case hexadecimal digits, times are RFC 3339 in UTC.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyViolation {
    /// The packet's version is neither 4 nor 6.
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
    /// The signature demands something that we do not know.
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
    /// The key is older than version 4.
    #[error("key {key} has an outdated format")]
    KeyVersion {
        /// The key.
        key: String,
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
            Self::FromTheFuture { .. } => "check this machine's clock, or ask for a new signature",
            Self::SignatureVersion
            | Self::SignatureType
            | Self::NoCreationTime
            | Self::SignatureExpired { .. }
            | Self::CriticalPart
            | Self::OlderThanKey { .. } => "ask the publisher for a new signature",
            Self::WeakHash { .. } => "ask the publisher for a new signature or key with SHA-256",
            Self::KeyExpired { .. } => "get the publisher's renewed key",
            Self::KeyRevoked { .. } => "do not use the plugin; get the publisher's new key",
            _ => "ask the publisher for a signature by a proper key",
        }
    }
}

/// Judges the signature over the document by itself and returns when it was
/// made, in seconds since 1970.
pub(crate) fn check_signature(signature: &Signature, now: u64) -> Result<u64, PolicyViolation> {
    if signature.typ() != Some(SignatureType::Binary) {
        return Err(PolicyViolation::SignatureType);
    }
    check_any_signature(signature, "the signature", now)
}

/// The rules that hold for the signatures within a key too.
pub(crate) fn check_any_signature(
    signature: &Signature,
    what: &'static str,
    now: u64,
) -> Result<u64, PolicyViolation> {
    if !matches!(signature.version(), SignatureVersion::V4 | SignatureVersion::V6) {
        return Err(PolicyViolation::SignatureVersion);
    }
    check_hash(signature, what)?;
    let Some(config) = signature.config() else {
        return Err(PolicyViolation::SignatureVersion);
    };
    let unknown = |data: &SubpacketData| {
        matches!(
            data,
            SubpacketData::Experimental(..) | SubpacketData::Other(..) | SubpacketData::Notation(_)
        )
    };
    if config.hashed_subpackets().any(|part| part.is_critical && unknown(&part.data)) {
        return Err(PolicyViolation::CriticalPart);
    }
    // A time outside the hashed area is anybody's claim.
    let created = hashed(signature, |data| match data {
        SubpacketData::SignatureCreationTime(time) => Some(u64::from(time.as_secs())),
        _ => None,
    })
    .ok_or(PolicyViolation::NoCreationTime)?;
    if created > now.saturating_add(CLOCK_SKEW) {
        return Err(PolicyViolation::FromTheFuture { created: date(created) });
    }
    match signature.signature_expiration_time().map_or(0, |validity| validity.as_secs()) {
        0 => {}
        validity if created + u64::from(validity) > now => {}
        validity => {
            let expired = date(created + u64::from(validity));
            return Err(PolicyViolation::SignatureExpired { expired });
        }
    }
    Ok(created)
}

fn check_hash(signature: &Signature, what: &'static str) -> Result<(), PolicyViolation> {
    match signature.hash_alg() {
        Some(
            HashAlgorithm::Sha256
            | HashAlgorithm::Sha384
            | HashAlgorithm::Sha512
            | HashAlgorithm::Sha3_256
            | HashAlgorithm::Sha3_512,
        ) => Ok(()),
        Some(other) => Err(PolicyViolation::WeakHash { what, hash: other.to_string() }),
        None => Err(PolicyViolation::SignatureVersion),
    }
}

/// Judges a key's format, algorithm and size.
pub(crate) fn check_strength(key: &impl KeyDetails) -> Result<(), PolicyViolation> {
    let fingerprint = fingerprint(key);
    if !matches!(key.version(), KeyVersion::V4 | KeyVersion::V6) {
        return Err(PolicyViolation::KeyVersion { key: fingerprint });
    }
    let algorithm = match key.public_params() {
        PublicParams::RSA(params) => match first_integer_bits(params) {
            Some(MIN_BITS..) => return Ok(()),
            bits => format!("RSA with {} bits", bits.unwrap_or(0)),
        },
        PublicParams::DSA(params) => match first_integer_bits(params) {
            Some(MIN_BITS..) => return Ok(()),
            bits => format!("DSA with {} bits", bits.unwrap_or(0)),
        },
        PublicParams::ECDSA(
            EcdsaPublicParams::P256 { .. }
            | EcdsaPublicParams::P384 { .. }
            | EcdsaPublicParams::P521 { .. },
        )
        | PublicParams::EdDSALegacy(EddsaLegacyPublicParams::Ed25519 { .. })
        | PublicParams::Ed25519(_)
        | PublicParams::Ed448(_) => return Ok(()),
        _ => format!("{:?}", key.algorithm()),
    };
    Err(PolicyViolation::WeakKey { key: fingerprint, algorithm })
}

/// The bit length in front of the first integer: an RSA key's modulus, a DSA
/// key's prime.
fn first_integer_bits(params: &impl Serialize) -> Option<u16> {
    let mut bytes = Vec::new();
    params.to_writer(&mut bytes).ok()?;
    Some(u16::from_be_bytes(*bytes.first_chunk()?))
}

/// The first hashed subpacket that `pick` takes.
pub(crate) fn hashed<'a, T>(
    signature: &'a Signature,
    pick: impl Fn(&'a SubpacketData) -> Option<T>,
) -> Option<T> {
    signature.config()?.hashed_subpackets().find_map(|part| pick(&part.data))
}

pub(crate) fn fingerprint(key: &impl KeyDetails) -> String {
    format!("{:X}", key.fingerprint())
}

/// Seconds since 1970; before that, zero.
pub(crate) fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

pub(crate) fn date(seconds: u64) -> String {
    humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_secs(seconds)).to_string()
}
