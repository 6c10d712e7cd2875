//! Archives: opened once, copied, judged as a whole, then unpacked.

mod error;
mod layout;
mod name;
mod records;
mod refusal;
mod unpack;

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use outrigger_types::{Platform, Sha256Digest, failpoint};

use crate::entry_point::{Candidate, EntryKind, EntryPointError, HEAD_BYTES};
use crate::error::DiscoveryError;
use crate::limits::Limits;
use crate::metadata::{METADATA_FILE, Metadata, MetadataError};
use crate::snapshot::{Snapshot, SnapshotError};
use unpack::Unpacker;

pub use error::ArchiveError;
pub(crate) use error::Fault;
pub use layout::Entry;
pub use name::NameProblem;
pub(crate) use name::parse as parse_name;
pub use refusal::{EntryKindProblem, Refusal};

/// A distribution's bytes, copied into sealed memory and hashed. Nothing has
/// been parsed yet, so that a signature can be checked first.
#[derive(Debug)]
pub struct Distribution {
    path: PathBuf,
    snapshot: Snapshot,
}

impl Distribution {
    /// Opens `path` once, copies it and hashes the copy. A symbolic link is
    /// followed; what happens to the file afterwards changes nothing.
    ///
    /// # Errors
    ///
    /// [`ArchiveError`], all but `Refused` and `Write`.
    pub fn open(path: &Path, limits: &Limits) -> Result<Self, ArchiveError> {
        let unreadable = |source| ArchiveError::Read { path: path.to_owned(), source };
        // Opening a named pipe would wait for a writer without this flag.
        let nonblocking = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(nonblocking)
            .open(path)
            .map_err(unreadable)?;
        failpoint::io("resolve.open").map_err(unreadable)?;
        if !file.metadata().map_err(unreadable)?.is_file() {
            return Err(ArchiveError::NotAFile { path: path.to_owned() });
        }
        Self::from_file(&file, path, limits)
    }

    /// As [`Self::open`]; `path` only serves in errors.
    pub(crate) fn from_file(
        file: &File,
        path: &Path,
        limits: &Limits,
    ) -> Result<Self, ArchiveError> {
        let limit = limits.archive_bytes;
        let path = path.to_owned();
        match Snapshot::take(file, limit) {
            Ok(snapshot) => Ok(Self { path, snapshot }),
            Err(SnapshotError::Read(source)) => Err(ArchiveError::Read { path, source }),
            Err(SnapshotError::TooLarge) => Err(ArchiveError::TooLarge { path, limit }),
            Err(SnapshotError::Store(source)) => Err(ArchiveError::Copy { path, source }),
        }
    }

    /// The file that was opened.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// SHA-256 of the copy.
    #[must_use]
    pub const fn digest(&self) -> Sha256Digest {
        self.snapshot.digest()
    }

    /// Size of the zip in bytes.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.snapshot.len()
    }

    /// Parses the copy: structure, metadata and the kind of the entry point.
    /// Nothing is written. Check the signature before calling this.
    ///
    /// # Errors
    ///
    /// [`DiscoveryError::Archive`] with the reason of a refusal,
    /// [`DiscoveryError::Metadata`] or [`DiscoveryError::EntryPoint`].
    pub fn contents(
        &self,
        limits: &Limits,
        platform: &Platform,
    ) -> Result<Contents<'_>, DiscoveryError> {
        let about = |fault: Fault| fault.about(&self.path);
        let entries = layout::read(&self.snapshot, limits).map_err(about)?;
        let mut unpacker = Unpacker::new(&self.snapshot, &entries).map_err(about)?;
        let metadata = self.read_metadata(&entries, &mut unpacker, limits)?;
        let (origin, name) = (self.path.as_path(), metadata.entry_point.as_str());
        let entry_point = entries.iter().position(|entry| entry.name == name).ok_or_else(|| {
            EntryPointError::Missing { origin: origin.to_owned(), name: name.to_owned() }
        })?;
        let entry = &entries[entry_point];
        let candidate =
            Candidate { origin, name, directory: entry.directory, executable: entry.executable };
        candidate.check_entry()?;
        let head = unpacker.head(entry_point, entry, HEAD_BYTES).map_err(about)?;
        let entry_kind = candidate.check_head(&head, platform)?;
        let path = self.path.clone();
        Ok(Contents { path, entries, metadata, entry_kind, entry_point, unpacker })
    }

    fn read_metadata(
        &self,
        entries: &[Entry],
        unpacker: &mut Unpacker<'_>,
        limits: &Limits,
    ) -> Result<Metadata, DiscoveryError> {
        let found = entries
            .iter()
            .enumerate()
            .find(|(_, entry)| entry.name == METADATA_FILE && !entry.directory);
        let origin = || self.path.clone();
        let Some((index, entry)) = found else {
            return Err(MetadataError::Missing { origin: origin() }.into());
        };
        let (size, limit) = (entry.size, limits.metadata_bytes);
        if size > limit {
            return Err(MetadataError::TooLarge { origin: origin(), size, limit }.into());
        }
        let mut text = Vec::new();
        unpacker.copy(index, entry, &mut text).map_err(|fault| fault.about(&self.path))?;
        Ok(Metadata::parse(&text, &self.path)?)
    }
}

/// What an accepted archive holds; it can be unpacked.
#[derive(Debug)]
pub struct Contents<'a> {
    path: PathBuf,
    entries: Vec<Entry>,
    metadata: Metadata,
    entry_kind: EntryKind,
    entry_point: usize,
    unpacker: Unpacker<'a>,
}

impl Contents<'_> {
    /// Files and directories in the archive's order.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The metadata.
    #[must_use]
    pub const fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// What the entry point is.
    #[must_use]
    pub const fn entry_kind(&self) -> EntryKind {
        self.entry_kind
    }

    /// Whether the entry point is a native program and nothing else but the
    /// metadata is in the archive, so that it can run without its directory.
    #[must_use]
    pub fn single_file(&self) -> bool {
        let files = self.entries.iter().filter(|entry| !entry.directory);
        self.entry_kind == EntryKind::Elf && files.count() == 2
    }

    /// Writes all entries beneath `target`, an empty directory. Directories end
    /// with mode 0500, files with 0400, or 0500 where the archive lets anybody
    /// execute them. Returns the entry point's SHA-256, taken while writing.
    ///
    /// # Errors
    ///
    /// [`ArchiveError::Write`] or [`ArchiveError::Refused`], the latter where
    /// data and declared size or checksum differ. The files that were written
    /// until then remain; a [`crate::Workspace`] removes them.
    pub fn unpack(&mut self, target: &Path) -> Result<Sha256Digest, ArchiveError> {
        self.unpacker
            .unpack(&self.entries, self.entry_point, target)
            .map_err(|fault| fault.about(&self.path))
    }

    /// Decodes every file and compares size and checksum, without writing.
    ///
    /// # Errors
    ///
    /// [`ArchiveError::Refused`].
    pub fn check_data(&mut self) -> Result<(), ArchiveError> {
        for (index, entry) in self.entries.iter().enumerate() {
            self.unpacker
                .copy(index, entry, &mut io::sink())
                .map_err(|fault| fault.about(&self.path))?;
        }
        Ok(())
    }
}
