//! A program that runs cannot be written to, and many builds do just that.

use std::fs::{self, File, FileTimes};
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

const ELF: &[u8; 4] = b"\x7fELF";

/// Puts a copy in the place of a native program, with its mode and its times:
/// what runs keeps its file, and whatever builds may write to the copy. A
/// failure leaves things as they are, and the build says more about it.
pub(super) fn renew(program: Option<PathBuf>) {
    let Some(program) = program else { return };
    if let Err(error) = replace(&program) {
        tracing::debug!(path = %program.display(), %error, "the program was not renewed");
    }
}

fn replace(program: &Path) -> io::Result<()> {
    // A link's target is the build's own affair.
    if !fs::symlink_metadata(program)?.is_file() {
        return Ok(());
    }
    let mut open = File::options();
    // Not waiting, should a pipe have taken its place.
    let mut from = open
        .read(true)
        .custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed())
        .open(program)?;
    let mut magic = [0; 4];
    if from.read_exact(&mut magic).is_err() || magic != *ELF {
        return Ok(());
    }
    let directory = program.parent().unwrap_or_else(|| Path::new("."));
    let copy =
        tempfile::Builder::new().prefix(".outrigger-").suffix(".tmp").tempfile_in(directory)?;
    fs::copy(program, copy.path())?;
    let times = from.metadata()?;
    let times = FileTimes::new().set_accessed(times.accessed()?).set_modified(times.modified()?);
    copy.as_file().set_times(times)?;
    copy.persist(program)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt as _;

    #[test]
    fn a_program_gets_another_file_with_the_same_content_mode_and_times() {
        let directory = tempfile::tempdir().unwrap();
        let program = directory.path().join("hello");
        fs::copy("/proc/self/exe", &program).unwrap();
        let before = fs::metadata(&program).unwrap();
        renew(Some(program.clone()));
        let after = fs::metadata(&program).unwrap();
        assert_ne!(before.ino(), after.ino());
        assert_eq!((before.mode(), before.len()), (after.mode(), after.len()));
        assert_eq!(before.modified().unwrap(), after.modified().unwrap());
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_script_and_a_missing_file_are_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let script = directory.path().join("run");
        fs::write(&script, "#!/bin/sh\n").unwrap();
        let before = fs::metadata(&script).unwrap().ino();
        renew(Some(script.clone()));
        renew(Some(directory.path().join("absent")));
        renew(None);
        assert_eq!(fs::metadata(&script).unwrap().ino(), before);
    }
}
