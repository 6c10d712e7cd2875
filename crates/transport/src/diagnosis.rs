//! What the system knows of a program that does not start: its mode and owner
//! against this process's, its format and machine, and what it needs to run.

use std::fmt::Write as _;
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{Access, access};
use rustix::process::geteuid;

use crate::handshake::shorten;
use crate::spec::Program;

mod format;

use format::{Format, Machine, format};

/// What is read of a program: headers, and the name of its loader.
const HEAD_BYTES: u64 = 64 * 1024;

/// A dead network disk answers nothing.
const LIMIT: Duration = Duration::from_secs(1);

/// What this crate is built for, which its `lib.rs` holds it to.
const THIS_MACHINE: Machine = Machine::X86_64;

/// Looks at a program; empty if that takes too long.
pub(crate) async fn diagnose(program: Program) -> String {
    let looking = tokio::task::spawn_blocking(move || look(&program));
    match tokio::time::timeout(LIMIT, looking).await {
        Ok(Ok(notes)) => notes,
        Ok(Err(_)) | Err(_) => String::new(),
    }
}

/// What a program needs to be started and is not there: a script's interpreter, or
/// the loader of another C library. Blocks on the disk.
///
/// # Errors
///
/// The system's, when the program cannot be read.
pub fn missing_part(program: &Path) -> io::Result<Option<PathBuf>> {
    let needed = match format(&File::open(program).and_then(head)?) {
        Format::Elf { machine, loader } => loader.filter(|_| machine == THIS_MACHINE),
        Format::Script { interpreter } => Some(interpreter),
        _ => None,
    };
    Ok(needed.filter(|part| !part.exists()))
}

fn look(program: &Program) -> String {
    match program {
        Program::Image(image) => match image.reader().and_then(head) {
            Ok(bytes) => of_format(&format(&bytes)),
            Err(error) => format!("its memory cannot be read: {error}"),
        },
        Program::Path(path) => of_file(path),
    }
}

fn of_file(path: &Path) -> String {
    let metadata = match path.metadata() {
        Ok(metadata) if metadata.is_file() => metadata,
        Ok(metadata) if metadata.is_dir() => return "a directory".to_owned(),
        Ok(_) => return "no regular file".to_owned(),
        Err(error) => return error.to_string(),
    };
    let mut notes = of_owner(path, &metadata);
    notes.push_str("; ");
    match File::open(path).and_then(head) {
        Ok(bytes) => notes.push_str(&of_format(&format(&bytes))),
        Err(error) => _ = write!(notes, "it cannot be read: {error}"),
    }
    notes
}

fn of_owner(path: &Path, metadata: &Metadata) -> String {
    let (mode, user) = (metadata.mode() & 0o7777, geteuid().as_raw());
    let mut notes = format!("mode {mode:04o}, owned by user {}", metadata.uid());
    if metadata.uid() != user {
        _ = write!(notes, " and not by this process's, {user}");
    }
    if access(path, Access::EXEC_OK).is_err() {
        notes.push_str(", not executable by this process");
    }
    notes
}

fn of_format(format: &Format) -> String {
    let foreign = |machine: Machine| {
        if machine == THIS_MACHINE {
            String::new()
        } else {
            format!(", and this machine is {}", THIS_MACHINE.name())
        }
    };
    match format {
        Format::Elf { machine, loader } => {
            let mut notes = format!("ELF for {}{}", machine.name(), foreign(*machine));
            match loader {
                Some(loader) if *machine == THIS_MACHINE && !loader.exists() => {
                    let shown = shorten(&loader.to_string_lossy());
                    let library = if shown.contains("musl") { "musl" } else { "another C library" };
                    _ = write!(notes, "; its loader {shown} is missing, it is built for {library}");
                }
                Some(_) => {}
                None => notes.push_str(", linked statically"),
            }
            notes
        }
        Format::MachO { machine } => {
            format!("Mach-O for {}, which is macOS's format", machine.name())
        }
        Format::Pe { machine } => format!("PE for {}, which is Windows's format", machine.name()),
        Format::Script { interpreter } => {
            let missing = if interpreter.exists() { "" } else { ", which is missing" };
            format!("a script for {}{missing}", shorten(&interpreter.to_string_lossy()))
        }
        Format::Empty => "an empty file".to_owned(),
        Format::Unknown => "no program's format".to_owned(),
    }
}

fn head(file: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(HEAD_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn file(directory: &Path, bytes: &[u8], mode: u32) -> PathBuf {
        let path = directory.join("program");
        std::fs::write(&path, bytes).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    #[test]
    fn the_diagnosis_names_format_machine_mode_and_what_is_missing() {
        let directory = tempfile::tempdir().unwrap();
        let rows: &[(&[u8], &str)] = &[
            (b"#!/nowhere/python\n", "a script for /nowhere/python, which is missing"),
            (b"#!/bin/sh\n", "a script for /bin/sh"),
            (b"\xcf\xfa\xed\xfe\x0c\0\0\x01", "Mach-O for AArch64"),
            (b"", "an empty file"),
            (b"hello", "no program's format"),
        ];
        for (bytes, expected) in rows {
            let notes = look(&Program::Path(file(directory.path(), bytes, 0o644)));
            assert!(notes.contains(expected), "{notes}");
            assert!(notes.starts_with("mode 0644, owned by user "), "{notes}");
            assert!(notes.contains("not executable"), "{notes}");
        }
    }

    #[test]
    fn a_program_for_another_c_library_or_machine_is_recognised() {
        let loader = Some(PathBuf::from("/nowhere/ld-musl-x86_64.so.1"));
        let notes = of_format(&Format::Elf { machine: Machine::X86_64, loader });
        let expected = "its loader /nowhere/ld-musl-x86_64.so.1 is missing, it is built for musl";
        assert!(notes.contains(expected), "{notes}");
        let notes = of_format(&Format::Elf { machine: Machine::Aarch64, loader: None });
        assert!(notes.starts_with("ELF for AArch64, and this machine is x86-64"), "{notes}");
    }

    #[test]
    fn a_missing_interpreter_is_named_and_nothing_else_is() {
        let directory = tempfile::tempdir().unwrap();
        let missing = |bytes: &[u8]| missing_part(&file(directory.path(), bytes, 0o755)).unwrap();
        assert_eq!(missing(b"#!/nowhere/python\n"), Some(PathBuf::from("/nowhere/python")));
        assert_eq!(missing(b"#!/bin/sh\n"), None);
        assert_eq!(missing(b"hello"), None);
        assert_eq!(missing_part(&std::env::current_exe().unwrap()).unwrap(), None);
        assert!(missing_part(Path::new("/nowhere")).is_err());
    }

    #[test]
    fn this_test_s_own_program_is_as_it_should_be() {
        let notes = look(&Program::Path(std::env::current_exe().unwrap()));
        assert!(notes.contains("ELF for x86-64"), "{notes}");
        assert!(!notes.contains("missing") && !notes.contains("not executable"), "{notes}");
    }

    #[test]
    fn what_is_not_there_is_said_in_the_system_s_words() {
        assert!(look(&Program::Path("/nowhere/x".into())).contains("No such file"));
        assert_eq!(look(&Program::Path("/".into())), "a directory");
    }
}
