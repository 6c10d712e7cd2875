//! A file that somebody names: a program, a distribution, a key, a directory.

use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use outrigger::Platform;
use outrigger::diagnosis::missing_part;
use outrigger::distribution::{Distribution, Limits};
use rustix::fs::{Access, access};

use super::report::Report;
use super::{directory, key};
use crate::failure::chain;

/// Of a file, what says what it is.
const HEAD: u64 = 4096;

pub(super) fn check(report: &mut Report, path: &Path) {
    let name = path.display().to_string();
    let path = &std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    if let Some((above, why)) = blocked(path) {
        let remedy = "correct the path, or let this user through (chmod +x on each directory)";
        return report.fail(name, format!("{}: {why}", above.display()), remedy);
    }
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) => return report.fail(name, error.to_string(), "correct the path"),
    };
    if metadata.is_dir() {
        return directory::readable(report, &name, path);
    }
    let mut head = Vec::new();
    if let Err(error) = File::open(path).and_then(|file| file.take(HEAD).read_to_end(&mut head)) {
        let seen = format!(
            "mode {:04o}, owned by user {}: {error}",
            metadata.mode() & 0o7777,
            metadata.uid()
        );
        return report.fail(name, seen, "let this user read it");
    }
    if head.starts_with(b"PK") {
        return distribution(report, &name, path);
    }
    if head.windows(15).any(|part| part == b"-----BEGIN PGP ") {
        return key::check(report, &name, path);
    }
    program(report, &name, path, &head);
}

/// The first directory on the way that stops this user.
fn blocked(path: &Path) -> Option<(PathBuf, String)> {
    let mut above: Vec<&Path> = path.ancestors().skip(1).collect();
    above.reverse();
    above.into_iter().find_map(|directory| match fs::metadata(directory) {
        Err(error) => Some((directory.to_owned(), error.to_string())),
        Ok(found) if !found.is_dir() => Some((directory.to_owned(), "it is no directory".into())),
        Ok(found) => access(directory, Access::EXEC_OK).is_err().then(|| {
            let why = format!(
                "mode {:04o}, owned by user {}: this user may not pass",
                found.mode() & 0o7777,
                found.uid()
            );
            (directory.to_owned(), why)
        }),
    })
}

fn distribution(report: &mut Report, name: &str, path: &Path) {
    let limits = Limits::default();
    let opened = Distribution::open(path, &limits).map_err(|error| chain(&error));
    let looked = opened.and_then(|opened| {
        let contents = opened.contents(&limits, &Platform::current());
        let mut contents = contents.map_err(|error| chain(&error))?;
        contents.check_data().map_err(|error| chain(&error))?;
        let metadata = contents.metadata();
        Ok(format!(
            "{} {}, for this machine",
            metadata.name.as_deref().unwrap_or("no name"),
            metadata.version.as_deref().unwrap_or("no version")
        ))
    });
    match looked {
        Ok(seen) => report.ok(name, seen),
        Err(seen) => report.fail(name, seen, "do what it says, or copy the file again"),
    }
}

/// ELF's magic, 64 bits, least byte first, and its number for x86-64.
fn foreign(head: &[u8]) -> bool {
    head.starts_with(b"\x7fELF")
        && (head.get(4..6) != Some(&[2, 1]) || head.get(18..20) != Some(&[62, 0]))
}

fn program(report: &mut Report, name: &str, path: &Path, head: &[u8]) {
    if !head.starts_with(b"\x7fELF") && !head.starts_with(b"#!") {
        return report.ok(name, "a file that this user can read, and no program");
    }
    if foreign(head) {
        let Platform { os, arch } = Platform::current();
        return report.fail(
            name,
            format!("it is built for another machine than {os}/{arch}"),
            "get the one for this machine",
        );
    }
    if access(path, Access::EXEC_OK).is_err() {
        return report.fail(
            name,
            "this user may not execute it",
            "chmod +x it; is the disk mounted noexec?",
        );
    }
    let kind = if head.starts_with(b"#!") { "a script" } else { "a program for this machine" };
    parts(report, name, path, kind);
}

