//! From a checked archive to files beneath a directory.

use std::collections::BTreeSet;
use std::fs::{File, Permissions};
use std::io::{self, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::{Dir, DirBuilder, DirBuilderExt, OpenOptions, OpenOptionsExt};
use outrigger_types::{Sha256Digest, failpoint};
use sha2::{Digest, Sha256};
use zip::ZipArchive;
use zip::read::{ArchiveOffset, Config, ZipReadOptions};

use super::Fault;
use super::layout::Entry;
use super::refusal::Refusal;
use crate::snapshot::{Snapshot, SnapshotReader};

const CHUNK: usize = 64 * 1024;
const MODE_DIRECTORY: u32 = 0o500;
const MODE_EXECUTABLE: u32 = 0o500;
const MODE_FILE: u32 = 0o400;

/// Decodes the entries of one archive.
#[derive(Debug)]
pub(crate) struct Unpacker<'a> {
    zip: ZipArchive<BufReader<SnapshotReader<'a>>>,
}

impl<'a> Unpacker<'a> {
    /// Opens the archive with the zip library and holds what it found against
    /// `entries`, which come from our own reading.
    pub(crate) fn new(snapshot: &'a Snapshot, entries: &[Entry]) -> Result<Self, Fault> {
        let config = Config { archive_offset: ArchiveOffset::Known(0) };
        let ambiguous = |name: &str| Refusal::Ambiguous { name: name.to_owned() };
        let reader = BufReader::new(snapshot.reader(0));
        let zip = ZipArchive::with_config(config, reader).map_err(|_| ambiguous(""))?;
        if zip.len() != entries.len() {
            return Err(ambiguous("").into());
        }
        for (index, entry) in entries.iter().enumerate() {
            let other = zip.by_index_data(index).map_err(|_| ambiguous(&entry.name))?;
            let same = other.name_raw() == entry.raw_name
                && other.size() == entry.size
                && other.compressed_size() == entry.compressed_size
                && other.crc32() == entry.crc
                && other.header_start() == entry.offset
                && other.is_dir() == entry.directory;
            if !same {
                return Err(ambiguous(&entry.name).into());
            }
        }
        Ok(Self { zip })
    }

    /// The first `max` bytes of an entry, without a check of the rest.
    pub(crate) fn head(
        &mut self,
        index: usize,
        entry: &Entry,
        max: usize,
    ) -> Result<Vec<u8>, Fault> {
        let damaged = || Refusal::Data { name: entry.name.clone() };
        let file = self.zip.by_index(index).map_err(|_| damaged())?;
        let mut head = Vec::with_capacity(max);
        file.take(max as u64).read_to_end(&mut head).map_err(|_| damaged())?;
        Ok(head)
    }

    /// Decodes one entry into `sink`. Size and checksum were right when this
    /// returns `Ok`; before, `sink` has seen no more than the declared size.
    pub(crate) fn copy(
        &mut self,
        index: usize,
        entry: &Entry,
        sink: &mut impl Write,
    ) -> Result<(), Fault> {
        if self.decode(index, entry, sink)? {
            return Ok(());
        }
        Err(self.diagnose(index, entry).into())
    }

    /// Returns whether the library was content to the end.
    fn decode(
        &mut self,
        index: usize,
        entry: &Entry,
        sink: &mut impl Write,
    ) -> Result<bool, Fault> {
        let Ok(mut file) = self.zip.by_index(index) else {
            return Ok(false);
        };
        let mut chunk = vec![0; CHUNK];
        let mut left = entry.size;
        loop {
            let want = CHUNK.min(usize::try_from(left).unwrap_or(CHUNK)).max(1);
            match file.read(&mut chunk[..want]) {
                Ok(0) => return Ok(left == 0),
                Ok(count) if count as u64 <= left => {
                    sink.write_all(&chunk[..count]).map_err(Fault::Io)?;
                    left -= count as u64;
                }
                _ => return Ok(false),
            }
        }
    }

    /// Decodes an entry that failed again, without its checksum, since the
    /// library reports all failures alike.
    fn diagnose(&mut self, index: usize, entry: &Entry) -> Refusal {
        let name = entry.name.clone();
        let options = ZipReadOptions::new().ignore_crc32(true);
        let Ok(mut file) = self.zip.by_index_with_options(index, options) else {
            return Refusal::Data { name };
        };
        let mut chunk = vec![0; CHUNK];
        let mut seen = 0;
        loop {
            let left = entry.size - seen;
            let want = CHUNK.min(usize::try_from(left).unwrap_or(CHUNK)).max(1);
            match file.read(&mut chunk[..want]) {
                Ok(0) if left == 0 => return Refusal::Checksum { name },
                Ok(count) if count > 0 && count as u64 <= left => seen += count as u64,
                Err(_) if left > 0 => return Refusal::Data { name },
                _ => {
                    return Refusal::Size { name, declared: entry.size };
                }
            }
        }
    }

    /// Writes all entries into the empty directory `target` and takes the right
    /// to write from it. Returns the SHA-256 of the entry at `hashed`.
    pub(crate) fn unpack(
        &mut self,
        entries: &[Entry],
        hashed: usize,
        target: &Path,
    ) -> Result<Sha256Digest, Fault> {
        let root = Dir::open_ambient_dir(target, ambient_authority()).map_err(Fault::Io)?;
        let mut directories = BTreeSet::new();
        let mut digest = Sha256::new();
        for (index, entry) in entries.iter().enumerate() {
            let path = Path::new(&entry.name);
            let parent = if entry.directory { Some(path) } else { path.parent() };
            create_directories(&root, parent, &mut directories).map_err(Fault::Io)?;
            if !entry.directory {
                let mut file = create_file(&root, path).map_err(Fault::Io)?;
                if index == hashed {
                    let mut both = Tee { file: &mut file, digest: &mut digest };
                    self.copy(index, entry, &mut both)?;
                } else {
                    self.copy(index, entry, &mut file)?;
                }
                failpoint::io("resolve.unpack").map_err(Fault::Io)?;
                let mode = if entry.executable { MODE_EXECUTABLE } else { MODE_FILE };
                file.set_permissions(Permissions::from_mode(mode)).map_err(Fault::Io)?;
            }
        }
        // Children come after their parents in the set, so this goes upwards.
        for directory in directories.iter().rev() {
            lock(&root, directory).map_err(Fault::Io)?;
        }
        lock(&root, Path::new(".")).map_err(Fault::Io)?;
        Ok(Sha256Digest(digest.finalize().into()))
    }
}

fn create_directories(
    root: &Dir,
    path: Option<&Path>,
    created: &mut BTreeSet<PathBuf>,
) -> io::Result<()> {
    let ancestors: Vec<_> = path.into_iter().flat_map(Path::ancestors).collect();
    for ancestor in ancestors.into_iter().rev() {
        if !ancestor.as_os_str().is_empty() && created.insert(ancestor.to_owned()) {
            let mut builder = DirBuilder::new();
            builder.mode(0o700);
            root.create_dir_with(ancestor, &builder)?;
        }
    }
    Ok(())
}

fn create_file(root: &Dir, path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    Ok(root.open_with(path, &options)?.into_std())
}

fn lock(root: &Dir, directory: &Path) -> io::Result<()> {
    let mode = Permissions::from_mode(MODE_DIRECTORY);
    root.set_permissions(directory, cap_std::fs::Permissions::from_std(mode))
}

/// Hashes what it writes.
struct Tee<'a> {
    file: &'a mut File,
    digest: &'a mut Sha256,
}

impl Write for Tee<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.file.write(bytes)?;
        self.digest.update(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
