//! Who is whose child, and how many threads there are, as `/proc` tells it.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::Path;

use rustix::process::Pid;

/// The number of threads of this process.
///
/// # Errors
///
/// The system's, as when `/proc` is not mounted.
pub(crate) fn threads() -> io::Result<usize> {
    fs::read_dir("/proc/self/task")?.try_fold(0, |count, entry| entry.map(|_| count + 1))
}

/// The parent of a process, zombies included; none when it is gone.
pub(crate) fn parent(pid: Pid) -> Option<Pid> {
    let stat = fs::read(format!("/proc/{}/stat", pid.as_raw_pid())).ok()?;
    parse_parent(&stat)
}

/// The fourth field of a `stat` line. The second is the program's name in
/// parentheses, which may itself hold spaces and parentheses, so the count
/// starts behind the last one.
fn parse_parent(stat: &[u8]) -> Option<Pid> {
    let name_end = stat.iter().rposition(|byte| *byte == b')')?;
    let rest = std::str::from_utf8(stat.get(name_end + 1..)?).ok()?;
    parse_pid(rest.split_ascii_whitespace().nth(1)?)
}

fn parse_pid(text: &str) -> Option<Pid> {
    Pid::from_raw(text.parse().ok()?)
}

/// A way to list children.
pub(crate) enum Children {
    /// The kernel keeps a list for each thread (`CONFIG_PROC_CHILDREN`).
    Listed,
    /// It does not, so every process was asked for its parent once.
    Scanned(HashMap<Pid, Vec<Pid>>),
}

impl Children {
    /// The state of things now. Lists that the kernel keeps are read later, at
    /// each [`Self::of`].
    pub(crate) fn now() -> Self {
        if Path::new("/proc/thread-self/children").exists() { Self::Listed } else { Self::scan() }
    }

    fn scan() -> Self {
        let mut children = HashMap::<_, Vec<_>>::new();
        for pid in pids_in("/proc") {
            if let Some(parent) = parent(pid) {
                children.entry(parent).or_default().push(pid);
            }
        }
        Self::Scanned(children)
    }

    /// The children of a process. Complete only while nothing in the list comes
    /// or goes, so whoever needs all of them asks again until nothing is new.
    pub(crate) fn of(&self, pid: Pid) -> Vec<Pid> {
        match self {
            Self::Scanned(children) => children.get(&pid).cloned().unwrap_or_default(),
            Self::Listed => {
                let tasks = format!("/proc/{}/task", pid.as_raw_pid());
                let list = |thread: Pid| {
                    fs::read_to_string(format!("{tasks}/{}/children", thread.as_raw_pid()))
                };
                pids_in(&tasks)
                    .filter_map(|thread| list(thread).ok())
                    .flat_map(|list| {
                        list.split_ascii_whitespace().filter_map(parse_pid).collect::<Vec<_>>()
                    })
                    .collect()
            }
        }
    }
}

/// The entries of a directory that are numbers. A directory that is gone has
/// none.
fn pids_in(directory: &str) -> impl Iterator<Item = Pid> {
    fs::read_dir(directory)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| parse_pid(entry.file_name().to_str()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_name_with_parentheses_does_not_hide_the_parent() {
        for (stat, expected) in [
            (&b"12 (sh) S 34 12 12"[..], Pid::from_raw(34)),
            (b"12 (a) S 1 (b) R 56 7", Pid::from_raw(56)),
            (b"12 (\xff) Z 78 7", Pid::from_raw(78)),
            (b"12 (init) S 0 1", None),
            (b"12 (cut", None),
            (b"", None),
        ] {
            assert_eq!(parse_parent(stat), expected, "{stat:?}");
        }
    }

    #[test]
    fn this_process_is_a_child_of_its_parent_in_both_listings() {
        let me = rustix::process::getpid();
        let parent = parent(me).unwrap();
        assert_eq!(Some(parent), rustix::process::getppid());
        assert!(Children::scan().of(parent).contains(&me));
        assert!(Children::Listed.of(parent).contains(&me));
    }
}
