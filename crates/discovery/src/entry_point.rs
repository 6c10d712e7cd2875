//! Whether a file can be started on this platform.

use std::fmt;
use std::path::{Path, PathBuf};

use outrigger_types::Platform;

/// Bytes at the start of a file that [`check`] needs to see.
pub(crate) const HEAD_BYTES: usize = 256;

const ELF_MAGIC: &[u8] = b"\x7fELF";
const CLASS_64: u8 = 2;
const LITTLE_ENDIAN: u8 = 1;
const EXECUTABLE: u16 = 2;
const SHARED: u16 = 3;

/// What the system will do with an entry point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum EntryKind {
    /// A native program.
    Elf,
    /// A text that starts with `#!` and the path of its interpreter.
    Script,
}

impl fmt::Display for EntryKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Elf => "elf",
            Self::Script => "script",
        })
    }
}

/// Why an entry point cannot be started. `origin` is the archive, or the
/// directory that is being packed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EntryPointError {
    /// The metadata names a file that is not there.
    #[error(
        "entry point `{name}` is not in {}; add the file, or correct `entrypoint` in plugin-meta.json",
        .origin.display()
    )]
    Missing {
        /// Where it was looked for.
        origin: PathBuf,
        /// The name in the metadata.
        name: String,
    },
    /// The metadata names a directory.
    #[error(
        "entry point `{name}` in {} is a directory; name an executable file in plugin-meta.json",
        .origin.display()
    )]
    NotAFile {
        /// Where it was looked for.
        origin: PathBuf,
        /// The name in the metadata.
        name: String,
    },
    /// The file carries no execute permission.
    #[error(
        "entry point `{name}` in {} is not executable; run `chmod +x` on it and pack it again with a tool that keeps permissions",
        .origin.display()
    )]
    NotExecutable {
        /// Where it was looked for.
        origin: PathBuf,
        /// The name in the metadata.
        name: String,
    },
    /// A native program for other machines.
    #[error(
        "entry point `{name}` in {} was built for {found}, and this host is {expected}; install the distribution for {expected}",
        .origin.display()
    )]
    Architecture {
        /// Where it was looked for.
        origin: PathBuf,
        /// The name in the metadata.
        name: String,
        /// The platform it was built for, in Go's words where there is one.
        found: String,
        /// The platform of this host.
        expected: String,
    },
    /// Neither a program nor a script.
    #[error(
        "entry point `{name}` in {} is neither an ELF program nor a script with a `#!` line, but {found}; name the executable in plugin-meta.json",
        .origin.display()
    )]
    Format {
        /// Where it was looked for.
        origin: PathBuf,
        /// The name in the metadata.
        name: String,
        /// What it looks like.
        found: &'static str,
    },
}

/// What is known of the file that the metadata names.
#[derive(Debug)]
pub(crate) struct Candidate<'a> {
    pub(crate) origin: &'a Path,
    pub(crate) name: &'a str,
    pub(crate) directory: bool,
    pub(crate) executable: bool,
}

