//! From a directory to a distribution.

mod error;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use outrigger_types::{Platform, PluginName, PluginVersion, Sha256Digest};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, System, ZipWriter};

use crate::archive::{Distribution, EntryKindProblem, Refusal, parse_name};
use crate::atomic::{self, IfExists};
use crate::error::DiscoveryError;
use crate::limits::Limits;
use crate::locate;
use crate::metadata::{METADATA_FILE, Metadata};

pub use error::PackError;

const MODE_DIRECTORY: u32 = 0o755;
const MODE_EXECUTABLE: u32 = 0o755;
const MODE_FILE: u32 = 0o644;
const MODE_ARCHIVE: u32 = 0o644;

/// How to pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackOptions {
    /// What the hosts that will unpack the distribution allow.
    pub limits: Limits,
    /// The platform that the entry point was built for.
    pub platform: Platform,
    /// How hard to compress, from 0, not at all, to 9. Values above count as 9.
    pub level: u32,
    /// What to do where the distribution is there already.
    pub if_exists: IfExists,
}

impl Default for PackOptions {
    /// Default limits, this platform, level 6, an existing file is replaced.
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            platform: Platform::current(),
            level: 6,
            if_exists: IfExists::Replace,
        }
    }
}

/// A distribution that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Packed {
    /// The zip.
    pub path: PathBuf,
    /// Its SHA-256.
    pub digest: Sha256Digest,
    /// Its size in bytes.
    pub size: u64,
    /// The metadata in it.
    pub metadata: Metadata,
}

/// Packs `directory` into `<name>-<version>-<os>-<arch>.zip` in `output`, named
/// by the metadata. The same files give the same bytes: names are sorted, times
/// fixed, and of permissions only the right to execute is kept. The file
/// appears under its name once it is complete and was found fit to be unpacked.
///
/// # Errors
///
/// [`PackError`], naming the file that stands in the way.
pub fn pack(directory: &Path, output: &Path, options: &PackOptions) -> Result<Packed, PackError> {
    refuse_output_inside(directory, output)?;
    let metadata = read_metadata(directory, options)?;
    let path = output.join(file_name(directory, &metadata, options)?);
    let unwritable = |source| PackError::Write { path: path.clone(), source };
    let items = collect(directory, options)?;
    let mut temporary = atomic::temporary_beside(&path).map_err(unwritable)?;
    let mut writer = ZipWriter::new(temporary.as_file_mut());
    for item in &items {
        add(&mut writer, item, options).map_err(|fault| match fault {
            AddFault::Read(source) => PackError::Read { path: item.path.clone(), source },
            AddFault::Write(source) => unwritable(source),
        })?;
    }
    writer.finish().map_err(|error| unwritable(error.into()))?;
    // Read back what was written, as a host will.
    let file = temporary.reopen().map_err(unwritable)?;
    let written =
        Distribution::from_file(&file, &path, &options.limits).map_err(DiscoveryError::from)?;
    let mut contents = written.contents(&options.limits, &options.platform)?;
    contents.check_data().map_err(DiscoveryError::from)?;
    let metadata = contents.metadata().clone();
    let (digest, size) = (written.digest(), written.size());
    atomic::persist(temporary, &path, MODE_ARCHIVE, options.if_exists).map_err(unwritable)?;
    Ok(Packed { path, digest, size, metadata })
}

struct Item {
    path: PathBuf,
    name: String,
    directory: bool,
}

/// Everything beneath a directory, parents first, in an order that does not
/// depend on the file system.
fn collect(root: &Path, options: &PackOptions) -> Result<Vec<Item>, PackError> {
    let limits = &options.limits;
    let mut items = Vec::new();
    let mut pending = vec![(root.to_owned(), String::new())];
    while let Some((directory, prefix)) = pending.pop() {
        let unreadable = |source| PackError::Read { path: directory.clone(), source };
        for found in fs::read_dir(&directory).map_err(unreadable)? {
            let found = found.map_err(unreadable)?;
            let path = found.path();
            let refuse = |refusal| PackError::Unpackable { path: path.clone(), refusal };
            let kind = found
                .file_type()
                .map_err(|source| PackError::Read { path: path.clone(), source })?;
            let mut raw = prefix.clone().into_bytes();
            raw.extend(found.file_name().as_encoded_bytes());
            let name = parse_name(&raw, limits.depth).map_err(refuse)?.path;
            if let Some(problem) = kind_problem(kind) {
                return Err(refuse(Refusal::Kind { name, problem }));
            }
            if items.len() == limits.entries {
                let (count, limit) = (items.len() + 1, limits.entries);
                return Err(refuse(Refusal::TooManyEntries { count, limit }));
            }
            if kind.is_dir() {
                pending.push((path.clone(), format!("{name}/")));
            }
            items.push(Item { path, name, directory: kind.is_dir() });
        }
    }
    items.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(items)
}

