//! Files and bytes that a judgement rests on.

use std::io;
use std::path::Path;
use std::time::SystemTime;

use outrigger_types::Sha256Digest;

use super::key_ring::{KeyRing, Verdict, guarded, parse_signature, verify};
use super::{Signer, VerifyError, read_limited};

/// Largest key ring that is read, in bytes.
pub(crate) const MAX_KEY_RING: u64 = 1024 * 1024;
/// Largest signature that is read, in bytes.
pub(super) const MAX_SIGNATURE: u64 = 16 * 1024;

/// Where all of it lies.
pub(super) struct Files<'a> {
    pub(super) distribution: &'a Path,
    pub(super) signature: &'a Path,
    pub(super) key_ring: &'a Path,
}

impl Files<'_> {
    pub(super) fn verify(
        &self,
        digest: &Sha256Digest,
        now: SystemTime,
    ) -> Result<Signer, VerifyError> {
        let (distribution, signature) = (self.distribution.to_owned(), self.signature.to_owned());
        let key_ring = self.key_ring.to_owned();
        let ring_text = read_limited(&key_ring, MAX_KEY_RING)
            .map_err(|source| VerifyError::KeyRing { path: key_ring.clone(), source })?;
        let signature_text = match read_limited(&signature, MAX_SIGNATURE) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(VerifyError::SignatureMissing { distribution, signature });
            }
            Err(source) => {
                return Err(VerifyError::Signature { path: signature, source });
            }
        };
        let material = Material {
            distribution: self.distribution,
            signature: (self.signature, &signature_text),
            key_ring: (self.key_ring, &ring_text),
        };
        material.verify(digest, now)
    }
}

/// What a judgement rests on. The paths only serve in errors.
pub(super) struct Material<'a> {
    pub(super) distribution: &'a Path,
    pub(super) signature: (&'a Path, &'a [u8]),
    pub(super) key_ring: (&'a Path, &'a [u8]),
}

impl Material<'_> {
    pub(super) fn verify(
        &self,
        digest: &Sha256Digest,
        now: SystemTime,
    ) -> Result<Signer, VerifyError> {
        let (signature, key_ring) = (self.signature.0.to_owned(), self.key_ring.0.to_owned());
        let judged = guarded(|| {
            let ring = KeyRing::parse(self.key_ring.1).map_err(|problem| {
                VerifyError::KeyRingContent { path: key_ring.clone(), problem }
            })?;
            let parsed = parse_signature(self.signature.1).map_err(|detail| {
                VerifyError::SignatureContent { path: signature.clone(), detail }
            })?;
            verify(&ring, &parsed, digest, now).map_err(|verdict| match verdict {
                Verdict::UnknownSigner { issuer } => VerifyError::UnknownSigner {
                    signature: signature.clone(),
                    issuer,
                    key_ring: key_ring.clone(),
                },
                Verdict::DoesNotSign => VerifyError::DoesNotSign {
                    distribution: self.distribution.to_owned(),
                    digest: *digest,
                    signature: signature.clone(),
                },
                Verdict::Policy(violation) => {
                    VerifyError::Policy { signature: signature.clone(), violation }
                }
            })
        });
        judged.unwrap_or_else(|| {
            Err(VerifyError::Panicked { signature: signature.clone(), key_ring: key_ring.clone() })
        })
    }
}
