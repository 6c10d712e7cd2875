//! Reading keys and signatures, and finding the key that made one.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use outrigger_types::Sha256Digest;
use pgp::composed::{Deserializable, DetachedSignature, SignedPublicKey};
use pgp::packet::{Signature, SubpacketData};
use pgp::types::KeyDetails;

use super::certificate::{self, Component};
use super::policy;
use super::{KeyRingProblem, PolicyViolation, Signer, armor};

const PUBLIC_KEY: &str = "PUBLIC KEY BLOCK-----";
const SIGNATURE: &str = "SIGNATURE-----";
const PRIVATE_KEY: &str = "PRIVATE KEY BLOCK-----";

/// A key of a key ring.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyFound {
    /// Fingerprint of the primary key, in upper-case hexadecimal digits.
    pub fingerprint: String,
    /// A user id of the key, where it has one.
    pub user_id: Option<String>,
    /// Why no part of it may sign, if none may.
    pub problem: Option<PolicyViolation>,
}

/// The public keys that may sign.
#[derive(Debug)]
pub(crate) struct KeyRing {
    keys: Vec<SignedPublicKey>,
}

/// The verdict on a signature that does not count.
#[derive(Debug)]
pub(crate) enum Verdict {
    UnknownSigner { issuer: String },
    DoesNotSign,
    Policy(PolicyViolation),
}

/// Runs code of the OpenPGP library; `None` if it panics, as it has on hostile
/// input before.
pub(crate) fn guarded<T>(work: impl FnOnce() -> T) -> Option<T> {
    // Whatever the closure was working on is dropped with it.
    catch_unwind(AssertUnwindSafe(work)).ok()
}

impl KeyRing {
    /// Reads every armoured block of a text; other text around them is skipped,
    /// as is a byte order mark.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, KeyRingProblem> {
        let text = str::from_utf8(text).map_err(|_| KeyRingProblem::NotText)?;
        let mut keys = Vec::new();
        for block in armor::blocks(text) {
            if block[armor::BLOCK_START.len()..].starts_with(PRIVATE_KEY) {
                return Err(KeyRingProblem::SecretKey);
            }
            if !block[armor::BLOCK_START.len()..].starts_with(PUBLIC_KEY) {
                continue;
            }
            let malformed =
                |error: pgp::errors::Error| KeyRingProblem::Malformed(error.to_string());
            let bytes = armor::body(block).map_err(KeyRingProblem::Malformed)?;
            for key in SignedPublicKey::from_bytes_many(bytes.as_slice()).map_err(malformed)? {
                keys.push(key.map_err(malformed)?);
            }
        }
        if keys.is_empty() {
            return Err(KeyRingProblem::NoKeys);
        }
        Ok(Self { keys })
    }

    /// What is in it, and why a key of it signs nothing now.
    pub(crate) fn keys(&self, now: SystemTime) -> Vec<KeyFound> {
        let now = policy::seconds(now);
        let found = self.keys.iter().map(|key| {
            let subkeys = key.public_subkeys.iter().map(Component::Subkey);
            let parts = std::iter::once(Component::Primary).chain(subkeys);
            let mut judged = parts.map(|part| certificate::check(key, part, now, now));
            let first = judged.next().and_then(Result::err);
            let problem = first.filter(|_| judged.all(|judged| judged.is_err()));
            let Signer { fingerprint, user_id, .. } = signer(key, Component::Primary, now);
            KeyFound { fingerprint, user_id, problem }
        });
        found.collect()
    }

    pub(crate) fn of(key: SignedPublicKey) -> Self {
        Self { keys: vec![key] }
    }
}

