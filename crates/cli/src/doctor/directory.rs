//! Directories: whether they are there, whose they are, and what fits in.

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use outrigger::diagnosis::{RunRoot, RunRootError};
use rustix::fs::{Access, StatVfs, access, statvfs};
use rustix::process::geteuid;

use super::report::Report;

const MIB: u64 = 1024 * 1024;

/// Less than this, and not even sockets and small files are sure to fit.
const LEAST: u64 = 64 * MIB;
/// Less than this, and a distribution may not.
const LITTLE: u64 = 512 * MIB;
/// Files that a host, its sockets and a few trees need.
const LEAST_FILES: u64 = 1_000;

/// Where sockets and workspaces go.
pub(super) fn run_dir(report: &mut Report, path: &Path) {
    let name = "run-dir";
    match RunRoot::check(path) {
        Ok(()) => {
            report.ok(name, path.display().to_string());
            if writable(report, name, path) {
                space(report, "run-dir-space", path);
            }
        }
        Err(RunRootError::Unusable { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            to_be_made(report, name, path);
        }
        Err(error @ RunRootError::TooLong { .. }) => {
            report.fail(
                name,
                error.to_string(),
                "set `runDir` to a short path, as in /run/outrigger",
            );
        }
        Err(error @ RunRootError::NoExec { .. }) => {
            report.fail(
                name,
                error.to_string(),
                "set `runDir` to a file system from which programs may run",
            );
        }
        Err(error) => {
            report.fail(
                name,
                error.to_string(),
                "chown it to the host's user and chmod 700 it, or set `runDir` to another",
            );
        }
    }
}

/// Where distributions, signatures and keys lie.
pub(super) fn base_dir(report: &mut Report, path: &Path) {
    readable(report, "base-dir", path);
}

/// A directory whose files a host reads.
pub(super) fn readable(report: &mut Report, name: &str, path: &Path) {
    let metadata = match std::fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return to_be_made(report, name, path);
        }
        Err(error) => {
            let seen = format!("{} cannot be looked at: {error}", path.display());
            return report.fail(name, seen, "let this user through all directories above it");
        }
    };
    if !metadata.is_dir() {
        let seen = format!("{} is no directory", path.display());
        return report.fail(name, seen, "correct the path");
    }
    if access(path, Access::READ_OK | Access::EXEC_OK).is_err() {
        let seen = format!("{} cannot be read by user {}", path.display(), geteuid().as_raw());
        return report.fail(name, seen, "let the host's user read it");
    }
    if metadata.mode() & 0o022 != 0 && metadata.mode() & 0o1000 == 0 {
        let seen = format!("{} has mode {:03o}", path.display(), metadata.mode() & 0o777);
        report.warn(name, seen, "chmod go-w it: whoever can write there decides what runs");
    } else {
        report.ok(name, format!("{}, mode {:03o}", path.display(), metadata.mode() & 0o777));
    }
    space(report, &format!("{name}-space"), path);
}

/// Whether a missing directory could be made.
fn to_be_made(report: &mut Report, name: &str, path: &Path) {
    let there = path.ancestors().skip(1).find(|above| above.exists());
    let there = there.unwrap_or(Path::new("/"));
    if access(there, Access::WRITE_OK | Access::EXEC_OK).is_ok() {
        report.ok(name, format!("{} is not there, and is made at the start", path.display()));
    } else {
        let seen = format!(
            "{} is not there, and {} cannot be written to",
            path.display(),
            there.display()
        );
        report.fail(name, seen, "make it, and give it to the host's user");
    }
}

fn writable(report: &mut Report, name: &str, path: &Path) -> bool {
    let can = access(path, Access::WRITE_OK | Access::EXEC_OK).is_ok();
    if !can {
        let seen = format!("{} cannot be written to", path.display());
        report.fail(name, seen, "let the host's user write there; is the disk mounted read-only?");
    }
    can
}

fn space(report: &mut Report, name: &str, path: &Path) {
    match statvfs(path) {
        Ok(found) => judge_space(report, name, path, &found),
        Err(error) => report.warn(name, error.to_string(), "look at the disk"),
    }
}

