//! The ways in which a verification fails.

use std::io;
use std::path::PathBuf;

use outrigger_types::Sha256Digest;

use super::PolicyViolation;
use crate::central::CentralError;

/// Why a key ring is of no use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyRingProblem {
    /// The file is no text.
    #[error("it is not ASCII-armoured")]
    NotText,
    /// The file holds no public key.
    #[error("it holds no public key")]
    NoKeys,
    /// The file holds a secret key, which has no business on a host.
    #[error("it holds a secret key")]
    SecretKey,
    /// A key could not be parsed.
    #[error("a key in it cannot be read ({0})")]
    Malformed(String),
}

/// Why a distribution was not taken for genuine.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// This program cannot check signatures.
    #[error(
        "verification needs the feature `openpgp` of the crate `outrigger`, which this program was built without; build it with the feature"
    )]
    NoOpenPgp,
    /// The key ring could not be read.
    #[error("cannot read key ring {}; configure a file with ASCII-armoured public keys", .path.display())]
    KeyRing {
        /// The key ring.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The key ring holds no usable key.
    #[error("key ring {} is refused: {problem}; export the publisher's public key with `gpg --armor --export`", .path.display())]
    KeyRingContent {
        /// The key ring.
        path: PathBuf,
        /// What is wrong.
        problem: KeyRingProblem,
    },
    /// There is no signature.
    #[error("{} has no signature: {} does not exist; get it from the plugin's publisher", .distribution.display(), .signature.display())]
    SignatureMissing {
        /// The zip.
        distribution: PathBuf,
        /// Where its signature should be.
        signature: PathBuf,
    },
    /// The signature could not be read.
    #[error("cannot read signature {}; let this user read it", .path.display())]
    Signature {
        /// The signature.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The file is no single ASCII-armoured detached signature.
    #[error("signature {} is refused: {detail}; download it again", .path.display())]
    SignatureContent {
        /// The signature.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// No key of the ring made the signature.
    #[error(
        "signature {} was made by key {}, which is not in {}; add the publisher's key if it is trusted",
        .signature.display(), .issuer, .key_ring.display()
    )]
    UnknownSigner {
        /// The signature.
        signature: PathBuf,
        /// Fingerprint or id of its key, in hexadecimal digits.
        issuer: String,
        /// The key ring.
        key_ring: PathBuf,
    },
    /// The signature is for other bytes.
    #[error(
        "sha256 of {} is {digest}, which the signature {} does not sign; download both again",
        .distribution.display(), .signature.display()
    )]
    DoesNotSign {
        /// The zip.
        distribution: PathBuf,
        /// Its digest.
        digest: Sha256Digest,
        /// The signature.
        signature: PathBuf,
    },
    /// The signature fits, but it or its key may not be relied on.
    #[error("signature {} is refused: {violation}; {}", .signature.display(), .violation.remedy())]
    Policy {
        /// The signature.
        signature: PathBuf,
        /// The rule that is broken.
        violation: PolicyViolation,
    },
    /// The central has no signature to give, or no key.
    #[error("signature {} cannot be fetched: {source}", .path.display())]
    Central {
        /// Where it would be kept.
        path: PathBuf,
        /// Why.
        source: CentralError,
    },
    /// A key signed it that the settings do not pin.
    #[error(
        "{} was signed by {signer}, which is not among the pinned fingerprints; add it to `verification.fingerprints` if it is trusted",
        .distribution.display()
    )]
    NotPinned {
        /// The zip.
        distribution: PathBuf,
        /// The fingerprint of its signer's primary key.
        signer: String,
    },
    /// A directory was to run where plugins are verified.
    #[error("{} is an unsigned directory, and this host verifies its plugins; pack and sign it, or use it where verification is switched off", .path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
    },
    /// The OpenPGP library gave up on the key ring or the signature.
    #[error("reading {} or {} made the OpenPGP library panic; get both from the publisher again", .signature.display(), .key_ring.display())]
    Panicked {
        /// The signature.
        signature: PathBuf,
        /// The key ring.
        key_ring: PathBuf,
    },
}

impl VerifyError {
    pub(crate) const fn is_permanent(&self) -> bool {
        !matches!(
            self,
            Self::KeyRing { .. }
                | Self::Signature { .. }
                | Self::SignatureMissing { .. }
                | Self::Central { .. }
        )
    }
}
