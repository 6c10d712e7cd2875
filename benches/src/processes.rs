//! Processes of a benchmark: where they run, and whether any are left.

use std::fs;

use rustix::process::Pid;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use crate::Failure;

/// CPUs for a node and its plugin.
///
/// Waking an idle CPU costs a multiple of a call's own work, at least on a
/// virtual machine, and whether it happens is chance. With both processes on
/// one CPU nothing is ever woken elsewhere: what remains is the work, and a
/// ratio of two ways to call can be trusted to a few hundredths.
#[derive(Debug, Clone, Copy)]
pub struct Cpus(CpuSet);

impl Cpus {
    /// All that this process may use.
    ///
    /// # Errors
    ///
    /// The system does not say.
    pub fn all() -> Result<Self, Failure> {
        Ok(Self(sched_getaffinity(None)?))
    }

    /// The first of them.
    #[must_use]
    pub fn first(&self) -> Self {
        let mut one = CpuSet::new();
        if let Some(first) = (0..CpuSet::MAX_CPU).find(|cpu| self.0.is_set(*cpu)) {
            one.set(first);
        }
        Self(one)
    }

    /// Puts this process and a plugin there, all their threads, and the threads
    /// that those start from now on.
    ///
    /// # Errors
    ///
    /// The system refuses, or the plugin is gone.
    pub fn hold(&self, plugin: u32) -> Result<(), Failure> {
        for process in [std::process::id(), plugin] {
            for thread in fs::read_dir(format!("/proc/{process}/task"))? {
                let name = thread?.file_name();
                let id = name.to_str().and_then(|name| name.parse().ok()).and_then(Pid::from_raw);
                match sched_setaffinity(id, &self.0) {
                    // The thread ended meanwhile.
                    Err(rustix::io::Errno::SRCH) => {}
                    done => done?,
                }
            }
        }
        Ok(())
    }
}

/// How many child processes this process has, unreaped ones included.
///
/// # Errors
///
/// `/proc` cannot be read.
pub fn children() -> Result<usize, Failure> {
    let mut count = 0;
    for thread in fs::read_dir("/proc/self/task")? {
        // A thread that ended meanwhile has none.
        let listed = fs::read_to_string(thread?.path().join("children")).unwrap_or_default();
        count += listed.split_whitespace().count();
    }
    Ok(count)
}
