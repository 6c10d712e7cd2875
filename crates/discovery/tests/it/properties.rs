//! Whatever an archive says, only the workspace is written to.

use std::fs;

use proptest::prelude::*;

use crate::forge::{Forge, Member};
use crate::support::{Place, listing};

/// Resolves the archive and compares everything around the workspace. Returns
/// whether it was accepted.
fn touches_only_its_workspace(bytes: &[u8]) -> bool {
    let place = Place::with_zip(bytes);
    let before = place.listing();
    let accepted = match place.resolve() {
        Err(_) => false,
        Ok(resolved) => {
            let workspace = resolved.workspace.path().to_owned();
            assert!(workspace.starts_with(&place.resolver.run_dir));
            let inside = workspace.strip_prefix(place.zip().ancestors().nth(2).unwrap()).unwrap();
            let inside = inside.display().to_string();
            let outside: Vec<_> =
                place.listing().into_iter().filter(|line| !line.starts_with(&inside)).collect();
            let without_links = |line: &String| !line.contains(" 120");
            assert!(listing(&workspace).iter().all(without_links));
            assert_eq!(outside, before);
            true
        }
    };
    assert_eq!(place.listing(), before);
    accepted
}

fn base() -> Forge {
    Forge::plugin([
        Member::deflated("lib/text", "some text, some text"),
        Member::directory("empty/"),
        Member::stored("lib/deep/er/data", "x"),
    ])
}

fn any_member() -> impl Strategy<Value = Member> {
    let name = prop_oneof![
        "[a-c./]{1,8}",
        "(\\.\\./){0,2}[a-c]{1,2}(/[a-c]{1,2}){0,3}/?",
        "[a-zA-Z0-9._@+~ -]{1,12}",
    ];
    let kinds = prop_oneof![Just(0o100_644_u32), Just(0o040_755), Just(0o120_777), Just(0)];
    (name, kinds, any::<bool>(), "[a-z]{0,20}").prop_map(|(name, mode, deflate, text)| {
        let make = if deflate { Member::deflated } else { Member::stored };
        make(name, text).with(|m| m.attributes = mode << 16)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn any_archive_that_is_accepted_unpacks_only_beneath_its_workspace(
        members in proptest::collection::vec(any_member(), 0..6)
    ) {
        touches_only_its_workspace(&Forge::plugin(members).bytes());
    }

    #[test]
    fn damage_anywhere_in_an_archive_never_writes_elsewhere(
        flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)
    ) {
        let mut bytes = base().bytes();
        for (at, value) in flips {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        touches_only_its_workspace(&bytes);
    }

    #[test]
    fn an_archive_cut_off_anywhere_is_refused(at in any::<prop::sample::Index>()) {
        let bytes = base().bytes();
        prop_assert!(!touches_only_its_workspace(&bytes[..at.index(bytes.len())]));
    }
}

#[test]
fn the_archive_that_the_properties_start_from_is_accepted() {
    assert!(touches_only_its_workspace(&base().bytes()));
    let place = Place::with_zip(&base().bytes());
    let resolved = place.resolve().unwrap();
    let text = fs::read_to_string(resolved.workspace.tree().join("lib/text")).unwrap();
    assert_eq!(text, "some text, some text");
}
