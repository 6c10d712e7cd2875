//! Files that appear whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use outrigger_types::failpoint;
use tempfile::NamedTempFile;

/// What to do where a file to be written is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IfExists {
    /// Leave it and report an error.
    Refuse,
    /// Put the new file in its place.
    Replace,
}

/// A temporary file beside `path`, so that it can be renamed to it. It goes when
/// it is dropped.
///
/// # Errors
///
/// The directory cannot be written to.
pub fn temporary_beside(path: &Path) -> io::Result<NamedTempFile> {
    tempfile::Builder::new().prefix(".outrigger-").tempfile_in(parent(path))
}

/// Syncs `temporary` and gives it its final name and mode.
///
/// # Errors
///
/// The disk is full or fails, or the name is taken and is to stay.
pub fn persist(
    temporary: NamedTempFile,
    path: &Path,
    mode: u32,
    if_exists: IfExists,
) -> io::Result<()> {
    temporary.as_file().set_permissions(fs::Permissions::from_mode(mode))?;
    temporary.as_file().sync_all()?;
    failpoint::io("file.rename")?;
    match if_exists {
        IfExists::Refuse => temporary.persist_noclobber(path).map_err(io::Error::from)?,
        IfExists::Replace => temporary.persist(path).map_err(io::Error::from)?,
    };
    // The rename lasts through a power cut only once the directory is synced.
    File::open(parent(path))?.sync_all()
}

/// Writes `bytes` to `path` in one step.
///
/// # Errors
///
/// As [`temporary_beside`] and [`persist`].
pub fn write(path: &Path, bytes: &[u8], mode: u32, if_exists: IfExists) -> io::Result<()> {
    let mut temporary = temporary_beside(path)?;
    temporary.write_all(bytes)?;
    persist(temporary, path, mode, if_exists)
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_exists_is_kept_unless_replacing_was_asked_for() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key.asc");
        write(&path, b"one", 0o600, IfExists::Refuse).unwrap();
        let error = write(&path, b"two", 0o600, IfExists::Refuse).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"one");
        write(&path, b"three", 0o644, IfExists::Replace).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"three");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o644);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
