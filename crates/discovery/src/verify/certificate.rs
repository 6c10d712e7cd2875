//! What makes a key count: its own signatures, and those that bind its subkeys.

use pgp::composed::{SignedPublicKey, SignedPublicSubKey};
use pgp::packet::{KeyFlags, Signature, SignatureType, SubpacketData};
use pgp::types::{KeyDetails, Tag};

use super::PolicyViolation;
use super::policy::{self, check_any_signature, fingerprint};

const SELF_SIGNATURE: &str = "the key's self-signature";
const BINDING: &str = "the subkey's binding";
const BACK_SIGNATURE: &str = "the subkey's back signature";

/// The part of a key that made a signature.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Component<'a> {
    Primary,
    Subkey(&'a SignedPublicSubKey),
}

impl Component<'_> {
    /// Whether the arithmetic fits.
    pub(crate) fn verify(self, key: &SignedPublicKey, signature: &Signature, text: &[u8]) -> bool {
        match self {
            Self::Primary => signature.verify(&key.primary_key, text).is_ok(),
            Self::Subkey(subkey) => signature.verify(&subkey.key, text).is_ok(),
        }
    }
}

/// Judges the key as a whole, and the part of it that signed at `signed_at`.
pub(crate) fn check(
    key: &SignedPublicKey,
    component: Component<'_>,
    signed_at: u64,
    now: u64,
) -> Result<(), PolicyViolation> {
    let description = check_primary(key, now)?;
    match component {
        Component::Primary => {
            check_time(&key.primary_key, signed_at, now)?;
            // Keys from before the flags existed may do what their algorithm can.
            match description.flags {
                Some(flags) if !flags.sign() => {
                    Err(PolicyViolation::NotForSigning { key: fingerprint(&key.primary_key) })
                }
                _ => Ok(()),
            }
        }
        Component::Subkey(subkey) => {
            check_time(&subkey.key, signed_at, now)?;
            check_subkey(key, subkey, now)
        }
    }
}

struct Description {
    flags: Option<KeyFlags>,
}

fn check_primary(key: &SignedPublicKey, now: u64) -> Result<Description, PolicyViolation> {
    let primary = &key.primary_key;
    policy::check_strength(primary)?;
    if is_revoked(key) {
        return Err(PolicyViolation::KeyRevoked { key: fingerprint(primary) });
    }
    let (valid, refused) = self_signatures(key, now);
    if valid.iter().all(Option::is_none) {
        let missing = PolicyViolation::NoSelfSignature { key: fingerprint(primary) };
        return Err(refused.unwrap_or(missing));
    }
    for signature in valid.iter().flatten() {
        check_expiry(primary, signature, now)?;
    }
    Ok(Description { flags: valid.iter().flatten().find_map(|signature| flags(signature)) })
}

/// A revocation counts whatever its hash and whenever it was made. Where the
/// key appointed somebody else to revoke it, we cannot check that signature and
/// take it for good.
fn is_revoked(key: &SignedPublicKey) -> bool {
    let appointed = key.details.direct_signatures.iter().any(|signature| {
        policy::hashed(signature, |data| {
            matches!(data, SubpacketData::RevocationKey(_)).then_some(())
        })
        .is_some()
    });
    key.details
        .revocation_signatures
        .iter()
        .any(|revocation| appointed || revocation.verify_key(&key.primary_key).is_ok())
}

/// The signatures that describe the primary key: of its main user id, and
/// directly on it. With them, the reason why another one did not count.
fn self_signatures(
    key: &SignedPublicKey,
    now: u64,
) -> ([Option<&Signature>; 2], Option<PolicyViolation>) {
    let mut refused = None;
    let direct = key.details.direct_signatures.iter().filter(|signature| {
        signature.typ() == Some(SignatureType::Key)
            && signature.verify_key(&key.primary_key).is_ok()
    });
    let direct = latest(direct, SELF_SIGNATURE, now, &mut refused);
    let mut by_user = Vec::new();
    for user in &key.details.users {
        let fits = |signature: &&Signature| {
            signature.verify_certification(&key.primary_key, Tag::UserId, &user.id).is_ok()
        };
        let (revocations, certifications): (Vec<_>, Vec<_>) = user
            .signatures
            .iter()
            .filter(fits)
            .partition(|signature| signature.typ() == Some(SignatureType::CertRevocation));
        let found = latest(certifications.into_iter(), SELF_SIGNATURE, now, &mut refused);
        if let Some((created, signature)) = found
            && !revocations.iter().any(|revocation| created_at(revocation) >= created)
        {
            by_user.push((signature.is_primary(), created, signature));
        }
    }
    let main = by_user.into_iter().max_by_key(|&(primary, created, _)| (primary, created));
    let main = main.map(|(_, _, signature)| signature);
    ([main, direct.map(|(_, signature)| signature)], refused)
}

