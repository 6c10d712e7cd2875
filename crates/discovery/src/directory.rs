//! A plugin in the directory where somebody works on it: unpacked and unsigned.
//!
//! Its files are used where they stand. Nothing here copies, changes or removes
//! any of them, and whoever can write to the directory decides what runs; so a
//! verifier has to agree, and only one that checks nothing does.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use outrigger_types::PluginDefinition;

use crate::entry_point::{Candidate, EntryKind, EntryPointError, HEAD_BYTES};
use crate::error::DiscoveryError;
use crate::metadata::Metadata;
use crate::resolve::Resolver;
use crate::warning::Warning;

/// Execute permission for anybody.
const EXECUTABLE: u32 = 0o111;

/// A directory that holds a plugin, as it stood when it was looked at.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Developed {
    /// The directory; absolute.
    pub directory: PathBuf,
    /// What `plugin-meta.json` in it says.
    pub metadata: Metadata,
    /// The file to start; absolute.
    pub entry_point: PathBuf,
    /// What the file is.
    pub kind: EntryKind,
    /// What an operator should know; each was logged as well.
    pub warnings: Vec<Warning>,
}

/// Why a directory cannot be looked at.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DirectoryError {
    /// It is not there, or is no directory.
    #[error("{} is no directory; name the one that holds plugin-meta.json", .path.display())]
    NotADirectory {
        /// What was named.
        path: PathBuf,
    },
    /// Something in it cannot be read.
    #[error("cannot read {}; let this user read it", .path.display())]
    Read {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

impl Resolver {
    /// Looks at a plugin in `directory`, whose files are used where they stand,
    /// if the verifier lets an unsigned directory pass. What the directory
    /// holds decides; `definition` is only compared with it.
    ///
    /// This blocks on the disk.
    ///
    /// # Errors
    ///
    /// [`DiscoveryError`]: `Verify` where distributions are verified, else what
    /// is wrong with the directory, its metadata or its entry point.
    pub fn resolve_directory(
        &self,
        directory: &Path,
        definition: &PluginDefinition,
    ) -> Result<Developed, DiscoveryError> {
        self.verifier.verify_directory(directory)?;
        let unreadable = |path: &Path| {
            let path = path.to_owned();
            move |source| DirectoryError::Read { path, source }
        };
        let directory = std::path::absolute(directory).map_err(unreadable(directory))?;
        if !fs::metadata(&directory).is_ok_and(|found| found.is_dir()) {
            return Err(DirectoryError::NotADirectory { path: directory }.into());
        }
        let metadata = Metadata::read(&directory, self.limits.metadata_bytes)
            .map_err(unreadable(&directory))??;
        let entry_point = directory.join(&metadata.entry_point);
        let kind = self.check_entry_point(&directory, &metadata, &entry_point)?;
        let mut warnings = metadata.compare(definition, &self.platform);
        warnings.push(Warning::NotVerified);
        for warning in &warnings {
            tracing::warn!(plugin = %definition.name, version = %definition.version, "{warning}");
        }
        Ok(Developed { directory, metadata, entry_point, kind, warnings })
    }

    fn check_entry_point(
        &self,
        directory: &Path,
        metadata: &Metadata,
        path: &Path,
    ) -> Result<EntryKind, DiscoveryError> {
        let unreadable = |source| DirectoryError::Read { path: path.to_owned(), source };
        let found = match fs::metadata(path) {
            Ok(found) => found,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let (origin, name) = (directory.to_owned(), metadata.entry_point.clone());
                return Err(EntryPointError::Missing { origin, name }.into());
            }
            Err(error) => return Err(unreadable(error).into()),
        };
        let candidate = Candidate {
            origin: directory,
            name: &metadata.entry_point,
            directory: !found.is_file(),
            executable: found.mode() & EXECUTABLE != 0,
        };
        candidate.check_entry()?;
        let head = head(path).map_err(unreadable)?;
        Ok(candidate.check_head(&head, &self.platform)?)
    }
}

/// The first bytes of a file, without waiting for a pipe that took its place.
fn head(path: &Path) -> io::Result<Vec<u8>> {
    let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let file: File = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let mut head = Vec::with_capacity(HEAD_BYTES);
    file.take(HEAD_BYTES as u64).read_to_end(&mut head)?;
    Ok(head)
}
