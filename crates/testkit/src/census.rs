//! What a process holds, and what hangs below it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// What may leak, counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Census {
    /// Open descriptors, by what they are: `socket`, `pipe`, a path…
    pub descriptors: BTreeMap<String, usize>,
    /// Threads of this process.
    pub threads: usize,
    /// Descendants, zombies included.
    pub processes: usize,
}

impl Census {
    /// Counts now.
    #[must_use]
    pub fn take() -> Self {
        Self { descriptors: descriptors(), threads: threads(), processes: descendants().len() }
    }
}

fn descriptors() -> BTreeMap<String, usize> {
    let mut kinds = BTreeMap::new();
    let Ok(entries) = fs::read_dir("/proc/self/fd") else { return kinds };
    for entry in entries.flatten() {
        let Ok(target) = fs::read_link(entry.path()) else { continue };
        let target = target.to_string_lossy();
        // This reading itself holds one.
        if target.starts_with("/proc/") {
            continue;
        }
        let kind = target.split(':').next().unwrap_or_default().to_owned();
        *kinds.entry(kind).or_default() += 1;
    }
    kinds
}

fn threads() -> usize {
    fs::read_dir("/proc/self/task").map_or(0, Iterator::count)
}

/// A process, as a census shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Descendant {
    /// Its id.
    pub pid: i32,
    /// Its command line, or its name in brackets.
    pub command: String,
    /// Whether it is dead and nobody reaped it.
    pub zombie: bool,
}

/// Everything below this process. A subreaper sees what has left its session
/// too.
#[must_use]
pub fn descendants() -> Vec<Descendant> {
    descendants_of(std::process::id())
}

/// Everything below a process.
#[must_use]
pub fn descendants_of(root: u32) -> Vec<Descendant> {
    let mut parents: BTreeMap<i32, Vec<i32>> = BTreeMap::new();
    for pid in pids() {
        if let Some(parent) = stat(pid).map(|(parent, _)| parent) {
            parents.entry(parent).or_default().push(pid);
        }
    }
    let mut found = Vec::new();
    let mut pending = vec![i32::try_from(root).unwrap_or(-1)];
    while let Some(pid) = pending.pop() {
        for child in parents.remove(&pid).unwrap_or_default() {
            let zombie = stat(child).is_some_and(|(_, state)| state == 'Z');
            found.push(Descendant { pid: child, command: command(child), zombie });
            pending.push(child);
        }
    }
    found
}

fn pids() -> Vec<i32> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// Parent and state of a process.
fn stat(pid: i32) -> Option<(i32, char)> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name may hold anything, brackets included.
    let mut fields = text[text.rfind(')')? + 1..].split_whitespace();
    let state = fields.next()?.chars().next()?;
    Some((fields.next()?.parse().ok()?, state))
}

fn command(pid: i32) -> String {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let line = String::from_utf8_lossy(&line).replace('\0', " ");
    if line.trim().is_empty() {
        let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        return format!("[{}]", name.trim());
    }
    line.trim().to_owned()
}

/// Whether a process lives: exists, and is no zombie.
#[must_use]
pub fn lives(pid: u32) -> bool {
    i32::try_from(pid).ok().and_then(stat).is_some_and(|(_, state)| state != 'Z')
}

/// Every path beneath a directory, relative to it.
#[must_use]
pub fn files(directory: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut pending = vec![directory.to_owned()];
    while let Some(next) = pending.pop() {
        for entry in fs::read_dir(&next).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() && !path.is_symlink() {
                pending.push(path.clone());
            }
            let relative = path.strip_prefix(directory).unwrap_or(&path);
            found.push(relative.display().to_string());
        }
    }
    found.sort();
    found
}
