//! What kind of program a file is, from its first bytes.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

/// ELF's number for a program's interpreter among its segments.
const PT_INTERP: u64 = 3;

/// A program's format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Format {
    Elf {
        machine: Machine,
        /// What loads it; none if it is linked statically.
        loader: Option<PathBuf>,
    },
    MachO {
        machine: Machine,
    },
    Pe {
        machine: Machine,
    },
    Script {
        interpreter: PathBuf,
    },
    Empty,
    Unknown,
}

/// What a program is built for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Machine {
    X86,
    X86_64,
    Arm,
    Aarch64,
    Riscv,
    Powerpc64,
    S390x,
    /// Several, or one that has no name here.
    Other,
}

impl Machine {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::X86 => "x86",
            Self::X86_64 => "x86-64",
            Self::Arm => "Arm",
            Self::Aarch64 => "AArch64",
            Self::Riscv => "RISC-V",
            Self::Powerpc64 => "PowerPC 64",
            Self::S390x => "S/390",
            Self::Other => "another machine",
        }
    }

    const fn of_elf(number: u64) -> Self {
        match number {
            3 => Self::X86,
            21 => Self::Powerpc64,
            22 => Self::S390x,
            40 => Self::Arm,
            62 => Self::X86_64,
            183 => Self::Aarch64,
            243 => Self::Riscv,
            _ => Self::Other,
        }
    }

    const fn of_mach_o(number: u64) -> Self {
        match number {
            7 => Self::X86,
            0x0100_0007 => Self::X86_64,
            12 => Self::Arm,
            0x0100_000c => Self::Aarch64,
            _ => Self::Other,
        }
    }

    const fn of_pe(number: u64) -> Self {
        match number {
            0x014c => Self::X86,
            0x8664 => Self::X86_64,
            0x01c4 => Self::Arm,
            0xaa64 => Self::Aarch64,
            _ => Self::Other,
        }
    }
}

/// Reads the format of a file that begins with `bytes`.
pub(super) fn format(bytes: &[u8]) -> Format {
    match bytes {
        [] => Format::Empty,
        [0x7f, b'E', b'L', b'F', ..] => elf(bytes).unwrap_or(Format::Unknown),
        [b'#', b'!', line @ ..] => script(line),
        [b'M', b'Z', ..] => pe(bytes).unwrap_or(Format::Unknown),
        [0xce | 0xcf, 0xfa, 0xed, 0xfe, ..] => {
            let machine = number(bytes, 4, 4, false).map_or(Machine::Other, Machine::of_mach_o);
            Format::MachO { machine }
        }
        [0xfe, 0xed, 0xfa, 0xce | 0xcf, ..] => {
            let machine = number(bytes, 4, 4, true).map_or(Machine::Other, Machine::of_mach_o);
            Format::MachO { machine }
        }
        [0xca, 0xfe, 0xba, 0xbe, ..] => Format::MachO { machine: Machine::Other },
        _ => Format::Unknown,
    }
}

fn elf(bytes: &[u8]) -> Option<Format> {
    let wide = *bytes.get(4)? == 2;
    let big = *bytes.get(5)? == 2;
    let machine = Machine::of_elf(number(bytes, 18, 2, big)?);
    let (table, size, count) = if wide { (32, 54, 56) } else { (28, 42, 44) };
    let word = if wide { 8 } else { 4 };
    let table = number(bytes, table, word, big)?;
    let size = number(bytes, size, 2, big)?;
    let count = number(bytes, count, 2, big)?;
    let loader = (0..count).find_map(|index| {
        let segment = usize::try_from(table.checked_add(index * size)?).ok()?;
        if number(bytes, segment, 4, big)? != PT_INTERP {
            return None;
        }
        let (offset, length) = if wide { (8, 32) } else { (4, 16) };
        let offset = number(bytes, segment.checked_add(offset)?, word, big)?;
        let length = number(bytes, segment.checked_add(length)?, word, big)?;
        let (offset, length) = (usize::try_from(offset).ok()?, usize::try_from(length).ok()?);
        let text = bytes.get(offset..offset.checked_add(length)?)?;
        let text = text.split(|byte| *byte == 0).next()?;
        Some(PathBuf::from(OsStr::from_bytes(text)))
    });
    Some(Format::Elf { machine, loader })
}

