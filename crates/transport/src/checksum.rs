//! The digest of a program, taken from the open file that is then executed.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use outrigger_types::Sha256Digest;
use ring::digest::{Context, SHA256};
use rustix::fs::OFlags;

use crate::error::LaunchError;
use crate::spec::Program;

/// A program whose bytes are those that were asked for.
#[derive(Debug)]
pub(crate) struct Checked {
    /// What to execute instead of the program that was named.
    pub(crate) program: Program,
    /// The open file; a script's interpreter may read it at any time.
    pub(crate) file: Option<File>,
}

/// Reads the program and compares its digest with `expected`. A file is opened
/// once and executed through its descriptor, so that another file in its place
/// is not what runs. Blocks on the disk.
///
/// # Errors
///
/// [`LaunchError::ChecksumMismatch`], and [`LaunchError::Checksum`] when the
/// file cannot be read.
pub(crate) fn check(
    program: &Program,
    name: &str,
    expected: Sha256Digest,
) -> Result<Checked, LaunchError> {
    match program {
        Program::Image(image) => {
            let path = Path::new(name);
            image.reader().and_then(digest).map_or_else(
                |source| Err(unreadable(path, source)),
                |found| compare(path, expected, found),
            )?;
            Ok(Checked { program: program.clone(), file: None })
        }
        Program::Path(path) => {
            let file = check_file(path, expected)?;
            let opened = format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd());
            Ok(Checked { program: Program::Path(PathBuf::from(opened)), file: Some(file) })
        }
    }
}

/// As [`check`], for a file that somebody else executes.
pub(crate) fn check_file(path: &Path, expected: Sha256Digest) -> Result<File, LaunchError> {
    let open = || {
        // Opening a pipe must not wait for its other end.
        let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or_default();
        let file = File::options().read(true).custom_flags(flags).open(path)?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::other("it is no regular file"));
        }
        let found = digest(&file)?;
        Ok((file, found))
    };
    let (file, found) = open().map_err(|source| unreadable(path, source))?;
    compare(path, expected, found)?;
    Ok(file)
}

fn unreadable(path: &Path, source: io::Error) -> LaunchError {
    LaunchError::Checksum { program: path.to_owned(), source }
}

fn compare(path: &Path, expected: Sha256Digest, found: Sha256Digest) -> Result<(), LaunchError> {
    // In constant time: all bytes are looked at, whatever they are.
    let pairs = expected.0.iter().zip(&found.0);
    let difference = pairs.fold(0, |sum, (a, b)| std::hint::black_box(sum | (a ^ b)));
    if difference == 0 {
        return Ok(());
    }
    Err(LaunchError::ChecksumMismatch { program: path.to_owned(), expected, found })
}

fn digest(mut file: impl Read) -> io::Result<Sha256Digest> {
    let mut context = Context::new(&SHA256);
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => context.update(&buffer[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let mut bytes = [0; 32];
    bytes.copy_from_slice(context.finish().as_ref());
    Ok(Sha256Digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of the text `abc`, from FIPS 180.
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn the_right_digest_gives_the_open_file_and_a_wrong_one_names_both() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("program");
        std::fs::write(&path, "abc").unwrap();
        let program = Program::Path(path.clone());
        let checked = check(&program, "p", ABC.parse().unwrap()).unwrap();
        // Another file in its place is not what runs.
        std::fs::rename(&path, directory.path().join("old")).unwrap();
        std::fs::write(&path, "evil").unwrap();
        let Program::Path(opened) = &checked.program else { panic!("it has a path") };
        assert_eq!(std::fs::read(opened).unwrap(), b"abc");

        let error = check(&program, "p", ABC.parse().unwrap()).unwrap_err();
        assert!(matches!(error, LaunchError::ChecksumMismatch { .. }) && error.is_permanent());
        let text = error.to_string();
        assert!(text.contains(ABC) && text.contains(&path.display().to_string()), "{text}");
    }

    #[test]
    fn what_is_no_file_has_no_checksum() {
        for path in ["/nowhere/x", "/", "/dev/null"] {
            let error = check(&Program::Path(path.into()), "p", ABC.parse().unwrap()).unwrap_err();
            assert!(matches!(error, LaunchError::Checksum { .. }), "{error}");
            assert!(error.to_string().contains(path), "{error}");
        }
    }
}
