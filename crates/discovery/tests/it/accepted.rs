//! Archives as common tools write them, and what becomes of them on the disk.

use std::fs;

use outrigger_discovery::{DiscoveryError, EntryKind, EntryPointError, Limits, MetadataError};

use crate::forge::{Forge, Member, PROGRAM, SCRIPT, descriptor, extra};
use crate::support::{Place, modes};

fn resolve(forge: &Forge) -> Result<outrigger_discovery::Resolved, DiscoveryError> {
    Place::with_zip(&forge.bytes()).resolve()
}

/// The head of a program for 64-bit Linux.
fn elf(machine: u8) -> Vec<u8> {
    let mut program = b"\x7fELF\x02\x01\x01".to_vec();
    program.resize(16, 0);
    program.extend([2, 0, machine, 0]);
    program.resize(200, 0);
    program
}

fn with_program(program: &[u8], members: impl IntoIterator<Item = Member>) -> Forge {
    let mut forge = Forge::plugin(members);
    forge.members[1] = Member::deflated("acme", program).with(|m| m.attributes = PROGRAM);
    forge
}

#[test]
fn modes_are_set_by_us_whatever_the_archive_says() {
    let place = Place::with_zip(
        &Forge::plugin([
            Member::directory("lib/"),
            Member::stored("lib/helper", "x").with(|m| m.attributes = 0o106_777 << 16),
            Member::stored("share/data", "x").with(|m| m.attributes = 0o100_666 << 16),
            Member::stored("share/none", "x").with(|m| m.attributes = 0),
            Member::directory("empty/"),
        ])
        .bytes(),
    );
    let resolved = place.resolve().unwrap();
    let expected = [
        ("", 0o500),
        ("acme", 0o500),
        ("empty", 0o500),
        ("lib", 0o500),
        ("lib/helper", 0o500),
        ("plugin-meta.json", 0o400),
        ("share", 0o500),
        ("share/data", 0o400),
        ("share/none", 0o400),
    ];
    let expected = expected.map(|(path, mode)| (path.to_owned(), mode));
    assert_eq!(modes(&resolved.workspace.tree()), expected);
    assert_eq!(fs::read_to_string(&resolved.entry_point.path).unwrap(), SCRIPT);
    drop(resolved);
    assert_eq!(fs::read_dir(&place.resolver.run_dir).unwrap().count(), 0);
}

#[test]
fn data_descriptors_of_every_form_are_read() {
    for (magic, width) in [(true, 4), (false, 4), (true, 8), (false, 8)] {
        let streamed = |member: Member| {
            member.with(|m| {
                m.flags = 1 << 3;
                m.local_crc = Some(0);
                m.local_sizes = Some((0, 0));
                m.after = descriptor(m, magic, width);
            })
        };
        let forge = Forge::plugin([
            streamed(Member::deflated("first", "some text, some text")),
            streamed(Member::stored("last", "x")),
        ]);
        let place = Place::with_zip(&forge.bytes());
        let resolved = place.resolve().unwrap_or_else(|error| panic!("{magic} {width}: {error}"));
        let text = fs::read_to_string(resolved.workspace.tree().join("first")).unwrap();
        assert_eq!(text, "some text, some text");
    }
}

#[test]
fn the_zip64_field_that_streaming_writers_reserve_is_read() {
    let mut figures = 3_u64.to_le_bytes().to_vec();
    figures.extend(3_u64.to_le_bytes());
    let known = Member::stored("known", "abc").with(|m| {
        m.local_sizes = Some((u32::MAX, u32::MAX));
        m.local_extra = extra(1, &figures);
    });
    let streamed = Member::stored("streamed", "abc").with(|m| {
        m.flags = 1 << 3;
        m.local_crc = Some(0);
        m.local_sizes = Some((u32::MAX, u32::MAX));
        m.local_extra = extra(1, &[0; 16]);
        m.after = descriptor(m, true, 8);
    });
    resolve(&Forge::plugin([known, streamed])).unwrap();
}

#[test]
fn timestamps_owners_and_entry_comments_do_not_matter() {
    let member = Member::stored("file", "x").with(|m| {
        m.extra = extra(0x5455, b"\x01\0\0\0\0");
        m.local_extra = [extra(0x5455, &[3; 9]), extra(0x7875, &[1; 11])].concat();
        m.comment = b"a comment".to_vec();
        m.flags = 1 << 11;
    });
    resolve(&Forge::plugin([member])).unwrap();
}

