//! What the processes of plugins use, read from `/proc`. Blocks.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

/// What a tree of processes uses.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Usage {
    /// Resident memory.
    pub(crate) bytes: u64,
    /// Processor time so far, of those that were waited for too.
    pub(crate) cpu_seconds: f64,
    pub(crate) descriptors: u64,
    pub(crate) threads: u64,
    pub(crate) processes: u64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Process {
    parent: u32,
    ticks: u64,
    threads: u64,
    pages: u64,
}

/// The processes of the machine, as they were at one moment.
#[derive(Debug, Default)]
pub(crate) struct Processes {
    all: HashMap<u32, Process>,
    children: HashMap<u32, Vec<u32>>,
}

/// Entries of `/proc` that are looked at.
const MOST: usize = 100_000;

impl Processes {
    /// Reads what there is; what ends meanwhile is not in it.
    pub(crate) fn read() -> Self {
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten().take(MOST);
        let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        let mut found = Self::default();
        for pid in pids {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            if let Some(process) = parse(&stat) {
                found.children.entry(process.parent).or_default().push(pid);
                found.all.insert(pid, process);
            }
        }
        found
    }

    /// What a process and its descendants use. Its launcher, which is a child of this
    /// process and takes its orphans, and what else descends from that one are of it.
    pub(crate) fn tree(&self, pid: u32) -> Option<Usage> {
        self.tree_under(pid, std::process::id())
    }

    /// Those processes.
    pub(super) fn members(&self, pid: u32, host: u32) -> Vec<u32> {
        let Some(process) = self.all.get(&pid) else { return Vec::new() };
        let parent = process.parent;
        let launched = self.all.get(&parent).is_some_and(|launcher| launcher.parent == host);
        let mut members = vec![if launched { parent } else { pid }];
        let mut looked = 0;
        while let Some(next) = members.get(looked) {
            members.extend(self.children.get(next).into_iter().flatten());
            looked += 1;
        }
        members
    }

    fn tree_under(&self, pid: u32, host: u32) -> Option<Usage> {
        let members = self.members(pid, host);
        let mut usage = members.first().map(|_| Usage::default())?;
        for next in members {
            let Some(process) = self.all.get(&next) else { continue };
            usage.processes += 1;
            usage.threads += process.threads;
            usage.bytes += process.pages * rustix::param::page_size() as u64;
            usage.cpu_seconds +=
                process.ticks as f64 / rustix::param::clock_ticks_per_second() as f64;
            let open = fs::read_dir(Path::new("/proc").join(next.to_string()).join("fd"));
            usage.descriptors += open.into_iter().flatten().count() as u64;
        }
        Some(usage)
    }
}

/// A line of `/proc/PID/stat`. A name may hold spaces and parentheses.
fn parse(stat: &str) -> Option<Process> {
    let (_, rest) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    // proc(5) counts from 1, and the state, which is the third, comes first here.
    let field = |number: usize| fields.get(number - 3)?.parse::<i64>().ok();
    let ticks = (14..=17).map(field).sum::<Option<i64>>()?;
    Some(Process {
        parent: u32::try_from(field(4)?).ok()?,
        ticks: u64::try_from(ticks).ok()?,
        threads: u64::try_from(field(20)?).ok()?,
        pages: u64::try_from(field(24)?).unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_spaces_and_parentheses_hides_nothing() {
        let stat = "7 (a b) c) S 3 7 7 0 -1 0 0 0 0 0 11 5 2 1 20 0 4 0 99 1000 250 0";
        let process = Process { parent: 3, ticks: 19, threads: 4, pages: 250 };
        assert_eq!(parse(stat), Some(process));
        assert_eq!(parse("7 (sh) S 3"), None);
        assert_eq!(parse(""), None);
    }

    #[test]
    fn a_launcher_and_the_orphans_that_it_took_are_of_the_plugin_and_strangers_are_not() {
        let (host, launcher, plugin, orphan) = (9_000_001, 9_000_002, 9_000_003, 9_000_004);
        let (shell, attached) = (9_000_005, 9_000_006);
        let mut found = Processes::default();
        for (pid, parent) in [
            (host, 1),
            (launcher, host),
            (plugin, launcher),
            (orphan, launcher),
            (shell, 1),
            (attached, shell),
        ] {
            found.all.insert(pid, Process { parent, ticks: 0, threads: 1, pages: 1 });
            found.children.entry(parent).or_default().push(pid);
        }
        let processes = |pid| found.tree_under(pid, host).unwrap().processes;
        assert_eq!((processes(plugin), processes(attached)), (3, 1));
        // One that was started without a launcher is the host's own child.
        assert_eq!(processes(launcher), 3);
    }

    #[test]
    fn a_process_uses_memory_threads_and_descriptors() {
        let own = Processes::read().tree(std::process::id()).unwrap();
        assert!(own.bytes > 100_000 && own.threads >= 1 && own.descriptors >= 3, "{own:?}");
        assert!(own.processes >= 1);
        assert_eq!(Processes::default().tree(std::process::id()), None);
    }
}
