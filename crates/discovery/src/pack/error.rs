//! The ways in which packing fails.

use std::io;
use std::path::PathBuf;

use outrigger_types::NameError;

use crate::archive::Refusal;
use crate::error::DiscoveryError;

/// Why a directory was not packed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PackError {
    /// Something in the directory could not be read.
    #[error("cannot read {}; let this user read it", .path.display())]
    Read {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A file or directory that no host would unpack.
    #[error("{} cannot be packed: {refusal}; rename or remove it", .path.display())]
    Unpackable {
        /// The file or directory.
        path: PathBuf,
        /// The reason with which hosts would refuse it.
        refusal: Refusal,
    },
    /// The directory would receive its own archive.
    #[error("{} lies within the directory to be packed; name another output directory", .path.display())]
    OutputInside {
        /// The output directory.
        path: PathBuf,
    },
    /// The metadata has no name or version to name the file by.
    #[error("plugin-meta.json in {} has no `{key}`; add it, since the file is named by it", .origin.display())]
    Unnamed {
        /// The directory to be packed.
        origin: PathBuf,
        /// `name` or `version`.
        key: &'static str,
    },
    /// The metadata's name or version cannot stand in a file name.
    #[error("plugin-meta.json in {} has a `{key}` of no use: {problem}; correct it", .origin.display())]
    Name {
        /// The directory to be packed.
        origin: PathBuf,
        /// `name` or `version`.
        key: &'static str,
        /// What is wrong.
        problem: NameError,
    },
    /// The distribution could not be written.
    #[error("cannot write {}; check that this user may write there and that the disk has room", .path.display())]
    Write {
        /// The distribution.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// What was packed would be refused, for its metadata, its entry point or
    /// its size.
    #[error(transparent)]
    Refused(#[from] DiscoveryError),
}