impl Candidate<'_> {
    /// Judges everything but the content.
    pub(crate) fn check_entry(&self) -> Result<(), EntryPointError> {
        let (origin, name) = (self.origin.to_owned(), self.name.to_owned());
        if self.directory {
            return Err(EntryPointError::NotAFile { origin, name });
        }
        if !self.executable {
            return Err(EntryPointError::NotExecutable { origin, name });
        }
        Ok(())
    }

    /// Judges the first bytes, of which `head` holds [`HEAD_BYTES`] or as many
    /// as the file has.
    pub(crate) fn check_head(
        &self,
        head: &[u8],
        platform: &Platform,
    ) -> Result<EntryKind, EntryPointError> {
        match identify(head) {
            Found::Script => Ok(EntryKind::Script),
            Found::Elf { arch } if platform.os == "linux" && arch == platform.arch => {
                Ok(EntryKind::Elf)
            }
            Found::Elf { arch } => Err(self.foreign(format!("linux/{arch}"), platform)),
            Found::Windows => Err(self.foreign("windows".to_owned(), platform)),
            Found::Darwin => Err(self.foreign("darwin".to_owned(), platform)),
            Found::Other(found) => Err(EntryPointError::Format {
                origin: self.origin.to_owned(),
                name: self.name.to_owned(),
                found,
            }),
        }
    }

    fn foreign(&self, found: String, platform: &Platform) -> EntryPointError {
        EntryPointError::Architecture {
            origin: self.origin.to_owned(),
            name: self.name.to_owned(),
            found,
            expected: format!("{}/{}", platform.os, platform.arch),
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Found {
    Elf { arch: String },
    Script,
    Windows,
    Darwin,
    Other(&'static str),
}

fn identify(head: &[u8]) -> Found {
    if head.starts_with(ELF_MAGIC) {
        return identify_elf(head);
    }
    if let Some(line) = head.strip_prefix(b"#!") {
        let line = line.split(|&byte| byte == b'\n').next().unwrap_or_default();
        let interpreter = line.trim_ascii_start();
        // A line that does not end within the head is longer than what the
        // kernel reads of it.
        let ended = line.len() + 2 < head.len() || head.len() < HEAD_BYTES;
        return match (interpreter.first(), ended) {
            (Some(b'/'), true) => Found::Script,
            (Some(_), true) => Found::Other("a script whose interpreter is no absolute path"),
            (_, true) => Found::Other("a script that names no interpreter"),
            (_, false) => Found::Other("a script whose first line is too long"),
        };
    }
    match head {
        [] => Found::Other("empty"),
        [b'M', b'Z', ..] => Found::Windows,
        [0xcf, 0xfa, 0xed, 0xfe, ..] | [0xca, 0xfe, 0xba, 0xbe, ..] => Found::Darwin,
        _ => Found::Other("a file of another kind"),
    }
}

fn identify_elf(head: &[u8]) -> Found {
    let &[_, _, _, _, class, order, ..] = head else {
        return Found::Other("a truncated ELF file");
    };
    let half = |at: usize| {
        let bytes = [*head.get(at)?, *head.get(at + 1)?];
        Some(if order == LITTLE_ENDIAN {
            u16::from_le_bytes(bytes)
        } else {
            u16::from_be_bytes(bytes)
        })
    };
    let (Some(kind), Some(machine)) = (half(16), half(18)) else {
        return Found::Other("a truncated ELF file");
    };
    if !matches!(kind, EXECUTABLE | SHARED) {
        return Found::Other("an ELF file that is no program");
    }
    let arch = match (machine, class, order) {
        (62, CLASS_64, LITTLE_ENDIAN) => "amd64".to_owned(),
        (183, CLASS_64, LITTLE_ENDIAN) => "arm64".to_owned(),
        (243, CLASS_64, LITTLE_ENDIAN) => "riscv64".to_owned(),
        (3, ..) => "386".to_owned(),
        (40, ..) => "arm".to_owned(),
        (21, _, LITTLE_ENDIAN) => "ppc64le".to_owned(),
        (22, CLASS_64, _) => "s390x".to_owned(),
        (other, ..) => format!("machine {other}"),
    };
    Found::Elf { arch }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AMD64: Platform = Platform { os: "linux", arch: "amd64" };

    fn elf(class: u8, order: u8, kind: u16, machine: u16) -> Vec<u8> {
        let mut head = vec![0x7f, b'E', b'L', b'F', class, order, 1];
        head.resize(16, 0);
        head.extend(kind.to_le_bytes());
        head.extend(machine.to_le_bytes());
        head
    }

    fn check(head: &[u8]) -> Result<EntryKind, EntryPointError> {
        let origin = Path::new("/p/acme.zip");
        Candidate { origin, name: "acme", directory: false, executable: true }
            .check_head(head, &AMD64)
    }

    #[test]
    fn programs_of_this_platform_and_scripts_are_told_apart() {
        assert_eq!(check(&elf(2, 1, 2, 62)).unwrap(), EntryKind::Elf);
        assert_eq!(check(&elf(2, 1, 3, 62)).unwrap(), EntryKind::Elf);
        assert_eq!(check(b"#!/bin/sh\nexit\n").unwrap(), EntryKind::Script);
        assert_eq!(check(b"#! /usr/bin/env python3").unwrap(), EntryKind::Script);
    }

    #[test]
    fn a_program_for_another_machine_is_refused_with_both_names() {
        let error = check(&elf(2, 1, 2, 183)).unwrap_err().to_string();
        assert_eq!(
            error,
            "entry point `acme` in /p/acme.zip was built for linux/arm64, and this host is linux/amd64; install the distribution for linux/amd64"
        );
        for (head, name) in [
            (elf(1, 1, 2, 3), "linux/386"),
            (b"MZ\x90".to_vec(), "windows"),
            (vec![0xcf, 0xfa, 0xed, 0xfe], "darwin"),
        ] {
            let error = check(&head).unwrap_err();
            assert!(matches!(&error, EntryPointError::Architecture { found, .. } if found == name));
        }
    }

    #[test]
    fn what_the_system_could_not_start_is_refused() {
        let mut endless = b"#!/".to_vec();
        endless.resize(HEAD_BYTES, b'x');
        let library = elf(2, 1, 1, 62);
        for head in
            [&b""[..], b"#!", b"#!\n/bin/sh", b"#!python", b"hello", b"\x7fELF", &endless, &library]
        {
            let error = check(head).unwrap_err();
            assert!(matches!(error, EntryPointError::Format { .. }), "{head:?}");
        }
    }
}