fn judge_space(report: &mut Report, name: &str, path: &Path, found: &StatVfs) {
    let free = found.f_bavail.saturating_mul(found.f_frsize);
    let shown = format!("{} MiB free on the disk of {}", free / MIB, path.display());
    // File systems that make inodes as they are needed have none to count.
    let files = (found.f_files > 0).then_some(found.f_favail);
    if free < LEAST {
        report.fail(name, shown, "make room: sockets, workspaces and trees need some");
    } else if let Some(files) = files.filter(|files| *files < LEAST_FILES) {
        let seen = format!("{files} inodes free on the disk of {}", path.display());
        report.fail(name, seen, "remove files: each plugin's tree needs some");
    } else if free < LITTLE {
        report.warn(name, shown, "make room: a distribution may not fit");
    } else {
        report.ok(name, shown);
    }
}

#[cfg(test)]
mod tests {
    use super::super::report::Outcome;
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn only(report: &Report, name: &str) -> (Outcome, String) {
        let mut found = report.checks().iter().filter(|check| check.name == name);
        let check = found.next().unwrap();
        assert!(found.next().is_none(), "{name} twice");
        (check.result, format!("{} -> {}", check.seen, check.remedy))
    }

    fn of(check: impl FnOnce(&mut Report)) -> Report {
        let mut report = Report::default();
        check(&mut report);
        report
    }

    #[test]
    fn a_run_directory_of_others_or_with_a_long_path_fails_and_a_missing_one_is_made() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("run");
        let report = of(|report| run_dir(report, &path));
        assert_eq!(only(&report, "run-dir").0, Outcome::Ok);
        assert!(!path.exists());
        std::fs::create_dir(&path).unwrap();
        for (mode, expected) in
            [(0o700, Outcome::Ok), (0o755, Outcome::Failed), (0o777, Outcome::Failed)]
        {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let (result, text) = only(&of(|report| run_dir(report, &path)), "run-dir");
            assert_eq!(result, expected, "{mode:o}: {text}");
        }
        let long = parent.path().join("x".repeat(80));
        let (result, text) = only(&of(|report| run_dir(report, &long)), "run-dir");
        assert!(result == Outcome::Failed && text.contains("/run/outrigger"), "{text}");
    }

    #[test]
    fn a_base_directory_that_is_none_fails_and_one_that_others_write_to_is_a_warning() {
        let parent = tempfile::tempdir().unwrap();
        let file = parent.path().join("file");
        std::fs::write(&file, "").unwrap();
        for wrong in [file.clone(), file.join("beneath")] {
            let report = of(|report| base_dir(report, &wrong));
            assert_eq!(only(&report, "base-dir").0, Outcome::Failed, "{wrong:?}");
        }
        std::fs::set_permissions(parent.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
        let (result, text) = only(&of(|report| base_dir(report, parent.path())), "base-dir");
        assert!(result == Outcome::Warning && text.contains("chmod go-w"), "{text}");
        let (result, text) =
            only(&of(|report| base_dir(report, Path::new("/proc/none"))), "base-dir");
        // Even root can make nothing there, but may be told so only when it tries.
        assert!(result == Outcome::Failed || geteuid().is_root(), "{text}");
    }

    #[test]
    fn little_space_or_few_inodes_are_told_apart() {
        let mut disk = statvfs("/").unwrap();
        (disk.f_frsize, disk.f_files) = (4_096, 1_000_000);
        for (blocks, files, expected) in [
            (1_000_000, 100_000, Outcome::Ok),
            (50_000, 100_000, Outcome::Warning),
            (1_000, 100_000, Outcome::Failed),
            (1_000_000, 10, Outcome::Failed),
        ] {
            (disk.f_bavail, disk.f_favail) = (blocks, files);
            let report = of(|report| judge_space(report, "space", Path::new("/"), &disk));
            assert_eq!(only(&report, "space").0, expected, "{blocks} {files}");
        }
        (disk.f_bavail, disk.f_files, disk.f_favail) = (1_000_000, 0, 0);
        let report = of(|report| judge_space(report, "space", Path::new("/"), &disk));
        assert_eq!(only(&report, "space").0, Outcome::Ok, "it makes inodes as it needs them");
    }
}
