//! Records that contradict each other, and bytes that none of them covers.

use super::*;

#[test]
fn what_we_do_not_decode_is_refused() {
    let unicode_path = extra(0x7075, b"\x01\0\0\0\0other");
    check(vec![
        row("encrypted", changed(|m| m.flags = 1), is!(Refusal::Encrypted { .. })),
        row("strongly", changed(|m| m.flags = 1 << 6), is!(Refusal::Encrypted { .. })),
        row("masked", changed(|m| m.flags = 1 << 13), is!(Refusal::Encrypted { .. })),
        row("patch", changed(|m| m.flags = 1 << 5), is!(Refusal::Flags { flags: 32, .. })),
        row("bzip2", changed(|m| m.method = 12), is!(Refusal::Method { method: 12, .. })),
        row("deflate64", changed(|m| m.method = 9), is!(Refusal::Method { method: 9, .. })),
        row("aes", changed(|m| m.method = 99), is!(Refusal::Method { method: 99, .. })),
        row(
            "aes field",
            changed(|m| m.extra = extra(0x9901, b"\x02\0AE\x03\0\0")),
            is!(Refusal::ExtraField { id: 0x9901, .. }),
        ),
        row(
            "second name",
            changed(|m| m.extra = unicode_path.clone()),
            is!(Refusal::ExtraField { id: 0x7075, .. }),
        ),
        row(
            "second name in front",
            changed(|m| m.local_extra = unicode_path.clone()),
            is!(Refusal::ExtraField { id: 0x7075, .. }),
        ),
        row(
            "link field",
            changed(|m| m.extra = extra(0x756e, b"\0\0\0\0\xff\xa1\0\0\0\0\0\0\0\0/etc")),
            is!(Refusal::ExtraField { id: 0x756e, .. }),
        ),
        row(
            "zip64 field",
            changed(|m| m.extra = extra(1, &[0; 16])),
            is!(Refusal::ExtraField { id: 1, .. }),
        ),
        row(
            "damaged field",
            changed(|m| m.extra = b"\x55\x54\xff\xff\0".to_vec()),
            is!(Refusal::ExtraField { id: 0, .. }),
        ),
    ]);
}

#[test]
fn bytes_that_belong_to_no_entry_or_to_two_are_refused() {
    let good = Forge::plugin([]).bytes();
    let other = Forge::plugin([Member::stored("evil", "x")]);
    let shared = Forge::plugin((0..1000).map(|index| {
        Member::stored(format!("f{index}"), SHARED).with(|m| {
            m.offset = Some(0);
            m.central_only = true;
        })
    }));
    let within = Forge::plugin([
        Member::stored("outer", [Member::stored("inner", "x").body, vec![b'x'; 100]].concat()),
        Member::stored("inner", "x").with(|m| {
            m.central_only = true;
            m.offset = Some(200);
        }),
    ]);
    let glued = Forge { prefix: good.clone(), ..other.clone() };
    let adjusted = Forge { shift: good.len() as u32, ..glued.clone() };
    check(vec![
        row(
            "prefix",
            Forge { prefix: b"#!/bin/sh\n".to_vec(), ..other.clone() },
            is!(Refusal::DataBefore { bytes: 10 }),
        ),
        row("two archives", glued, is!(Refusal::DataBefore { .. })),
        row("two archives, adjusted", adjusted, is!(Refusal::DataBefore { .. })),
        row(
            "suffix",
            other.clone().with(|f| f.suffix = vec![b'x'; 7]),
            is!(Refusal::DataAfter { bytes: 7 }),
        ),
        row(
            "comment",
            other.clone().with(|f| f.comment = vec![b'x'; 7]),
            is!(Refusal::Comment { bytes: 7 }),
        ),
        row(
            "archive in the comment",
            other.clone().with(|f| f.comment = good.clone()),
            is!(Refusal::DataBefore { .. } | Refusal::Comment { .. }),
        ),
        row("gap", changed(|m| m.before = vec![0; 5]), is!(Refusal::Gap { bytes: 5, .. })),
        row("gap behind", changed(|m| m.after = vec![0; 16]), is!(Refusal::Gap { bytes: 16, .. })),
        row(
            "gap before the directory",
            other.clone().with(|f| f.before_directory = vec![0; 3]),
            is!(Refusal::Gap { bytes: 3, .. }),
        ),
        row(
            "gap behind the directory",
            other.clone().with(|f| f.after_directory = vec![0; 3]),
            is!(Refusal::DataBefore { bytes: 3 }),
        ),
        row("thousand entries over one body", shared, is!(Refusal::Overlap { .. })),
        row("entry within an entry", within, is!(Refusal::Overlap { .. })),
        row(
            "entry in the directory",
            changed(|m| (m.size, m.compressed) = (60, 60)),
            is!(Refusal::Overlap { .. }),
        ),
    ]);
}

