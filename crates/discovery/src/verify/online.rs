//! Signatures from a plugin central, kept beside the zip once they verified.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use outrigger_types::{Platform, PluginDefinition, Sha256Digest};

use super::material::{MAX_KEY_RING, MAX_SIGNATURE, Material};
use super::{VerifiedBy, Verifier, VerifyError, read_limited, signature_path};
use crate::atomic::{self, IfExists};
use crate::central::Central;

/// Whose keys are trusted online.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnlineKey {
    /// A local key ring.
    Local(PathBuf),
    /// The central's own, kept at this path once it verified something. Without
    /// [`Pinned`](super::Pinned) around it, whoever has the central decides what
    /// runs; this is GoQuorum's way.
    Central {
        /// Where it is kept.
        kept: PathBuf,
    },
}

/// Verifies by a signature that lies beside the zip or, where there is none that
/// is good, by the central's. What verified is kept, so that a central that is
/// down stops nobody who holds a verified copy.
#[derive(Debug, Clone)]
pub struct Online {
    /// Where signatures come from.
    pub central: Arc<dyn Central>,
    /// Where they are kept.
    pub signature_dir: PathBuf,
    /// Whose keys count.
    pub key: OnlineKey,
    /// The platform that plugins must be made for.
    pub platform: Platform,
}

impl Online {
    fn key_path(&self) -> &Path {
        match &self.key {
            OnlineKey::Local(path) | OnlineKey::Central { kept: path } => path,
        }
    }

    fn local_key(&self) -> Result<Vec<u8>, VerifyError> {
        let path = self.key_path();
        read_limited(path, MAX_KEY_RING)
            .map_err(|source| VerifyError::KeyRing { path: path.to_owned(), source })
    }

    /// With what lies here alone.
    fn kept(&self, distribution: &Path, digest: &Sha256Digest) -> Result<VerifiedBy, VerifyError> {
        let path = signature_path(&self.signature_dir, distribution);
        let signature = read_limited(&path, MAX_SIGNATURE)
            .map_err(|source| VerifyError::Signature { path: path.clone(), source })?;
        self.judge(distribution, &path, &signature, &self.local_key()?, digest)
    }

    fn judge(
        &self,
        distribution: &Path,
        path: &Path,
        signature: &[u8],
        key: &[u8],
        digest: &Sha256Digest,
    ) -> Result<VerifiedBy, VerifyError> {
        let material = Material {
            distribution,
            signature: (path, signature),
            key_ring: (self.key_path(), key),
        };
        material.verify(digest, SystemTime::now()).map(VerifiedBy::Key)
    }

    /// With what the central has.
    fn fetched(
        &self,
        definition: &PluginDefinition,
        distribution: &Path,
        digest: &Sha256Digest,
    ) -> Result<VerifiedBy, VerifyError> {
        let path = signature_path(&self.signature_dir, distribution);
        let failed = |source| VerifyError::Central { path: path.clone(), source };
        let signature = self.central.signature(definition, &self.platform).map_err(failed)?;
        let key = match &self.key {
            OnlineKey::Local(_) => self.local_key()?,
            OnlineKey::Central { .. } => self.central.public_key().map_err(failed)?,
        };
        let verified = self.judge(distribution, &path, &signature, &key, digest)?;
        self.keep(&path, &signature);
        if let OnlineKey::Central { kept } = &self.key {
            self.keep(kept, &key);
        }
        Ok(verified)
    }

    /// What cannot be kept is fetched again next time.
    fn keep(&self, path: &Path, bytes: &[u8]) {
        if let Err(error) = atomic::write(path, bytes, 0o644, IfExists::Replace) {
            tracing::warn!("{} cannot be kept: {error}", path.display());
        }
    }
}

impl Verifier for Online {
    fn verify(&self, path: &Path, digest: &Sha256Digest) -> Result<VerifiedBy, VerifyError> {
        self.kept(path, digest)
    }

    fn verify_definition(
        &self,
        definition: &PluginDefinition,
        path: &Path,
        digest: &Sha256Digest,
    ) -> Result<VerifiedBy, VerifyError> {
        if let Ok(verified) = self.kept(path, digest) {
            return Ok(verified);
        }
        self.fetched(definition, path, digest)
    }

    fn trusted_files(&self) -> Vec<PathBuf> {
        vec![self.key_path().to_owned()]
    }
}
