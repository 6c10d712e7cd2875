//! Bad archives, built byte by byte: each is refused with its own reason, and
//! none leaves anything behind.

macro_rules! is {
    ($pattern:pat) => {
        |refusal: &Refusal| matches!(refusal, $pattern)
    };
}

mod amounts;
mod names;
mod structure;

use outrigger_discovery::{
    ArchiveError, DiscoveryError, EntryKindProblem as Kind, Limits, NameProblem, Refusal,
};

use crate::forge::{self, DIRECTORY, Forge, Member, descriptor, extra};
use crate::support::Place;

type Row = (&'static str, Vec<u8>, Box<dyn Fn(&Refusal) -> bool>);

fn row(what: &'static str, forge: Forge, expected: impl Fn(&Refusal) -> bool + 'static) -> Row {
    (what, forge.bytes(), Box::new(expected))
}

fn check(rows: Vec<Row>) {
    check_with(rows, |_| {});
}

fn check_with(rows: Vec<Row>, limit: impl Fn(&mut Limits)) {
    for (what, bytes, expected) in rows {
        let mut place = Place::with_zip(&bytes);
        limit(&mut place.resolver.limits);
        let before = place.listing();
        let error = place.resolve().expect_err(what);
        let DiscoveryError::Archive(ArchiveError::Refused { path, refusal }) = &error else {
            panic!("{what}: {error}");
        };
        assert!(expected(refusal), "{what}: {refusal:?}");
        assert_eq!(path, &place.zip(), "{what}");
        assert!(error.is_permanent(), "{what}");
        assert!(error.to_string().contains("; "), "{what}: no remedy in `{error}`");
        assert_eq!(place.listing(), before, "{what} left something behind");
    }
}

fn named(name: impl AsRef<[u8]>) -> Forge {
    Forge::plugin([Member::stored(name, "x")])
}

fn changed(change: impl FnOnce(&mut Member)) -> Forge {
    Forge::plugin([Member::stored("file", "content").with(change)])
}

fn problem(expected: NameProblem) -> impl Fn(&Refusal) -> bool {
    move |refusal| matches!(refusal, Refusal::Name { problem, .. } if *problem == expected)
}

fn kind(expected: Kind) -> impl Fn(&Refusal) -> bool {
    move |refusal| matches!(refusal, Refusal::Kind { problem, .. } if *problem == expected)
}