fn kind_problem(kind: fs::FileType) -> Option<EntryKindProblem> {
    use std::os::unix::fs::FileTypeExt;
    if kind.is_file() || kind.is_dir() {
        None
    } else if kind.is_symlink() {
        Some(EntryKindProblem::SymbolicLink)
    } else if kind.is_fifo() {
        Some(EntryKindProblem::Pipe)
    } else if kind.is_socket() {
        Some(EntryKindProblem::Socket)
    } else {
        Some(EntryKindProblem::Device)
    }
}

enum AddFault {
    Read(io::Error),
    Write(io::Error),
}

fn add(
    writer: &mut ZipWriter<&mut File>,
    item: &Item,
    options: &PackOptions,
) -> Result<(), AddFault> {
    let zip_failed = |error: zip::result::ZipError| AddFault::Write(error.into());
    let shared =
        SimpleFileOptions::default().system(System::Unix).last_modified_time(DateTime::default());
    if item.directory {
        let stored = shared.compression_method(CompressionMethod::Stored);
        return writer
            .add_directory(item.name.as_str(), stored.unix_permissions(MODE_DIRECTORY))
            .map_err(zip_failed);
    }
    // The kind was seen before; what stands there now must not be followed.
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(&item.path)
        .map_err(AddFault::Read)?;
    let mode = file.metadata().map_err(AddFault::Read)?.permissions().mode();
    let mode = if mode & 0o111 == 0 { MODE_FILE } else { MODE_EXECUTABLE };
    let shared = shared.unix_permissions(mode);
    let shared = match i64::from(options.level.min(9)) {
        0 => shared.compression_method(CompressionMethod::Stored),
        level => {
            shared.compression_method(CompressionMethod::Deflated).compression_level(Some(level))
        }
    };
    writer.start_file(item.name.as_str(), shared).map_err(zip_failed)?;
    // A file that grows meanwhile must not fill the disk.
    let mut limited = file.take(options.limits.file_bytes + 1);
    io::copy(&mut limited, writer).map(drop).map_err(AddFault::Write)
}

fn read_metadata(directory: &Path, options: &PackOptions) -> Result<Metadata, PackError> {
    let path = || directory.join(METADATA_FILE);
    let read = Metadata::read(directory, options.limits.metadata_bytes)
        .map_err(|source| PackError::Read { path: path(), source })?;
    read.map_err(|error| PackError::Refused(error.into()))
}

fn file_name(
    directory: &Path,
    metadata: &Metadata,
    options: &PackOptions,
) -> Result<String, PackError> {
    let origin = || directory.to_owned();
    let unnamed = |key| PackError::Unnamed { origin: origin(), key };
    let wrong = |key| move |problem| PackError::Name { origin: directory.to_owned(), key, problem };
    let name = metadata.name.as_deref().ok_or_else(|| unnamed("name"))?;
    let name = PluginName::parse(name).map_err(wrong("name"))?;
    let version = metadata.version.as_deref().ok_or_else(|| unnamed("version"))?;
    let version = PluginVersion::parse(version).map_err(wrong("version"))?;
    Ok(locate::file_name(&name, &version, &options.platform))
}

fn refuse_output_inside(directory: &Path, output: &Path) -> Result<(), PackError> {
    let canonical = |path: &Path| {
        path.canonicalize().map_err(|source| PackError::Read { path: path.to_owned(), source })
    };
    if canonical(output)?.starts_with(canonical(directory)?) {
        return Err(PackError::OutputInside { path: output.to_owned() });
    }
    Ok(())
}
