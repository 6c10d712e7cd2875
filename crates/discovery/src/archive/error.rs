//! The ways in which an archive is not unpacked.

use std::io;
use std::path::{Path, PathBuf};

use super::refusal::Refusal;

/// Why an archive was not unpacked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// The file could not be opened or read.
    #[error("cannot read {}; check that it exists and that this user may read it", .path.display())]
    Read {
        /// The archive.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The path leads to a directory, a device or the like.
    #[error("{} is not a regular file; name a zip archive", .path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// The file has more bytes than allowed.
    #[error("{} has more than {limit} bytes; raise the limit, or pack less", .path.display())]
    TooLarge {
        /// The archive.
        path: PathBuf,
        /// The limit in bytes.
        limit: u64,
    },
    /// The private copy could not be made.
    #[error("cannot copy {} into private memory; free some memory", .path.display())]
    Copy {
        /// The archive.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The archive is not one that is ever unpacked.
    #[error("{} is refused: {refusal}; {}", .path.display(), .refusal.remedy())]
    Refused {
        /// The archive.
        path: PathBuf,
        /// The reason.
        refusal: Refusal,
    },
    /// The files could not be written.
    #[error("cannot unpack {}; check that the run directory's disk has room", .path.display())]
    Write {
        /// The archive.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

/// A refusal before it is known which file it is about, or an I/O error.
#[derive(Debug)]
pub(crate) enum Fault {
    Refused(Refusal),
    Io(io::Error),
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Fault {
    pub(crate) fn about(self, path: &Path) -> ArchiveError {
        let path = path.to_owned();
        match self {
            Self::Refused(refusal) => ArchiveError::Refused { path, refusal },
            Self::Io(source) => ArchiveError::Write { path, source },
        }
    }
}