fn script(line: &[u8]) -> Format {
    let line = line.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let words = line.split(|byte| matches!(byte, b' ' | b'\t'));
    match words.into_iter().find(|word| !word.is_empty()) {
        Some(word) => Format::Script { interpreter: PathBuf::from(OsStr::from_bytes(word)) },
        None => Format::Unknown,
    }
}

fn pe(bytes: &[u8]) -> Option<Format> {
    let header = usize::try_from(number(bytes, 0x3c, 4, false)?).ok()?;
    let signature = bytes.get(header..header.checked_add(4)?)?;
    (signature == b"PE\0\0").then_some(())?;
    let machine = number(bytes, header.checked_add(4)?, 2, false)?;
    Some(Format::Pe { machine: Machine::of_pe(machine) })
}

/// The number of `length` bytes at `offset`.
fn number(bytes: &[u8], offset: usize, length: usize, big: bool) -> Option<u64> {
    let bytes = bytes.get(offset..offset.checked_add(length)?)?;
    let add = |sum: u64, byte: &u8| sum << 8 | u64::from(*byte);
    Some(if big { bytes.iter().fold(0, add) } else { bytes.iter().rev().fold(0, add) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A 64-bit ELF header with one segment that names a loader.
    pub(crate) fn elf_for(machine: u16, loader: &str) -> Vec<u8> {
        let mut bytes = vec![0; 64 + 56];
        bytes[..6].copy_from_slice(&[0x7f, b'E', b'L', b'F', 2, 1]);
        bytes[18..20].copy_from_slice(&machine.to_le_bytes());
        bytes[32..40].copy_from_slice(&64_u64.to_le_bytes());
        bytes[54..56].copy_from_slice(&56_u16.to_le_bytes());
        bytes[56..58].copy_from_slice(&1_u16.to_le_bytes());
        bytes[64..68].copy_from_slice(&3_u32.to_le_bytes());
        bytes[72..80].copy_from_slice(&120_u64.to_le_bytes());
        bytes[96..104].copy_from_slice(&(loader.len() as u64 + 1).to_le_bytes());
        bytes.extend(loader.as_bytes());
        bytes.push(0);
        bytes
    }

    #[test]
    fn formats_and_machines_are_told_apart() {
        let mut pe = vec![0; 0x90];
        pe[..2].copy_from_slice(b"MZ");
        pe[0x3c] = 0x80;
        pe[0x80..0x86].copy_from_slice(&[b'P', b'E', 0, 0, 0x64, 0x86]);
        let loader = "/lib/ld-musl-aarch64.so.1";
        let rows: &[(&[u8], Format)] = &[
            (
                &elf_for(183, loader),
                Format::Elf { machine: Machine::Aarch64, loader: Some(loader.into()) },
            ),
            (&pe, Format::Pe { machine: Machine::X86_64 }),
            (&[0xcf, 0xfa, 0xed, 0xfe, 0x0c, 0, 0, 1], Format::MachO { machine: Machine::Aarch64 }),
            (b"#! /usr/bin/env python3\nx", Format::Script { interpreter: "/usr/bin/env".into() }),
            (b"#!\n", Format::Unknown),
            (b"\x7fELF", Format::Unknown),
            (b"hello", Format::Unknown),
            (b"", Format::Empty),
        ];
        for (bytes, expected) in rows {
            assert_eq!(format(bytes), *expected, "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(magic in 0usize..5, rest in prop::collection::vec(any::<u8>(), 0..300)) {
            let magics: [&[u8]; 5] = [b"\x7fELF\x02\x01", b"\x7fELF\x01\x02", b"MZ", b"#!", b"\xcf\xfa\xed\xfe"];
            let _ = format(&[magics[magic], &rest].concat());
        }
    }
}
