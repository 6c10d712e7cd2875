//! What makes a signature count. The OpenPGP library checks arithmetic only: to
//! it, an expired key's SHA-1 signature is as good as any.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{Signature, SignatureType, SignatureVersion, SubpacketData};
use pgp::ser::Serialize;
use pgp::types::{
    EcdsaPublicParams, EddsaLegacyPublicParams, KeyDetails, KeyVersion, PublicParams,
};

use super::PolicyViolation;

/// How far the publisher's clock may be ahead of ours, in seconds.
const CLOCK_SKEW: u64 = 300;
const MIN_BITS: u16 = 2048;
/// Larger keys cost time and buy nothing; GnuPG stops reading numbers here too.
const MAX_BITS: u16 = 16_384;

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
    if signature.version() != SignatureVersion::V4 {
        return Err(PolicyViolation::SignatureVersion);
    }
    check_hash(signature, what)?;
    let Some(config) = signature.config() else {
        return Err(PolicyViolation::SignatureVersion);
    };
    // Those that are not signed too: whatever they ask for, GnuPG heeds it.
    let mut parts = config.hashed_subpackets().chain(config.unhashed_subpackets());
    if parts.any(|part| part.is_critical && !is_known(&part.data)) {
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
        validity if created + u64::from(validity) > u64::from(u32::MAX) => {
            return Err(PolicyViolation::Validity);
        }
        validity if created + u64::from(validity) > now => {}
        validity => {
            let expired = date(created + u64::from(validity));
            return Err(PolicyViolation::SignatureExpired { expired });
        }
    }
    Ok(created)
}

/// The parts whose meaning every OpenPGP program knows, so that all agree on a
/// signature that insists on them.
const fn is_known(data: &SubpacketData) -> bool {
    matches!(
        data,
        SubpacketData::SignatureCreationTime(_)
            | SubpacketData::SignatureExpirationTime(_)
            | SubpacketData::KeyExpirationTime(_)
            | SubpacketData::IssuerKeyId(_)
            | SubpacketData::IssuerFingerprint(_)
            | SubpacketData::KeyFlags(_)
            | SubpacketData::IsPrimary(_)
            | SubpacketData::Revocable(_)
            | SubpacketData::ExportableCertification(_)
            | SubpacketData::PolicyURI(_)
    )
}

fn check_hash(signature: &Signature, what: &'static str) -> Result<(), PolicyViolation> {
    match signature.hash_alg() {
        Some(HashAlgorithm::Sha256 | HashAlgorithm::Sha384 | HashAlgorithm::Sha512) => Ok(()),
        Some(other @ (HashAlgorithm::Sha3_256 | HashAlgorithm::Sha3_512)) => {
            Err(PolicyViolation::UnusualHash { what, hash: other.to_string() })
        }
        Some(other) => Err(PolicyViolation::WeakHash { what, hash: other.to_string() }),
        None => Err(PolicyViolation::SignatureVersion),
    }
}

/// Judges a key's format, age, algorithm and size.
pub(crate) fn check_strength(key: &impl KeyDetails) -> Result<(), PolicyViolation> {
    let fingerprint = fingerprint(key);
    if key.version() != KeyVersion::V4 {
        return Err(PolicyViolation::KeyVersion { key: fingerprint });
    }
    let algorithm = match key.public_params() {
        PublicParams::RSA(params) => match first_integer_bits(params) {
            Some(MIN_BITS..=MAX_BITS) => return Ok(()),
            bits => format!("RSA with {} bits", bits.unwrap_or(0)),
        },
        PublicParams::DSA(params) => match first_integer_bits(params) {
            Some(MIN_BITS..=MAX_BITS) => return Ok(()),
            bits => format!("DSA with {} bits", bits.unwrap_or(0)),
        },
        PublicParams::ECDSA(
            EcdsaPublicParams::P256 { .. }
            | EcdsaPublicParams::P384 { .. }
            | EcdsaPublicParams::P521 { .. },
        )
        | PublicParams::EdDSALegacy(EddsaLegacyPublicParams::Ed25519 { .. }) => return Ok(()),
        PublicParams::Ed25519(_) | PublicParams::Ed448(_) => {
            let algorithm = format!("{:?}", key.algorithm());
            return Err(PolicyViolation::UnusualKey { key: fingerprint, algorithm });
        }
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
