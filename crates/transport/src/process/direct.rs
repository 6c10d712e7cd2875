//! Starting a plugin without a launcher: as a plain child.
//!
//! Death is seen and the tree is killed as far as it can be found from `/proc`;
//! a descendant that left for a session of its own before its parent died is
//! not found, and nothing kills the tree when the host is killed.

use std::fs;
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Stdio;

use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use super::orphans::Reaped;
use super::spawn::{Start, Started, command, output_pipe, pidfd_of};
use super::watch_task::Owner;
use crate::error::LaunchError;
use crate::spec::Program;

pub(super) fn spawn(start: &Start) -> Result<Started, LaunchError> {
    let path = match &start.program {
        // The child finds the image in this process: its own copy of the
        // descriptor is closed by then.
        Program::Image(image) => {
            PathBuf::from(format!("/proc/{}/fd/{}", std::process::id(), image.as_fd().as_raw_fd()))
        }
        Program::Path(path) => path.clone(),
    };
    let failed = |source| LaunchError::Spawn { program: start.shown.clone(), source };
    let (stdout, stdout_write) = output_pipe().map_err(failed)?;
    let (stderr, stderr_write) = output_pipe().map_err(failed)?;
    let mut command = command(&path);
    command.arg0(&start.name).args(&start.arguments).env_clear();
    command.envs(start.environment.iter().map(|(name, value)| (name, value)));
    // A group of its own can be killed whole, though not those who leave it.
    command.current_dir(&start.working_directory).process_group(0);
    command.stdin(Stdio::null()).stdout(stdout_write).stderr(stderr_write);
    let child = command.spawn().map_err(|source| exec_error(start, source))?;
    drop(command);
    let pid = child.id();
    let pidfd = pidfd_of(&child).map_err(failed)?;
    Ok(Started { pid, pidfd, stdout, stderr, owner: Owner::Direct { child: Reaped::new(child) } })
}

fn exec_error(start: &Start, source: io::Error) -> LaunchError {
    let exec = [Errno::NOEXEC, Errno::NOENT, Errno::ACCESS, Errno::TXTBSY, Errno::NOTDIR];
    if exec.iter().any(|errno| source.raw_os_error() == Some(errno.raw_os_error())) {
        start.not_executed(source)
    } else {
        LaunchError::Spawn { program: start.shown.clone(), source }
    }
}

/// Kills what is left of a dead process's group. The zombie keeps the group's
/// number from being used again.
pub(super) fn kill_group(pid: u32) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _empty = kill_process_group(pid, Signal::KILL);
    }
}

/// Kills a process's descendants as `/proc` shows them, deepest last. The
/// process itself is the caller's to kill, through its pidfd.
pub(super) fn kill_descendants(pid: u32) {
    let mut pending = children(pid);
    while let Some(pid) = pending.pop() {
        pending.extend(children(pid));
        if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
            // Gone already is as good as killed.
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}

fn children(pid: u32) -> Vec<u32> {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    threads
        .flatten()
        .filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok())
        .flat_map(|text| {
            text.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>()
        })
        .collect()
}
