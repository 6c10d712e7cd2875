//! Names and kinds of entries.

use super::*;

#[test]
fn an_entry_that_climbs_out_is_refused_with_its_name() {
    let place = Place::with_zip(&named("a/../../x").bytes());
    let error = place.resolve().unwrap_err().to_string();
    assert_eq!(
        error,
        format!(
            "{} is refused: entry name `a/../../x` has the component `..`, which climbs out of the archive's directory; pack it again without that entry",
            place.zip().display()
        )
    );
}

#[test]
fn names_that_systems_read_differently_are_refused() {
    let long = "x".repeat(256);
    let deep = ["d"; 33].join("/");
    let deepest = ["d"; 2000].join("/");
    check(vec![
        row("parent", named("../x"), problem(NameProblem::DotDot)),
        row("parent within", named("a/../x"), problem(NameProblem::DotDot)),
        row("absolute", named("/etc/cron.d/x"), problem(NameProblem::Absolute)),
        row("only a slash", named("/"), problem(NameProblem::Absolute)),
        row("backslash", named("..\\x"), problem(NameProblem::Backslash)),
        row("drive", named("C:\\x"), problem(NameProblem::Character(':'))),
        row("stream", named("x:y"), problem(NameProblem::Character(':'))),
        row("nul", named("ok\0../x"), problem(NameProblem::Nul)),
        row("dot", named("."), problem(NameProblem::Dot)),
        row("dot within", named("a/./x"), problem(NameProblem::Dot)),
        row("empty", named(""), problem(NameProblem::Empty)),
        row("two slashes", named("a//x"), problem(NameProblem::Empty)),
        row("trailing dot", named("a./x"), problem(NameProblem::TrailingDotOrSpace)),
        row("trailing space", named("x "), problem(NameProblem::TrailingDotOrSpace)),
        row("newline", named("a\nb"), problem(NameProblem::Character('\n'))),
        row("escape", named("\x1b[2J"), problem(NameProblem::Character('\x1b'))),
        row("not utf-8", named(b"\xff\xfe"), problem(NameProblem::NotUtf8)),
        row("right to left", named("a\u{202e}b"), problem(NameProblem::Character('\u{202e}'))),
        row("composed", named("caf\u{e9}"), problem(NameProblem::Character('\u{e9}'))),
        row("decomposed", named("cafe\u{301}"), problem(NameProblem::Character('\u{301}'))),
        row("long component", named(&long), problem(NameProblem::TooLong)),
        row("long name", named(&deepest), problem(NameProblem::TooLong)),
        row("deep", named(&deep), problem(NameProblem::TooDeep(32))),
    ]);
}

#[test]
fn two_entries_for_one_name_are_refused() {
    let files = |names: &[&str]| Forge::plugin(names.iter().map(|name| Member::stored(name, "x")));
    check(vec![
        row("twice", files(&["x", "x"]), is!(Refusal::Duplicate { .. })),
        row("case", files(&["x", "X"]), is!(Refusal::Duplicate { .. })),
        row("case of a parent", files(&["d/x", "D/y"]), is!(Refusal::Duplicate { .. })),
        row("metadata twice", files(&["plugin-meta.json"]), is!(Refusal::Duplicate { .. })),
        row(
            "directory twice",
            Forge::plugin([Member::directory("d/"), Member::directory("d/")]),
            is!(Refusal::Duplicate { .. }),
        ),
        row("file, then directory", files(&["x", "x/y"]), is!(Refusal::FileAndDirectory { .. })),
        row("directory, then file", files(&["x/y", "x"]), is!(Refusal::FileAndDirectory { .. })),
    ]);
}

#[test]
fn everything_but_files_and_directories_is_refused() {
    let mode = |mode: u32| changed(move |m| m.attributes = mode << 16);
    let mut link = Forge::plugin([]);
    link.members[0].attributes = 0o120_777 << 16;
    check(vec![
        row("symbolic link", mode(0o120_777), kind(Kind::SymbolicLink)),
        row("metadata as a link", link, kind(Kind::SymbolicLink)),
        row("character device", mode(0o020_666), kind(Kind::Device)),
        row("block device", mode(0o060_666), kind(Kind::Device)),
        row("pipe", mode(0o010_666), kind(Kind::Pipe)),
        row("socket", mode(0o140_666), kind(Kind::Socket)),
        row("unknown mode", mode(0o150_666), kind(Kind::Unknown)),
        row("volume label", changed(|m| m.attributes = 0x08), kind(Kind::Unknown)),
        row("device bit", changed(|m| m.attributes = 0x40), kind(Kind::Unknown)),
        row("file with a directory's mode", mode(0o040_755), kind(Kind::DirectoryByAttributesOnly)),
        row(
            "file with a directory's bit",
            changed(|m| m.attributes = 0x10),
            kind(Kind::DirectoryByAttributesOnly),
        ),
        row(
            "directory with a file's mode",
            Forge::plugin([Member::stored("d/", "")]),
            kind(Kind::DirectoryByNameOnly),
        ),
        row(
            "directory with content",
            Forge::plugin([Member::stored("d/", "x").with(|m| m.attributes = DIRECTORY)]),
            kind(Kind::DirectoryWithData),
        ),
    ]);
}
