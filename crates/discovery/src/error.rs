//! Everything that can stand between a definition and a running file.

use std::path::PathBuf;

use crate::archive::ArchiveError;
use crate::central::DownloadError;
use crate::directory::DirectoryError;
use crate::entry_point::EntryPointError;
use crate::last_run::DowngradeError;
use crate::locate::LocateError;
use crate::metadata::MetadataError;
use crate::verify::VerifyError;
use crate::warning::Warning;
use crate::workspace::WorkspaceError;

/// Why a definition did not become an unpacked distribution. Each concern has
/// its own enum; the text of this one is the text of the one inside.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DiscoveryError {
    /// The distribution was not found.
    #[error(transparent)]
    Locate(#[from] LocateError),
    /// It was not here, and the central did not give it.
    #[error(transparent)]
    Download(#[from] DownloadError),
    /// The archive was not readable, or was refused.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The signature was missing, or was refused. The text begins as GoQuorum's.
    #[error("unable to verify plugin signature: {0}")]
    Verify(#[from] VerifyError),
    /// The metadata was missing or wrong.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// The metadata is another plugin's.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// A newer version ran last.
    #[error(transparent)]
    Downgrade(#[from] DowngradeError),
    /// The entry point cannot run here.
    #[error(transparent)]
    EntryPoint(#[from] EntryPointError),
    /// The private directory could not be made.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    /// The directory of a plugin that is being worked on cannot be used.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
}

/// A distribution of another plugin, or of another version, than was asked for.
#[derive(Debug, thiserror::Error)]
#[error(
    "{} is another plugin's distribution: {warning}; put the right zip there, or set \
     `verification.identity` to `warn`", .distribution.display()
)]
pub struct IdentityError {
    /// The zip.
    pub distribution: PathBuf,
    /// How it differs.
    pub warning: Warning,
}

impl DiscoveryError {
    /// Whether the same files would fail again: what they hold is at fault, not
    /// the machine at this moment. A file that is missing or unreadable now may
    /// be there a moment later, so that is not permanent.
    #[must_use]
    pub const fn is_permanent(&self) -> bool {
        match self {
            Self::Locate(_) | Self::Download(_) | Self::Workspace(_) | Self::Directory(_) => false,
            Self::Archive(error) => {
                matches!(error, ArchiveError::Refused { .. } | ArchiveError::TooLarge { .. })
            }
            Self::Verify(error) => error.is_permanent(),
            Self::Metadata(_) | Self::Identity(_) | Self::Downgrade(_) | Self::EntryPoint(_) => {
                true
            }
        }
    }
}
