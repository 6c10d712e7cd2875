//! The ways in which signing fails.

use std::io;
use std::path::PathBuf;

use crate::archive::ArchiveError;
use crate::verify::PolicyViolation;

/// Why something was not signed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The archive could not be read.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The secret key could not be read.
    #[error("cannot read secret key {}; name a file with one ASCII-armoured secret key", .path.display())]
    Read {
        /// The key's file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The text is no secret key.
    #[error(
        "this is no ASCII-armoured secret key ({detail}); export one with `gpg --armor --export-secret-keys`"
    )]
    Malformed {
        /// What is wrong.
        detail: String,
    },
    /// The secret key needs a password, and none was given.
    #[error("the secret key is locked; give its password")]
    Locked,
    /// The secret key could not be used, most likely for a wrong password.
    #[error("cannot sign with the secret key ({detail}); check its password")]
    Unusable {
        /// What the OpenPGP library said.
        detail: String,
    },
    /// Every host would refuse a signature by this key.
    #[error("a signature by this key would be refused: {violation}; use a proper key")]
    Policy {
        /// The rule that is broken.
        violation: PolicyViolation,
    },
    /// No key could be made.
    #[error("cannot generate a key ({detail}); try another user id")]
    Generate {
        /// What the OpenPGP library said.
        detail: String,
    },
    /// A file could not be written.
    #[error("cannot write {}; check that this user may write there and that it does not exist", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The OpenPGP library gave up on the key.
    #[error("the secret key made the OpenPGP library panic; use another one")]
    Panicked,
}
