//! The files that are watched, and which of them a build writes.
//!
//! A build writes into the folder that is watched, and nobody says which files
//! are its own. So a file that appears while a build runs is taken for its, and
//! so is one that changes during three builds in a row: after the first two, the
//! build runs once more, since it may have been somebody who saved. A file that
//! changes while nothing is built is somebody's again, but not for ever: then it
//! is the plugin that writes it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::mem;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::ignore::Ignore;
use crate::failure::Failure;

/// A folder with more than this is not only a plugin's sources.
const MOST_FILES: usize = 20_000;

/// Builds in a row during which a file changes before it is taken for theirs.
const SURE: u32 = 3;

/// How often a file is taken for a build's by mistake.
const MISTAKES: u32 = 3;

/// What changes when a file is saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    bytes: u64,
    mode: u32,
    seconds: i64,
    nanoseconds: i64,
}

type Stamps = BTreeMap<PathBuf, Stamp>;

/// The files of a folder, as they were when they were last looked at.
#[derive(Debug)]
pub(super) struct Tree<'a> {
    root: &'a Path,
    ignore: &'a Ignore,
    /// One more file, wherever it is.
    beside: Option<&'a Path>,
    stamps: Stamps,
    directories: Vec<PathBuf>,
    /// Written by builds.
    outputs: BTreeSet<PathBuf>,
    /// During how many builds in a row, up to the last one, a file changed.
    suspects: BTreeMap<PathBuf, u32>,
    /// How often a file was taken for a build's and then saved by somebody.
    mistakes: BTreeMap<PathBuf, u32>,
}

impl<'a> Tree<'a> {
    pub(super) const fn new(root: &'a Path, ignore: &'a Ignore, beside: Option<&'a Path>) -> Self {
        Self {
            root,
            ignore,
            beside,
            stamps: Stamps::new(),
            directories: Vec::new(),
            outputs: BTreeSet::new(),
            suspects: BTreeMap::new(),
            mistakes: BTreeMap::new(),
        }
    }

    /// The folders to watch, as they were when they were last looked at.
    pub(super) fn directories(&self) -> impl Iterator<Item = &Path> {
        let beside = self.beside.and_then(Path::parent);
        self.directories.iter().map(PathBuf::as_path).chain(beside)
    }

    /// Looks, before a build: what changes from here on counts.
    pub(super) fn look_before_build(&mut self) -> Result<(), Failure> {
        self.scan().map(drop)
    }

    /// Looks while nothing is built; gives the files that somebody changed since
    /// the last look, by their paths from the folder.
    pub(super) fn look(&mut self) -> Result<Vec<PathBuf>, Failure> {
        let before = self.scan()?;
        let mut changed = Vec::new();
        for (path, change) in changes(&before, &self.stamps) {
            if self.outputs.contains(path) {
                let mistakes = self.mistakes.entry(path.to_owned()).or_default();
                if matches!(change, Change::Gone) || *mistakes == MISTAKES {
                    continue;
                }
                *mistakes += 1;
                self.outputs.remove(path);
            }
            changed.push(path.to_owned());
        }
        Ok(changed)
    }

    /// Looks after a build; gives the files that changed meanwhile and may be
    /// somebody's, and remembers those that are the build's.
    pub(super) fn look_after_build(&mut self) -> Result<Vec<PathBuf>, Failure> {
        let before = self.scan()?;
        let suspects = mem::take(&mut self.suspects);
        for (path, change) in changes(&before, &self.stamps) {
            let times = suspects.get(path).map_or(1, |times| times + 1);
            match change {
                Change::Gone => {}
                Change::Other if self.outputs.contains(path) => {}
                Change::Other if times < SURE => {
                    self.suspects.insert(path.to_owned(), times);
                }
                Change::New | Change::Other => drop(self.outputs.insert(path.to_owned())),
            }
        }
        Ok(self.suspects.keys().cloned().collect())
    }

    /// Takes the stamps anew and gives those from before.
    fn scan(&mut self) -> Result<Stamps, Failure> {
        let mut stamps = Stamps::new();
        self.directories.clear();
        let mut pending = vec![self.root.to_owned()];
        while let Some(directory) = pending.pop() {
            // What goes away meanwhile has changed, and is no error.
            let Ok(entries) = fs::read_dir(&directory) else { continue };
            self.directories.push(directory);
            for entry in entries.flatten() {
                let path = entry.path();
                let relative = path.strip_prefix(self.root).unwrap_or(&path).to_owned();
                let Ok(kind) = entry.file_type() else { continue };
                if self.ignore.leaves_out(&relative) {
                    continue;
                }
                if kind.is_dir() {
                    pending.push(path);
                } else if let Ok(stamp) = Stamp::of(&path) {
                    stamps.insert(relative, stamp);
                }
                if stamps.len() + pending.len() > MOST_FILES {
                    return Err(Failure::Failed(format!(
                        "{} holds more than {MOST_FILES} files; leave some out with --ignore",
                        self.root.display()
                    )));
                }
            }
        }
        if let Some(beside) = self.beside
            && let Ok(stamp) = Stamp::of(beside)
        {
            let relative = beside.strip_prefix(self.root).unwrap_or(beside);
            stamps.insert(relative.to_owned(), stamp);
        }
        Ok(mem::replace(&mut self.stamps, stamps))
    }
}

