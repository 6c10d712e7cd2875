//! Sealed images: what was verified is what runs.
//!
//! A verified single-file executable is copied once into memory that nobody,
//! this process included, can write to any more. All generations of the
//! distribution run from it, whatever happens to the files meanwhile.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use rustix::io::Errno;

/// Times that a seal is tried while the kernel says that it is busy.
const SEAL_TRIES: u32 = 16;

/// A sealed executable in memory.
#[derive(Debug)]
pub struct Image {
    memory: OwnedFd,
    bytes: u64,
}

impl Image {
    /// Copies a program, from its start, into sealed memory. `name` is shown in
    /// `/proc` and holds no NUL.
    ///
    /// # Errors
    ///
    /// The kernel refuses the memory, or the program cannot be read.
    pub fn seal(name: &str, program: &mut File) -> io::Result<Self> {
        let memory = memfd_create(name, MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
        let mut memory = File::from(memory);
        program.rewind()?;
        let bytes = io::copy(program, &mut memory)?;
        memory.rewind()?;
        close(&memory)?;
        Ok(Self { memory: memory.into(), bytes })
    }

    /// Reads it from its start. At most one reader at a time: they share a place.
    ///
    /// # Errors
    ///
    /// The process has no descriptors left.
    pub fn reader(&self) -> io::Result<impl Read + '_> {
        let mut file = File::from(self.memory.try_clone()?);
        file.rewind()?;
        Ok(file)
    }

    /// Its size in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

/// Forbids every change. The kernel refuses while it holds a page of the memory
/// for itself, as it does in passing, once it has waited for it for some 0.15 s;
/// a busy machine needs another try.
fn close(memory: &File) -> io::Result<()> {
    let seals = SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL;
    let mut tries = SEAL_TRIES;
    loop {
        tries -= 1;
        match fcntl_add_seals(memory, seals) {
            Err(Errno::BUSY) if tries > 0 => {}
            done => return Ok(done?),
        }
    }
}

impl AsFd for Image {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.memory.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn nobody_can_write_to_a_sealed_image() {
        let mut program = tempfile::tempfile().unwrap();
        program.write_all(b"\x7fELF").unwrap();
        let image = Image::seal("test", &mut program).unwrap();
        assert_eq!(image.bytes(), 4);
        let mut writer = File::from(image.memory.try_clone().unwrap());
        let error = writer.write_all(b"x").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
        assert!(writer.set_len(0).is_err());
    }
}