/// Whether what a program needs to be started is there.
pub(super) fn parts(report: &mut Report, name: &str, program: &Path, kind: &str) {
    match missing_part(program) {
        Err(error) => report.fail(
            name,
            format!("{} cannot be read: {error}", program.display()),
            "let this user read it",
        ),
        Ok(Some(part)) => report.fail(
            name,
            format!("it needs {}, which is missing", part.display()),
            "install it, or get a program that does not need it",
        ),
        Ok(None) => match searched(program).filter(|wanted| !on_path(wanted)) {
            Some(wanted) => report.fail(
                name,
                format!("it needs `{wanted}`, which is not on PATH"),
                "install it, or correct PATH where the host runs",
            ),
            None => report.ok(name, kind),
        },
    }
}

/// What a script has `env` look for.
fn searched(script: &Path) -> Option<String> {
    let mut head = Vec::new();
    File::open(script).ok()?.take(HEAD).read_to_end(&mut head).ok()?;
    let line = head.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
    let line = String::from_utf8_lossy(line).into_owned();
    let mut words = line.split_whitespace();
    words.next().filter(|first| first.ends_with("/env"))?;
    words.find(|word| !word.starts_with('-') && !word.contains('=')).map(str::to_owned)
}

fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .any(|directory| access(directory.join(program), Access::EXEC_OK).is_ok())
}

/// Lets this user remove a tree whose directories are read-only.
pub(super) fn open_up(tree: &Path) {
    let mut pending = vec![tree.to_owned()];
    while let Some(directory) = pending.pop() {
        // What cannot be opened cannot be removed, and is left.
        let _left = fs::set_permissions(&directory, fs::Permissions::from_mode(0o700));
        let entries = fs::read_dir(&directory).into_iter().flatten().flatten();
        pending.extend(
            entries.map(|entry| entry.path()).filter(|path| path.is_dir() && !path.is_symlink()),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::report::Outcome;
    use super::*;

    fn of(path: &Path) -> (Outcome, String) {
        let mut report = Report::default();
        check(&mut report, path);
        let check = &report.checks()[0];
        (check.result, format!("{} -> {}", check.seen, check.remedy))
    }

    fn write(directory: &Path, bytes: &[u8], mode: u32) -> PathBuf {
        let path = directory.join("file");
        let _first = fs::remove_file(&path);
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    #[test]
    fn programs_that_cannot_start_fail_with_their_reason() {
        let directory = tempfile::tempdir().unwrap();
        let mut elf = fs::read(std::env::current_exe().unwrap()).unwrap();
        elf.truncate(100_000);
        let good = write(directory.path(), &elf, 0o755);
        assert_eq!(of(&good).0, Outcome::Ok);
        let not_executable = write(directory.path(), &elf, 0o644);
        let (result, text) = of(&not_executable);
        assert!(result == Outcome::Failed && text.contains("chmod +x"), "{text}");
        elf[18] = 183;
        let (result, text) = of(&write(directory.path(), &elf, 0o755));
        assert!(result == Outcome::Failed && text.contains("another machine"), "{text}");
        for (script, expected) in [
            ("#!/nowhere/python\n", "/nowhere/python, which is missing"),
            (
                "#!/usr/bin/env -S no-such-program-here -x\n",
                "`no-such-program-here`, which is not on PATH",
            ),
        ] {
            let (result, text) = of(&write(directory.path(), script.as_bytes(), 0o755));
            assert!(result == Outcome::Failed && text.contains(expected), "{text}");
        }
        assert_eq!(of(&write(directory.path(), b"#!/bin/sh\n", 0o755)).0, Outcome::Ok);
        assert_eq!(of(&write(directory.path(), b"text", 0o644)).0, Outcome::Ok);
    }

    #[test]
    fn paths_that_lead_nowhere_and_files_that_are_broken_fail() {
        let directory = tempfile::tempdir().unwrap();
        let file = write(directory.path(), b"text", 0o644);
        for (path, expected) in [
            (directory.path().join("absent"), "No such file"),
            (directory.path().join("absent/beneath"), "absent"),
            (file.join("beneath"), "it is no directory"),
        ] {
            let (result, text) = of(&path);
            assert!(result == Outcome::Failed && text.contains(expected), "{text}");
        }
        for broken in [&b"PK\x03\x04 and no more"[..], b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n"] {
            assert_eq!(of(&write(directory.path(), broken, 0o644)).0, Outcome::Failed);
        }
        assert_eq!(of(directory.path()).0, Outcome::Ok);
    }
}