#[test]
fn entries_may_be_listed_in_another_order_than_they_stand_in() {
    let forge = Forge::plugin([Member::stored("x", "x"), Member::stored("y", "y")]);
    let offsets: Vec<_> = {
        let bytes = forge.bytes();
        let starts = bytes.windows(4).enumerate().filter(|(_, window)| window == b"PK\x03\x04");
        starts.map(|(at, _)| at as u32).collect()
    };
    // The data in one order, the records of the directory in the other.
    let listed = (0..4).rev().map(|index| {
        let offset = Some(offsets[index]);
        forge.members[index].clone().with(|m| (m.offset, m.central_only) = (offset, true))
    });
    let bytes = forge.bytes();
    let records = Forge { members: listed.collect(), ..Forge::default() };
    let directory = bytes.windows(4).position(|window| window == b"PK\x01\x02").unwrap() as u32;
    let records = Forge { directory_offset: Some(directory), ..records }.bytes();
    let whole = [&bytes[..directory as usize], &records].concat();
    let place = Place::with_zip(&whole);
    let resolved = place.resolve().unwrap();
    assert_eq!(fs::read_to_string(resolved.workspace.tree().join("y")).unwrap(), "y");
}

#[test]
fn a_large_file_of_zeros_below_the_allowance_is_no_bomb() {
    resolve(&Forge::plugin([Member::deflated("zeros", vec![0; 1 << 20])])).unwrap();
}

#[test]
fn a_program_that_came_alone_is_a_single_file() {
    let resolved = resolve(&with_program(&elf(62), [])).unwrap();
    assert_eq!(resolved.entry_point.kind, EntryKind::Elf);
    assert!(resolved.entry_point.single_file);
    let with_data = resolve(&with_program(&elf(62), [Member::stored("data", "x")])).unwrap();
    assert!(!with_data.entry_point.single_file);
    let script = resolve(&Forge::plugin([])).unwrap();
    assert_eq!(script.entry_point.kind, EntryKind::Script);
    assert!(!script.entry_point.single_file);
}

#[test]
fn the_entry_points_digest_is_that_of_its_unpacked_bytes() {
    let resolved = resolve(&Forge::plugin([])).unwrap();
    let expected = "306c6ca7407560340797866e077e053627ad409277d1b9da58106fce4cf717cb";
    assert_eq!(resolved.entry_point.digest.to_string(), expected);
}

#[test]
fn entry_points_that_cannot_run_here_are_refused_without_residue() {
    let mut missing = Forge::plugin([]);
    missing.members.remove(1);
    let mut directory = missing.clone();
    directory.members.push(Member::directory("acme/"));
    let mut plain = Forge::plugin([]);
    plain.members[1].attributes = 0o100_644 << 16;
    let mut unmarked = Forge::plugin([]);
    unmarked.members[1].attributes = 0;
    for (what, forge, expected) in [
        ("missing", missing, "is not in"),
        ("directory", directory, "is a directory"),
        ("plain", plain, "is not executable"),
        ("no mode", unmarked, "is not executable"),
        ("arm", with_program(&elf(183), []), "was built for linux/arm64"),
        ("text", with_program(b"hello", []), "is neither an ELF program nor a script"),
    ] {
        let place = Place::with_zip(&forge.bytes());
        let before = place.listing();
        let error = place.resolve().unwrap_err();
        assert!(matches!(error, DiscoveryError::EntryPoint(_)), "{what}: {error}");
        assert!(error.to_string().contains(expected), "{what}: {error}");
        assert_eq!(place.listing(), before, "{what}");
    }
    let error = resolve(&with_program(&elf(183), [])).unwrap_err();
    let DiscoveryError::EntryPoint(EntryPointError::Architecture { found, expected, .. }) = error
    else {
        panic!("{error}");
    };
    assert_eq!((found.as_str(), expected.as_str()), ("linux/arm64", "linux/amd64"));
}

#[test]
fn metadata_that_cannot_be_used_is_refused_without_residue() {
    let with = |text: &str| {
        let mut forge = Forge::plugin([]);
        forge.members[0] = Member::deflated("plugin-meta.json", text);
        forge
    };
    let mut missing = Forge::plugin([]);
    missing.members.remove(0);
    let mut nested = missing.clone();
    nested.members.push(Member::stored("meta/plugin-meta.json", "{}"));
    let large = " ".repeat(Limits::default().metadata_bytes as usize + 1);
    for (what, forge) in [
        ("missing", missing),
        ("nested", nested),
        ("large", with(&large)),
        ("text", with("hello")),
        ("climbing", with(r#"{"entrypoint":".."}"#)),
        ("option", with(r#"{"entrypoint":"-rf"}"#)),
    ] {
        let place = Place::with_zip(&forge.bytes());
        let before = place.listing();
        let error = place.resolve().unwrap_err();
        assert!(matches!(error, DiscoveryError::Metadata(_)), "{what}: {error}");
        assert_eq!(place.listing(), before, "{what}");
    }
    let error = resolve(&with(&large)).unwrap_err();
    let size = large.len() as u64;
    assert!(
        matches!(error, DiscoveryError::Metadata(MetadataError::TooLarge { size: s, .. }) if s == size)
    );
}