/// The newest of the signatures that policy lets count.
fn latest<'a>(
    signatures: impl Iterator<Item = &'a Signature>,
    what: &'static str,
    now: u64,
    refused: &mut Option<PolicyViolation>,
) -> Option<(u64, &'a Signature)> {
    let judged =
        signatures.filter_map(|signature| match check_any_signature(signature, what, now) {
            Ok(created) => Some((created, signature)),
            Err(violation) => {
                refused.get_or_insert(violation);
                None
            }
        });
    judged.max_by_key(|&(created, _)| created)
}

fn check_subkey(
    key: &SignedPublicKey,
    subkey: &SignedPublicSubKey,
    now: u64,
) -> Result<(), PolicyViolation> {
    policy::check_strength(&subkey.key)?;
    let name = || fingerprint(&subkey.key);
    let (revocations, bindings): (Vec<_>, Vec<_>) = subkey
        .signatures
        .iter()
        .filter(|signature| signature.verify_subkey_binding(&key.primary_key, &subkey.key).is_ok())
        .partition(|signature| signature.typ() == Some(SignatureType::SubkeyRevocation));
    if !revocations.is_empty() {
        return Err(PolicyViolation::KeyRevoked { key: name() });
    }
    let mut refused = None;
    let Some((_, binding)) = latest(bindings.into_iter(), BINDING, now, &mut refused) else {
        return Err(refused.unwrap_or_else(|| PolicyViolation::SubkeyNotBound { key: name() }));
    };
    check_expiry(&subkey.key, binding, now)?;
    if !flags(binding).is_some_and(|flags| flags.sign()) {
        return Err(PolicyViolation::NotForSigning { key: name() });
    }
    // Without it, anybody could bind another's signing key to a key of theirs.
    let back = binding
        .embedded_signature()
        .filter(|back| back.verify_primary_key_binding(&subkey.key, &key.primary_key).is_ok())
        .ok_or_else(|| PolicyViolation::NoBackSignature { key: name() })?;
    check_any_signature(back, BACK_SIGNATURE, now).map(drop)
}

fn check_expiry(
    key: &impl KeyDetails,
    signature: &Signature,
    now: u64,
) -> Result<(), PolicyViolation> {
    let validity = signature.key_expiration_time().map_or(0, |validity| validity.as_secs());
    let end = u64::from(key.created_at().as_secs()) + u64::from(validity);
    if validity != 0 && end > u64::from(u32::MAX) {
        return Err(PolicyViolation::Validity);
    }
    if validity == 0 || end > now {
        return Ok(());
    }
    Err(PolicyViolation::KeyExpired { key: fingerprint(key), expired: policy::date(end) })
}

/// No clock skew is forgiven here: publishers do not sign with a key that they
/// made a minute ago, and GnuPG does not forgive it either.
fn check_time(key: &impl KeyDetails, signed_at: u64, now: u64) -> Result<(), PolicyViolation> {
    let created = u64::from(key.created_at().as_secs());
    let name = fingerprint(key);
    if created > now {
        let created = policy::date(created);
        return Err(PolicyViolation::KeyFromTheFuture { key: name, created });
    }
    if signed_at < created {
        return Err(PolicyViolation::OlderThanKey { key: name });
    }
    Ok(())
}

fn flags(signature: &Signature) -> Option<KeyFlags> {
    policy::hashed(signature, |data| match data {
        SubpacketData::KeyFlags(flags) => Some(flags.clone()),
        _ => None,
    })
}

fn created_at(signature: &Signature) -> u64 {
    signature.created().map_or(u64::MAX, |time| time.as_secs().into())
}
