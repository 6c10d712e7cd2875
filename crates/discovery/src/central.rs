//! The seam to a plugin central. Discovery itself opens no socket.

use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use outrigger_types::{Platform, PluginDefinition};

/// Why a central did not give what was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct CentralError {
    /// What went wrong, at which address.
    pub text: String,
}

/// Fetches what is not in the base directory. Calls block, each within limits
/// of the implementation's own.
pub trait Central: fmt::Debug + Send + Sync {
    /// Puts a distribution at `path`: whole, or not at all.
    ///
    /// # Errors
    ///
    /// [`CentralError`]; nothing is left at `path` or beside it then.
    fn distribution(
        &self,
        definition: &PluginDefinition,
        platform: &Platform,
        path: &Path,
    ) -> Result<(), CentralError>;

    /// The signature of a distribution.
    ///
    /// # Errors
    ///
    /// [`CentralError`].
    fn signature(
        &self,
        definition: &PluginDefinition,
        platform: &Platform,
    ) -> Result<Vec<u8>, CentralError>;

    /// The public key.
    ///
    /// # Errors
    ///
    /// [`CentralError`].
    fn public_key(&self) -> Result<Vec<u8>, CentralError>;

    /// Ends calls that are under way, and those that follow, soon.
    fn cancel(&self) {}
}

/// A distribution could not be fetched. The text is GoQuorum's.
#[derive(Debug, thiserror::Error)]
#[error(
    "can't download from Plugin Central due to: {source}. Please download the plugin manually and copy it to {}",
    .base_dir.display()
)]
pub struct DownloadError {
    /// Why.
    pub source: CentralError,
    /// Where it belongs.
    pub base_dir: PathBuf,
}

/// Whether a file can be a zip at all: an interrupted download of old leaves
/// one that is empty, and a server's apology is a page.
pub(crate) fn may_be_zip(path: &Path) -> bool {
    let mut start = [0; 2];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut start));
    // What cannot be read is told apart later.
    read.map_or_else(
        |error| error.kind() != std::io::ErrorKind::UnexpectedEof,
        |()| start == *b"PK",
    )
}
