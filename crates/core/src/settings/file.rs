//! Reading one small regular file whole.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Largest settings or configuration file, in bytes: 1 MiB.
pub const MAX_FILE_BYTES: u64 = 1 << 20;

/// Linux's flag for opening a fifo without waiting for a writer, in case one
/// takes the file's place after it was looked at.
const O_NONBLOCK: i32 = 0o4000;

/// How often a file that changes under the reader is read again.
const ATTEMPTS: usize = 5;

/// Why a file cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// There is none.
    #[error("{what} {} does not exist; create it or correct the path", path.display())]
    Missing {
        /// The kind of file.
        what: &'static str,
        /// Its path.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The system refuses or fails; the source says why.
    #[error("{what} {} cannot be read; check its permissions and those of its directories", path.display())]
    Read {
        /// The kind of file.
        what: &'static str,
        /// Its path.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// It is a directory, a device, a pipe or a socket.
    #[error("{what} {} is not a regular file; name a regular file", path.display())]
    NotRegular {
        /// The kind of file.
        what: &'static str,
        /// Its path.
        path: PathBuf,
    },
    /// It is larger than [`MAX_FILE_BYTES`].
    #[error("{what} {} is larger than {MAX_FILE_BYTES} bytes; name a smaller file", path.display())]
    TooLarge {
        /// The kind of file.
        what: &'static str,
        /// Its path.
        path: PathBuf,
    },
    /// Somebody writes to it just now.
    #[error("{what} {} changes while it is read; write it elsewhere and rename it into place", path.display())]
    Changing {
        /// The kind of file.
        what: &'static str,
        /// Its path.
        path: PathBuf,
    },
}

/// Reads a regular file of at most [`MAX_FILE_BYTES`]; `what` names it in
/// errors. A file whose length or time of change moves meanwhile is read again.
pub(crate) fn read(what: &'static str, path: &Path) -> Result<Vec<u8>, FileError> {
    let failed = |source: io::Error| {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::NotFound => FileError::Missing { what, path, source },
            _ => FileError::Read { what, path, source },
        }
    };
    for _ in 0..ATTEMPTS {
        // Looked at before it is opened too, because opening a device can act.
        let before = std::fs::metadata(path).map_err(failed)?;
        regular(what, path, &before)?;
        let file =
            OpenOptions::new().read(true).custom_flags(O_NONBLOCK).open(path).map_err(failed)?;
        let opened = file.metadata().map_err(failed)?;
        regular(what, path, &opened)?;
        let bytes = read_all(&file, opened.len()).map_err(failed)?;
        if bytes.len() as u64 > MAX_FILE_BYTES {
            let path = path.to_owned();
            return Err(FileError::TooLarge { what, path });
        }
        let after = file.metadata().map_err(failed)?;
        if opened.len() == after.len() && opened.modified().ok() == after.modified().ok() {
            return Ok(bytes);
        }
    }
    let path = path.to_owned();
    Err(FileError::Changing { what, path })
}

fn regular(what: &'static str, path: &Path, metadata: &Metadata) -> Result<(), FileError> {
    if metadata.is_file() {
        return Ok(());
    }
    let path = path.to_owned();
    Err(FileError::NotRegular { what, path })
}

fn read_all(file: &File, expected: u64) -> io::Result<Vec<u8>> {
    // Room for all of it, so that most files take one call and cannot tear.
    let room = usize::try_from(expected.min(MAX_FILE_BYTES)).unwrap_or_default();
    let mut bytes = Vec::with_capacity(room + 64);
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
