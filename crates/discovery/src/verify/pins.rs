//! Keys that are trusted by their fingerprints.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use outrigger_types::{PluginDefinition, Sha256Digest};

use super::{VerifiedBy, Verifier, VerifyError};

/// The fingerprint of an OpenPGP primary key: 40 or 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(String);

/// A text that is no fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a fingerprint has 40 or 64 hexadecimal digits; spaces, colons and 0x may stand in it")]
pub struct FingerprintError;

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        let text = text.strip_prefix("0x").unwrap_or(text);
        let digits: String = text.chars().filter(|c| !matches!(c, ' ' | ':')).collect();
        let valid = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        if valid && matches!(digits.len(), 40 | 64) {
            return Ok(Self(digits.to_ascii_uppercase()));
        }
        Err(FingerprintError)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Lets pass what another verifier lets pass, if a key with one of these
/// fingerprints signed it.
#[derive(Debug, Clone)]
pub struct Pinned {
    /// The other verifier.
    pub verifier: Arc<dyn Verifier>,
    /// The fingerprints of the primary keys that are trusted.
    pub fingerprints: Vec<Fingerprint>,
}

impl Pinned {
    fn check(&self, distribution: &Path, by: VerifiedBy) -> Result<VerifiedBy, VerifyError> {
        let signer = match &by {
            VerifiedBy::Key(signer) => signer.fingerprint.clone(),
            VerifiedBy::Nobody => "nobody".to_owned(),
        };
        if self.fingerprints.iter().any(|pinned| pinned.0 == signer) {
            return Ok(by);
        }
        Err(VerifyError::NotPinned { distribution: distribution.to_owned(), signer })
    }
}

impl Verifier for Pinned {
    fn verify(&self, path: &Path, digest: &Sha256Digest) -> Result<VerifiedBy, VerifyError> {
        self.check(path, self.verifier.verify(path, digest)?)
    }

    fn verify_definition(
        &self,
        definition: &PluginDefinition,
        path: &Path,
        digest: &Sha256Digest,
    ) -> Result<VerifiedBy, VerifyError> {
        self.check(path, self.verifier.verify_definition(definition, path, digest)?)
    }

    fn trusted_files(&self) -> Vec<PathBuf> {
        self.verifier.trusted_files()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_read_as_people_write_it() {
        let digits = "0123456789ABCDEF0123456789ABCDEF01234567";
        for text in [
            "0123456789abcdef0123456789abcdef01234567",
            "0x0123456789ABCDEF0123456789ABCDEF01234567",
            "0123 4567 89AB CDEF 0123  4567 89AB CDEF 0123 4567",
            "01:23:45:67:89:ab:cd:ef:01:23:45:67:89:ab:cd:ef:01:23:45:67",
        ] {
            assert_eq!(text.parse::<Fingerprint>().unwrap().to_string(), digits, "{text}");
        }
        // A key id is what anybody can make another key for.
        for text in
            ["", "0123456789ABCDEF", &digits[1..], "g123456789abcdef0123456789abcdef01234567"]
        {
            assert_eq!(text.parse::<Fingerprint>(), Err(FingerprintError), "{text}");
        }
    }
}