/// Reads the one signature that a file may hold. The error says what is wrong.
pub(crate) fn parse_signature(text: &[u8]) -> Result<Signature, String> {
    let text = str::from_utf8(text).map_err(|_| "it is not ASCII-armoured".to_owned())?;
    let blocks = armor::blocks(text);
    let &[block] = blocks.as_slice() else {
        return Err(format!("it has {} armoured blocks instead of one", blocks.len()));
    };
    if text.starts_with('\u{feff}') {
        return Err("it begins with a byte order mark".to_owned());
    }
    if !block[armor::BLOCK_START.len()..].starts_with(SIGNATURE) {
        return Err("it is no signature".to_owned());
    }
    let bytes = armor::body(block)?;
    let mut signatures = DetachedSignature::from_bytes_many(bytes.as_slice())
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| error.to_string())?;
    match (signatures.pop(), signatures.len()) {
        (Some(only), 0) => Ok(only.signature),
        (None, _) => Err("it holds no signature".to_owned()),
        // Readers differ in which of several must be good.
        (Some(_), others) => Err(format!("it holds {} signatures instead of one", others + 1)),
    }
}

/// Checks that a key of `ring` signed `digest`, and that policy lets signature
/// and key count at `now`.
pub(crate) fn verify(
    ring: &KeyRing,
    signature: &Signature,
    digest: &Sha256Digest,
    now: SystemTime,
) -> Result<Signer, Verdict> {
    let now = policy::seconds(now);
    let hex = digest.to_string();
    let hex_and_newline = format!("{hex}\n");
    let mut verdict = None;
    for (key, component) in candidates(ring, signature) {
        let fits = |text: &str| component.verify(key, signature, text.as_bytes());
        if !fits(&hex) && !fits(&hex_and_newline) {
            verdict.get_or_insert(Verdict::DoesNotSign);
            continue;
        }
        let judged = policy::check_signature(signature, now)
            .and_then(|signed_at| {
                certificate::check(key, component, signed_at, now).map(|()| signed_at)
            })
            .map_err(Verdict::Policy);
        match judged {
            Ok(signed_at) => return Ok(signer(key, component, signed_at)),
            Err(violation) => verdict = Some(violation),
        }
    }
    Err(verdict.unwrap_or_else(|| Verdict::UnknownSigner { issuer: issuer(signature) }))
}

fn candidates<'a>(
    ring: &'a KeyRing,
    signature: &Signature,
) -> impl Iterator<Item = (&'a SignedPublicKey, Component<'a>)> {
    let components = ring.keys.iter().flat_map(|key| {
        let subkeys = key.public_subkeys.iter().map(Component::Subkey);
        std::iter::once(Component::Primary).chain(subkeys).map(move |part| (key, part))
    });
    components.filter(|(key, component)| match component {
        Component::Primary => issued_by(signature, &key.primary_key),
        Component::Subkey(subkey) => issued_by(signature, &subkey.key),
    })
}

/// Whether everything that the signature says of its issuer fits this key. A
/// fingerprint counts as an answer only where it is signed.
fn issued_by(signature: &Signature, key: &impl KeyDetails) -> bool {
    let fingerprints = signature.issuer_fingerprint();
    let ids = signature.issuer_key_id();
    let signed = policy::hashed(signature, |data| {
        matches!(data, SubpacketData::IssuerFingerprint(_)).then_some(())
    });
    (signed.is_some() || !ids.is_empty())
        && fingerprints.iter().all(|&named| *named == key.fingerprint())
        && ids.iter().all(|&named| *named == key.legacy_key_id())
}

fn issuer(signature: &Signature) -> String {
    if let Some(fingerprint) = signature.issuer_fingerprint().first() {
        return format!("{fingerprint:X}");
    }
    match signature.issuer_key_id().first() {
        Some(id) => id.to_string().to_uppercase(),
        None => "that it does not name".to_owned(),
    }
}

fn signer(key: &SignedPublicKey, component: Component<'_>, signed_at: u64) -> Signer {
    let subkey = match component {
        Component::Primary => None,
        Component::Subkey(subkey) => Some(format!("{:X}", subkey.key.fingerprint())),
    };
    let user_id = key.details.users.first().and_then(|user| user.id.as_str().map(str::to_owned));
    Signer {
        fingerprint: format!("{:X}", key.primary_key.fingerprint()),
        subkey,
        user_id,
        signed_at: UNIX_EPOCH + Duration::from_secs(signed_at),
    }
}