impl Stamp {
    fn of(path: &Path) -> io::Result<Self> {
        let found = fs::metadata(path)?;
        Ok(Self {
            inode: found.ino(),
            bytes: found.len(),
            mode: found.mode(),
            seconds: found.mtime(),
            nanoseconds: found.mtime_nsec(),
        })
    }
}

enum Change {
    New,
    Other,
    Gone,
}

fn changes<'s>(before: &'s Stamps, now: &'s Stamps) -> impl Iterator<Item = (&'s Path, Change)> {
    let came = now.iter().filter_map(|(path, stamp)| match before.get(path) {
        None => Some((path.as_path(), Change::New)),
        Some(old) if old != stamp => Some((path.as_path(), Change::Other)),
        Some(_) => None,
    });
    let gone = before.keys().filter(|path| !now.contains_key(*path));
    came.chain(gone.map(|path| (path.as_path(), Change::Gone)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(found: Result<Vec<PathBuf>, Failure>) -> Vec<String> {
        found.unwrap().iter().map(|path| path.display().to_string()).collect()
    }

    #[test]
    fn what_is_saved_is_seen_and_what_is_left_out_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        let ignore = Ignore::new(&[], None).unwrap();
        fs::create_dir_all(root.join("src")).unwrap();
        fs::create_dir_all(root.join("target/debug")).unwrap();
        fs::write(root.join("src/a"), "1").unwrap();
        let mut tree = Tree::new(root, &ignore, None);
        assert_eq!(paths(tree.look()), ["src/a"]);
        assert!(paths(tree.look()).is_empty());
        fs::write(root.join("src/a"), "12").unwrap();
        fs::write(root.join("target/debug/x"), "").unwrap();
        assert_eq!(paths(tree.look()), ["src/a"]);
        fs::remove_file(root.join("src/a")).unwrap();
        assert_eq!(paths(tree.look()), ["src/a"]);
        assert_eq!(tree.directories().count(), 2);
    }

    #[test]
    fn what_builds_write_is_learned_and_a_file_saved_meanwhile_is_not_lost() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        let ignore = Ignore::new(&[], None).unwrap();
        let write =
            |name: &str, bytes: usize| fs::write(root.join(name), vec![b'x'; bytes]).unwrap();
        write("source", 1);
        write("old-output", 1);
        let mut tree = Tree::new(root, &ignore, None);
        tree.look().unwrap();
        // A build makes one file, writes another, and somebody saves.
        write("made", 1);
        write("old-output", 2);
        write("source", 2);
        assert_eq!(paths(tree.look_after_build()), ["old-output", "source"]);
        // It runs once more, and somebody saves again.
        tree.look_before_build().unwrap();
        write("made", 3);
        write("old-output", 3);
        write("source", 3);
        assert_eq!(paths(tree.look_after_build()), ["old-output", "source"]);
        tree.look_before_build().unwrap();
        write("made", 4);
        write("old-output", 4);
        assert!(paths(tree.look_after_build()).is_empty());
        // From now on builds may write what they write.
        write("made", 5);
        write("old-output", 5);
        assert!(paths(tree.look_after_build()).is_empty());
        write("source", 5);
        assert_eq!(paths(tree.look()), ["source"]);
    }

    #[test]
    fn what_was_taken_for_a_build_s_is_somebody_s_again_once_he_saves_it() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        let ignore = Ignore::new(&[], None).unwrap();
        let mut tree = Tree::new(root, &ignore, None);
        let mut bytes = 0;
        let mut write = || {
            bytes += 1;
            fs::write(root.join("file"), vec![b'x'; bytes]).unwrap();
        };
        tree.look().unwrap();
        write();
        assert!(paths(tree.look_after_build()).is_empty(), "it was new during a build");
        for _ in 0..MISTAKES {
            write();
            assert_eq!(paths(tree.look()), ["file"]);
            for _ in 0..SURE {
                write();
                tree.look_after_build().unwrap();
            }
        }
        // By now it is a file that the plugin writes.
        write();
        assert!(paths(tree.look()).is_empty());
    }

    #[test]
    fn a_file_elsewhere_is_watched_too() {
        let (directory, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let ignore = Ignore::new(&[], None).unwrap();
        let config = other.path().join("config.json");
        fs::write(&config, "{}").unwrap();
        let mut tree = Tree::new(directory.path(), &ignore, Some(&config));
        tree.look().unwrap();
        assert!(tree.directories().any(|watched| watched == other.path()));
        fs::write(&config, "{ }").unwrap();
        assert_eq!(paths(tree.look()), [config.display().to_string()]);
    }
}
