//! What a host left behind.

use std::fs;
use std::path::Path;

/// Processes whose environment names the demo's run directory: its plugins and
/// whatever they started, wherever they hang in the tree.
pub(super) fn processes(run_dir: &Path) -> u64 {
    let needle = run_dir.as_os_str().as_encoded_bytes();
    let Ok(entries) = fs::read_dir("/proc") else { return 0 };
    let own = std::process::id().to_string();
    let found = entries
        .flatten()
        .filter(|entry| entry.file_name().to_str().is_some_and(|name| name != own))
        .filter_map(|entry| fs::read(entry.path().join("environ")).ok())
        .filter(|environment| environment.windows(needle.len()).any(|part| part == needle))
        .count();
    // The launchers have no environment; they are children of this process.
    (found + children()) as u64
}

fn children() -> usize {
    let Ok(threads) = fs::read_dir("/proc/self/task") else { return 0 };
    let children = threads
        .flatten()
        .filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    children.map(|text| text.split_whitespace().count()).sum()
}

/// Files and directories beneath the run directory.
pub(super) fn files(directory: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(directory) else { return 0 };
    entries
        .flatten()
        .map(|entry| 1 + if entry.path().is_dir() { files(&entry.path()) } else { 0 })
        .sum()
}
