//! Which names an archive's entries may have.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;

use super::refusal::Refusal;

/// Longest component, in bytes, that Linux file systems take.
const MAX_COMPONENT: usize = 255;
/// Longest name, in bytes; with the workspace's path it stays under the 4,096
/// bytes that Linux takes.
const MAX_NAME: usize = 2048;

/// The rule that a name breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameProblem {
    /// Bytes that are no UTF-8.
    #[error("is not UTF-8")]
    NotUtf8,
    /// No characters, or two slashes in a row.
    #[error("has an empty component")]
    Empty,
    /// A slash in front.
    #[error("is absolute")]
    Absolute,
    /// A component `.`.
    #[error("has the component `.`")]
    Dot,
    /// A component `..`.
    #[error("has the component `..`, which climbs out of the archive's directory")]
    DotDot,
    /// A backslash, which other systems take for a separator.
    #[error("contains a backslash")]
    Backslash,
    /// A NUL, at which other readers cut the name.
    #[error("contains a NUL")]
    Nul,
    /// A character other than letters, digits, `.`, `_`, `-`, `@`, `+`, `~` and
    /// space; letters and digits are those of ASCII.
    #[error("contains {0:?}; allowed are letters, digits, `._-@+~` and spaces")]
    Character(char),
    /// A component that ends in a dot or a space, which other systems drop.
    #[error("has a component that ends in a dot or a space")]
    TrailingDotOrSpace,
    /// A component of more than 255 bytes, or a name of more than 2,048.
    #[error("is too long")]
    TooLong,
    /// More components than allowed.
    #[error("is nested more than {0} levels deep")]
    TooDeep(usize),
}

/// An accepted name.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Name {
    /// Components joined by `/`, without a slash at the end.
    pub(crate) path: String,
    /// Whether a slash ended it.
    pub(crate) directory: bool,
}

/// Takes a name as it stands, or refuses it.
pub(crate) fn parse(raw: &[u8], max_depth: usize) -> Result<Name, Refusal> {
    let refuse =
        |problem| Refusal::Name { name: String::from_utf8_lossy(raw).into_owned(), problem };
    let name = str::from_utf8(raw).map_err(|_| refuse(NameProblem::NotUtf8))?;
    if name.len() > MAX_NAME {
        return Err(refuse(NameProblem::TooLong));
    }
    if name.starts_with('/') {
        return Err(refuse(NameProblem::Absolute));
    }
    let (path, directory) = match name.strip_suffix('/') {
        Some(path) => (path, true),
        None => (name, false),
    };
    for component in path.split('/') {
        check_component(component).map_err(refuse)?;
    }
    if path.split('/').count() > max_depth {
        return Err(refuse(NameProblem::TooDeep(max_depth)));
    }
    Ok(Name { path: path.to_owned(), directory })
}

fn check_component(component: &str) -> Result<(), NameProblem> {
    match component {
        "" => return Err(NameProblem::Empty),
        "." => return Err(NameProblem::Dot),
        ".." => return Err(NameProblem::DotDot),
        _ => {}
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._-@+~ ".contains(c);
    match component.chars().find(|&c| !allowed(c)) {
        Some('\\') => return Err(NameProblem::Backslash),
        Some('\0') => return Err(NameProblem::Nul),
        Some(other) => return Err(NameProblem::Character(other)),
        None => {}
    }
    if component.ends_with(['.', ' ']) {
        return Err(NameProblem::TrailingDotOrSpace);
    }
    if component.len() > MAX_COMPONENT {
        return Err(NameProblem::TooLong);
    }
    Ok(())
}

/// All names of one archive as a tree, in which no two nodes may have the same
/// name when case is ignored. Names are ASCII, so that lower case is the whole
/// of case folding, and different Unicode forms of one name cannot occur.
#[derive(Debug)]
pub(crate) struct Tree {
    nodes: HashMap<(usize, String), Node>,
    max_nodes: usize,
}

#[derive(Debug)]
struct Node {
    id: usize,
    spelling: String,
    directory: bool,
    /// An entry of its own, rather than a part of another entry's name.
    explicit: bool,
}

impl Tree {
    pub(crate) fn new(max_nodes: usize) -> Self {
        Self { nodes: HashMap::new(), max_nodes }
    }

    /// Adds a name with all its parents.
    pub(crate) fn insert(&mut self, name: &Name) -> Result<(), Refusal> {
        let mut parent = 0;
        let mut end = 0;
        for component in name.path.split('/') {
            end += component.len() + usize::from(end > 0);
            let path = &name.path[..end];
            let last = path.len() == name.path.len();
            parent = self.step(parent, component, path, !last || name.directory, last)?;
        }
        Ok(())
    }

    fn step(
        &mut self,
        parent: usize,
        component: &str,
        path: &str,
        directory: bool,
        explicit: bool,
    ) -> Result<usize, Refusal> {
        let id = self.nodes.len() + 1;
        match self.nodes.entry((parent, component.to_ascii_lowercase())) {
            Slot::Vacant(slot) => {
                if id > self.max_nodes {
                    return Err(Refusal::TooManyEntries { count: id, limit: self.max_nodes });
                }
                slot.insert(Node { id, spelling: path.to_owned(), directory, explicit });
                Ok(id)
            }
            Slot::Occupied(mut slot) => {
                let node = slot.get_mut();
                if node.directory != directory {
                    return Err(Refusal::FileAndDirectory { name: path.to_owned() });
                }
                if node.spelling != path || (node.explicit && explicit) {
                    let (first, name) = (node.spelling.clone(), path.to_owned());
                    return Err(Refusal::Duplicate { first, name });
                }
                node.explicit |= explicit;
                Ok(node.id)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn insert_all(names: &[&str]) -> Result<(), Refusal> {
        let mut tree = Tree::new(100);
        names.iter().try_for_each(|name| tree.insert(&parse(name.as_bytes(), 32)?))
    }

    #[test]
    fn names_of_python_and_node_packages_are_accepted() {
        for name in [
            "node_modules/@grpc/grpc-js/build/src/index.js",
            "lib/__init__.py",
            ".bin/a",
            "foo-1.0.dist-info/METADATA",
            "a file~1 + more",
            "dir/",
        ] {
            assert!(parse(name.as_bytes(), 32).is_ok(), "{name}");
        }
    }

    #[test]
    fn a_directory_may_be_listed_before_or_after_its_files() {
        assert!(insert_all(&["a/", "a/b", "a/c/d"]).is_ok());
        assert!(insert_all(&["a/b", "a/", "a/c/", "a/c/d"]).is_ok());
    }

    #[test]
    fn clashes_of_parents_are_seen_too() {
        for names in [
            &["a/b", "A/c"][..],
            &["a/", "A/"],
            &["a", "a/b"],
            &["a/b", "a"],
            &["x/a/", "x/A"],
            &["a/", "a/"],
            &["a", "a"],
        ] {
            assert!(insert_all(names).is_err(), "{names:?}");
        }
    }

    proptest! {
        #[test]
        fn an_accepted_name_stays_beneath_the_directory_it_is_joined_to(
            raw in prop_oneof![
                proptest::collection::vec(any::<u8>(), 0..40),
                "[a-zA-Z./\\\\ ~@-]{0,40}".prop_map(String::into_bytes),
            ]
        ) {
            if let Ok(name) = parse(&raw, 32) {
                let path = std::path::Path::new(&name.path);
                let plain = |c| matches!(c, std::path::Component::Normal(_));
                prop_assert!(path.components().all(plain));
                prop_assert_eq!(path.components().count(), name.path.split('/').count());
            }
        }
    }
}
