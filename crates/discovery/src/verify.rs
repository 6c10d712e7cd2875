//! Who vouches for a distribution.

#[cfg(feature = "openpgp")]
mod armor;
#[cfg(feature = "openpgp")]
mod certificate;
mod error;
#[cfg(feature = "openpgp")]
mod key_ring;
#[cfg(feature = "openpgp")]
mod material;
#[cfg(feature = "openpgp")]
mod online;
mod pins;
#[cfg(feature = "openpgp")]
mod policy;
mod violation;

use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use outrigger_types::{PluginDefinition, Sha256Digest};

pub use error::{KeyRingProblem, VerifyError};
#[cfg(feature = "openpgp")]
pub use key_ring::KeyFound;
#[cfg(feature = "openpgp")]
pub(crate) use key_ring::{KeyRing, Verdict, guarded, verify};
#[cfg(feature = "openpgp")]
pub(crate) use material::MAX_KEY_RING;
#[cfg(feature = "openpgp")]
pub use online::{Online, OnlineKey};
pub use pins::{Fingerprint, FingerprintError, Pinned};
pub use violation::PolicyViolation;

/// Decides whether a distribution may be unpacked. [`Verification`] is the
/// implementation that needs nothing but files.
pub trait Verifier: fmt::Debug + Send + Sync {
    /// Judges the file at `distribution`, of whose bytes `digest` was taken. The
    /// file must not be read again; its name leads to the signature.
    ///
    /// # Errors
    ///
    /// [`VerifyError`] for every outcome but "somebody trusted signed this".
    fn verify(&self, distribution: &Path, digest: &Sha256Digest)
    -> Result<VerifiedBy, VerifyError>;

    /// As [`Verifier::verify`], for whoever can look up more by the definition.
    ///
    /// # Errors
    ///
    /// As [`Verifier::verify`].
    fn verify_definition(
        &self,
        _definition: &PluginDefinition,
        distribution: &Path,
        digest: &Sha256Digest,
    ) -> Result<VerifiedBy, VerifyError> {
        self.verify(distribution, digest)
    }

    /// Judges a directory, which nobody can have signed. Unless an
    /// implementation says otherwise, none passes.
    ///
    /// # Errors
    ///
    /// [`VerifyError::Directory`] wherever plugins are verified.
    fn verify_directory(&self, directory: &Path) -> Result<VerifiedBy, VerifyError> {
        Err(VerifyError::Directory { path: directory.to_owned() })
    }

    /// Files that the judgement rests on, so that the resolver can warn where
    /// other users can change them.
    fn trusted_files(&self) -> Vec<PathBuf> {
        Vec::new()
    }
}

/// The ways of verifying that need no network.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verification {
    /// A detached signature in a local directory, made by any key of a local
    /// key ring. Both files are read anew each time, so that keys can be
    /// changed while the host runs.
    LocalKey {
        /// ASCII-armoured OpenPGP public keys, at most 1 MiB.
        public_key: PathBuf,
        /// The directory of `<zip's file name>.sha256sum.asc`, the ASCII-armoured
        /// signature over the digest's 64 lower-case hexadecimal digits, with or
        /// without a newline behind them; at most 16 KiB.
        signature_dir: PathBuf,
    },
    /// No check at all: whoever can write the distribution decides what runs
    /// with the host's rights.
    DangerSkip,
}

/// The outcome of a verification that let the distribution pass.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum VerifiedBy {
    /// A key signed it.
    Key(Signer),
    /// Verification was switched off.
    Nobody,
}

/// The key that made a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Signer {
    /// Fingerprint of the primary key, in upper-case hexadecimal digits.
    pub fingerprint: String,
    /// Fingerprint of the signing subkey, where one made the signature.
    pub subkey: Option<String>,
    /// A user id of the key, where it has one.
    pub user_id: Option<String>,
    /// When the signature says that it was made.
    pub signed_at: SystemTime,
}

/// The signature of `distribution` in `signature_dir`: its file name with
/// `.sha256sum.asc` appended.
#[must_use]
pub fn signature_path(signature_dir: &Path, distribution: &Path) -> PathBuf {
    let mut name = distribution.file_name().map_or_else(OsString::new, OsString::from);
    name.push(".sha256sum.asc");
    signature_dir.join(name)
}

impl Verifier for Verification {
    fn verify(
        &self,
        distribution: &Path,
        digest: &Sha256Digest,
    ) -> Result<VerifiedBy, VerifyError> {
        match self {
            Self::DangerSkip => Ok(VerifiedBy::Nobody),
            Self::LocalKey { public_key, signature_dir } => {
                by_local_key(public_key, signature_dir, distribution, digest)
            }
        }
    }

    fn verify_directory(&self, directory: &Path) -> Result<VerifiedBy, VerifyError> {
        match self {
            Self::DangerSkip => Ok(VerifiedBy::Nobody),
            Self::LocalKey { .. } => Err(VerifyError::Directory { path: directory.to_owned() }),
        }
    }

    fn trusted_files(&self) -> Vec<PathBuf> {
        match self {
            Self::LocalKey { public_key, .. } => vec![public_key.clone()],
            Self::DangerSkip => Vec::new(),
        }
    }
}

impl fmt::Display for VerifiedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(signer) => signer.fmt(f),
            Self::Nobody => f.write_str("nobody"),
        }
    }
}

impl fmt::Display for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.fingerprint)?;
        match &self.user_id {
            Some(user_id) => write!(f, " ({})", user_id.escape_debug()),
            None => Ok(()),
        }
    }
}

#[cfg(feature = "openpgp")]
fn by_local_key(
    public_key: &Path,
    signature_dir: &Path,
    distribution: &Path,
    digest: &Sha256Digest,
) -> Result<VerifiedBy, VerifyError> {
    let signature = signature_path(signature_dir, distribution);
    let files = material::Files { distribution, signature: &signature, key_ring: public_key };
    files.verify(digest, SystemTime::now()).map(VerifiedBy::Key)
}

#[cfg(not(feature = "openpgp"))]
fn by_local_key(
    _public_key: &Path,
    _signature_dir: &Path,
    _distribution: &Path,
    _digest: &Sha256Digest,
) -> Result<VerifiedBy, VerifyError> {
    Err(VerifyError::NoOpenPgp)
}

/// The keys in a file, and why one of them vouches for nothing now.
///
/// # Errors
///
/// [`VerifyError`] when the file cannot be read, or holds no public keys.
#[cfg(feature = "openpgp")]
pub fn inspect_keys(path: &Path, now: SystemTime) -> Result<Vec<KeyFound>, VerifyError> {
    let text = read_limited(path, MAX_KEY_RING)
        .map_err(|source| VerifyError::KeyRing { path: path.to_owned(), source })?;
    let found = guarded(|| Ok(KeyRing::parse(&text)?.keys(now)));
    let unreadable = KeyRingProblem::Malformed("reading it failed".to_owned());
    let found = found.unwrap_or(Err(unreadable));
    found.map_err(|problem| VerifyError::KeyRingContent { path: path.to_owned(), problem })
}

/// Reads a whole file of at most `limit` bytes.
pub(crate) fn read_limited(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        let text = format!("it has more than {limit} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
    }
    Ok(bytes)
}
