//! Data that is not what was declared, and too much of it.

use super::*;

#[test]
fn data_that_is_not_what_it_declares_is_refused_and_removed() {
    let text = "some text, some text, some text";
    let deflated = |change: fn(&mut Member)| {
        Forge::plugin([Member::stored("d/first", "x"), Member::deflated("d/y", text).with(change)])
    };
    check(vec![
        row("checksum", changed(|m| m.crc ^= 1), is!(Refusal::Checksum { .. })),
        row("deflated checksum", deflated(|m| m.crc ^= 1), is!(Refusal::Checksum { .. })),
        row("more than declared", deflated(|m| m.size -= 1), is!(Refusal::Size { .. })),
        row("much more than declared", deflated(|m| m.size = 1), is!(Refusal::Size { .. })),
        row("nothing declared", deflated(|m| m.size = 0), is!(Refusal::Size { .. })),
        row("less than declared", deflated(|m| m.size += 1), is!(Refusal::Size { .. })),
        row("stored in another size", changed(|m| m.size = 6), is!(Refusal::Size { .. })),
        row("damaged", deflated(|m| m.body[0] = 0xff), is!(Refusal::Data { .. })),
    ]);
}

#[test]
fn archives_that_ask_for_too_much_are_refused_before_a_byte_is_written() {
    let zeros = vec![0; 4 << 20];
    let bomb = Forge::plugin([Member::deflated("bomb", &zeros)]);
    let many =
        |count: u32| Forge::plugin((0..count).map(|index| Member::stored(format!("f{index}"), "")));
    check(vec![
        row("ratio", bomb.clone(), is!(Refusal::Ratio { limit: 100, .. })),
        row("many", many(20_000), is!(Refusal::TooManyEntries { count: 20_002, .. })),
        row(
            "declared to be large",
            Forge::plugin([Member::deflated("x", "x").with(|m| m.size = 300 << 20)]),
            is!(Refusal::FileTooLarge { .. }),
        ),
    ]);
    check_with(
        vec![
            row("file", bomb.clone(), is!(Refusal::FileTooLarge { limit: 1_000_000, .. })),
            row("entries", many(9), is!(Refusal::TooManyEntries { count: 11, limit: 10 })),
            row(
                "implied directories",
                named("a/b/c/d/e/f/g/h/i"),
                is!(Refusal::TooManyEntries { .. }),
            ),
        ],
        |limits| {
            limits.file_bytes = 1_000_000;
            limits.entries = 10;
        },
    );
    check_with(
        vec![row("total", bomb, is!(Refusal::TotalTooLarge { limit: 1_000_000, .. }))],
        |limits| {
            limits.ratio = u64::MAX;
            limits.total_bytes = 1_000_000;
        },
    );
}

#[test]
fn a_file_larger_than_allowed_is_not_even_copied() {
    let mut place = Place::with_zip(&Forge::plugin([]).bytes());
    place.resolver.limits.archive_bytes = 100;
    let before = place.listing();
    let error = place.resolve().unwrap_err();
    let too_large =
        matches!(error, DiscoveryError::Archive(ArchiveError::TooLarge { limit: 100, .. }));
    assert!(too_large, "{error}");
    assert_eq!(place.listing(), before);
}
