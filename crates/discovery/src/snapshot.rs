//! A private, unchangeable copy of a file, hashed after it was sealed.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;

use outrigger_types::Sha256Digest;
use rustix::fs::{MemfdFlags, SealFlags};
use rustix::io::Errno;
use sha2::{Digest, Sha256};

const CHUNK: usize = 64 * 1024;
/// Times that a seal is tried while the kernel says that it is busy.
const SEAL_TRIES: u32 = 16;

/// The copy. The kernel refuses every later write to it, also through another
/// descriptor, so the digest holds for as long as the copy lives.
#[derive(Debug)]
pub(crate) struct Snapshot {
    file: File,
    len: u64,
    digest: Sha256Digest,
}

/// Why no copy was made.
#[derive(Debug)]
pub(crate) enum SnapshotError {
    /// The source could not be read.
    Read(io::Error),
    /// The source has more bytes than allowed.
    TooLarge,
    /// The copy could not be made or sealed.
    Store(io::Error),
}

impl Snapshot {
    /// Copies at most `limit` bytes of `source`, seals and hashes the copy.
    pub(crate) fn take(mut source: impl Read, limit: u64) -> Result<Self, SnapshotError> {
        let mut file = private_memory().map_err(SnapshotError::Store)?;
        let mut len = 0;
        let mut chunk = vec![0; CHUNK];
        loop {
            let count = match source.read(&mut chunk) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(SnapshotError::Read(error)),
            };
            len += count as u64;
            if len > limit {
                return Err(SnapshotError::TooLarge);
            }
            io::Write::write_all(&mut file, &chunk[..count]).map_err(SnapshotError::Store)?;
        }
        seal(&file).map_err(|errno| SnapshotError::Store(errno.into()))?;
        let digest = hash(&file, len).map_err(SnapshotError::Store)?;
        Ok(Self { file, len, digest })
    }

    /// Length in bytes.
    pub(crate) const fn len(&self) -> u64 {
        self.len
    }

    /// SHA-256 of the sealed bytes.
    pub(crate) const fn digest(&self) -> Sha256Digest {
        self.digest
    }

    /// A reader with a position of its own, at `start`.
    pub(crate) const fn reader(&self, start: u64) -> SnapshotReader<'_> {
        SnapshotReader { snapshot: self, position: start }
    }

    /// Fills `buffer` from `offset`; an error where the copy ends before.
    pub(crate) fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.file.read_exact_at(buffer, offset)
    }
}

/// Reads a [`Snapshot`]; any number of them can read one copy.
#[derive(Debug)]
pub(crate) struct SnapshotReader<'a> {
    snapshot: &'a Snapshot,
    position: u64,
}

impl Read for SnapshotReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.snapshot.file.read_at(buffer, self.position)?;
        self.position += count as u64;
        Ok(count)
    }
}

impl io::Seek for SnapshotReader<'_> {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        let target = match to {
            io::SeekFrom::Start(offset) => Some(offset),
            io::SeekFrom::End(delta) => self.snapshot.len.checked_add_signed(delta),
            io::SeekFrom::Current(delta) => self.position.checked_add_signed(delta),
        };
        self.position = target.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

fn private_memory() -> io::Result<File> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    // Kernels before 6.3 do not know the no-execute flag, and hardened ones
    // refuse a memory file without it.
    let made = match rustix::fs::memfd_create("distribution", flags | MemfdFlags::NOEXEC_SEAL) {
        Err(Errno::INVAL) => rustix::fs::memfd_create("distribution", flags),
        other => other,
    };
    Ok(File::from(made?))
}

/// Forbids every change. A busy kernel may still hold a page itself, and has
/// then waited for it before it refuses: that passes.
fn seal(file: &File) -> Result<(), Errno> {
    let seals = SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL;
    let mut sealed = Err(Errno::BUSY);
    for _ in 0..SEAL_TRIES {
        sealed = rustix::fs::fcntl_add_seals(file, seals);
        if sealed != Err(Errno::BUSY) {
            break;
        }
    }
    sealed
}

fn hash(file: &File, len: u64) -> io::Result<Sha256Digest> {
    let mut hasher = Sha256::new();
    let mut chunk = vec![0; CHUNK];
    let mut offset = 0;
    while offset < len {
        let count = file.read_at(&mut chunk, offset)?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        hasher.update(&chunk[..count]);
        offset += count as u64;
    }
    Ok(Sha256Digest(hasher.finalize().into()))
}

/// The SHA-256 of everything that a reader gives.
///
/// # Errors
///
/// The reader's.
pub fn sha256(mut reader: impl Read) -> io::Result<Sha256Digest> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok(Sha256Digest(hasher.finalize().into())),
            Ok(read) => hasher.update(&buffer[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_that_of_the_copied_bytes() {
        let snapshot = Snapshot::take(b"abc".as_slice(), 3).unwrap();
        assert_eq!(
            snapshot.digest().to_string(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(snapshot.len(), 3);
    }

    /// Is interrupted before each byte, and gives one at a time.
    struct Reluctant(&'static [u8], bool);

    impl Read for Reluctant {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.1 = !self.1;
            if self.1 {
                return Err(io::ErrorKind::Interrupted.into());
            }
            self.0.read(&mut buffer[..1])
        }
    }

    #[test]
    fn a_reader_that_is_interrupted_and_gives_a_byte_at_a_time_is_read_whole() {
        let whole = sha256(b"a plugin".as_slice()).unwrap();
        assert_eq!(sha256(Reluctant(b"a plugin", false)).unwrap(), whole);
        let snapshot = Snapshot::take(Reluctant(b"a plugin", false), 8).unwrap();
        assert_eq!((snapshot.digest(), snapshot.len()), (whole, 8));
    }

    #[test]
    fn one_byte_over_the_limit_is_too_large() {
        let taken = Snapshot::take(b"abcd".as_slice(), 3);
        assert!(matches!(taken, Err(SnapshotError::TooLarge)));
    }

    #[test]
    fn nobody_can_write_to_the_copy() {
        let snapshot = Snapshot::take(b"abc".as_slice(), 3).unwrap();
        assert!(snapshot.file.write_at(b"x", 0).is_err());
        assert!(snapshot.file.set_len(1).is_err());
    }
}