const SHARED: &str = forge::METADATA;

#[test]
fn directories_that_contradict_the_archive_are_refused() {
    let good = Forge::plugin([]);
    let bytes = good.bytes();
    let raw = |what, bytes: &[u8], expected: fn(&Refusal) -> bool| -> Row {
        (what, bytes.to_vec(), Box::new(expected))
    };
    let mut locator = b"PK\x06\x07".to_vec();
    locator.resize(20, 0);
    check(vec![
        raw("empty", b"", is!(Refusal::NotAZip)),
        raw("text", &[b'x'; 4096], is!(Refusal::NotAZip)),
        raw("truncated", &bytes[..bytes.len() - 1], is!(Refusal::NotAZip)),
        raw("half", &bytes[..bytes.len() / 2], is!(Refusal::NotAZip)),
        row(
            "one record more",
            good.clone().with(|f| f.count = Some(3)),
            is!(Refusal::Directory { .. }),
        ),
        row(
            "one record less",
            good.clone().with(|f| f.count = Some(1)),
            is!(Refusal::Directory { .. }),
        ),
        row("zip64 count", good.clone().with(|f| f.count = Some(0xffff)), is!(Refusal::Zip64)),
        row(
            "zip64 offset",
            good.clone().with(|f| f.directory_offset = Some(u32::MAX)),
            is!(Refusal::Zip64),
        ),
        row(
            "zip64 locator",
            good.clone().with(|f| f.after_directory = locator),
            is!(Refusal::Zip64),
        ),
        row("zip64 size", changed(|m| m.size = u32::MAX), is!(Refusal::Zip64)),
        row("volume", good.clone().with(|f| f.volume = 1), is!(Refusal::MultiVolume)),
        row("volume of an entry", changed(|m| m.volume = 1), is!(Refusal::MultiVolume)),
        row(
            "directory beyond the end",
            good.clone().with(|f| f.directory_offset = Some(0x7000_0000)),
            is!(Refusal::Directory { .. }),
        ),
        row(
            "directory too early",
            good.clone().with(|f| f.directory_offset = Some(0)),
            is!(Refusal::DataBefore { .. }),
        ),
    ]);
}

#[test]
fn local_headers_that_contradict_the_directory_are_refused() {
    let field = |expected: &'static str| move |refusal: &Refusal| matches!(refusal, Refusal::LocalHeader { field, .. } if *field == expected);
    let deferred = |change: fn(&mut Vec<u8>)| {
        changed(move |m| {
            m.flags = 1 << 3;
            m.after = descriptor(m, true, 4);
            change(&mut m.after);
        })
    };
    let mut headless = changed(|_| {});
    headless.members[2].before = Vec::new();
    let mut bytes = headless.bytes();
    let at = bytes.windows(4).rposition(|window| window == b"PK\x03\x04").unwrap();
    bytes[at] = b'Q';
    check(vec![
        row("name", changed(|m| m.local_name = Some(b"evil".to_vec())), field("name")),
        row("flags", changed(|m| m.local_flags = Some(2)), field("set of flags")),
        row("method", changed(|m| m.local_method = Some(8)), field("compression method")),
        row("checksum", changed(|m| m.local_crc = Some(1)), field("checksum")),
        row("size", changed(|m| m.local_sizes = Some((1, 7))), field("size")),
        row("compressed size", changed(|m| m.local_sizes = Some((7, 1))), field("size")),
        row("zeros without descriptor", changed(|m| m.local_sizes = Some((0, 0))), field("size")),
        ("no header", bytes, Box::new(is!(Refusal::NoLocalHeader { .. }))),
        row("descriptor's checksum", deferred(|d| d[4] ^= 1), is!(Refusal::Descriptor { .. })),
        row("descriptor's size", deferred(|d| d[12] ^= 1), is!(Refusal::Descriptor { .. })),
        row("descriptor's magic", deferred(|d| d[0] ^= 1), is!(Refusal::Descriptor { .. })),
        row("descriptor's length", deferred(|d| d.push(0)), is!(Refusal::Descriptor { .. })),
        row("no descriptor", deferred(Vec::clear), is!(Refusal::Descriptor { .. })),
    ]);
}
