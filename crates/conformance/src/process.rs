//! A process that the kit starts: an exact environment, pipes that are read to
//! their ends, and nothing left of it once it is dropped.

mod death;
mod output;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

pub(crate) use death::Watched;
pub(crate) use output::{Output, Seen};

/// What is to be started.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<OsString>,
    pub(crate) directory: PathBuf,
    /// All of it; nothing is inherited beside it.
    pub(crate) environment: BTreeMap<OsString, OsString>,
    /// `/dev/null` without one.
    pub(crate) stdin: Option<OwnedFd>,
}

/// The system did not start it.
#[derive(Debug, thiserror::Error)]
#[error("{} was not started: {source}", .program.display())]
pub(crate) struct SpawnError {
    program: PathBuf,
    source: io::Error,
}

/// A process of its own group, which dies with this value.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    pid: Pid,
    watched: Watched,
    pub(crate) stdout: Output,
    pub(crate) stderr: Output,
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    Exit(i32),
    Signal(i32),
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exit(status) => write!(f, "ended with status {status}"),
            Self::Signal(signal) => write!(f, "was ended by signal {signal}"),
        }
    }
}

impl Process {
    /// Starts it; its output is read from now on. Must run on a runtime.
    pub(crate) fn spawn(order: Order) -> Result<Self, SpawnError> {
        let program = order.program.clone();
        start(order).map_err(|source| SpawnError { program, source })
    }

    /// How it ended, if it does within this time. It stays a zombie, so that its
    /// id, and its group's, remain its own.
    pub(crate) async fn ended(&self, within: Duration) -> Option<Ended> {
        tokio::time::timeout(within, self.end()).await.ok()
    }

    /// How it ended, if it has.
    pub(crate) fn has_ended(&self) -> Option<Ended> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        let status = waitid(WaitId::Pid(self.pid), options).ok().flatten()?;
        match (status.exit_status(), status.terminating_signal()) {
            (Some(status), _) => Some(Ended::Exit(status)),
            (None, Some(signal)) => Some(Ended::Signal(signal)),
            (None, None) => None,
        }
    }

    /// Sends a signal to this process alone. One that has ended takes none.
    pub(crate) fn signal(&self, signal: Signal) {
        self.watched.signal(signal);
    }

    async fn end(&self) -> Ended {
        self.watched.end().await;
        self.has_ended().expect("invariant: nobody else waits for a child of this process")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _nobody_left = kill_process_group(self.pid, Signal::KILL);
        // It was killed, so it ends at once.
        let _status = self.child.wait();
    }
}

/// The variables of this process that its children may inherit: what belongs
/// to the protocol never does.
pub(crate) fn inherited() -> BTreeMap<OsString, OsString> {
    let ours = |name: &OsStr| {
        let name = name.as_encoded_bytes();
        name.starts_with(b"PLUGIN_") || name.starts_with(b"OUTRIGGER")
    };
    std::env::vars_os().filter(|(name, _)| !ours(name)).collect()
}

#[expect(clippy::disallowed_methods, reason = "this is the place where the kit starts processes")]
fn start(order: Order) -> io::Result<Process> {
    let mut command = Command::new(&order.program);
    command.args(&order.arguments).current_dir(&order.directory);
    command.env_clear().envs(&order.environment).process_group(0);
    command.stdin(order.stdin.map_or_else(Stdio::null, Stdio::from));
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let pid = Pid::from_child(&child);
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let watched = || -> io::Result<_> {
        let watched = Watched::new(pid)?;
        let missing = || io::Error::other("a pipe is missing");
        let stdout = Output::read(stdout.ok_or_else(missing)?.into())?;
        let stderr = Output::read(stderr.ok_or_else(missing)?.into())?;
        Ok((watched, stdout, stderr))
    };
    match watched() {
        Ok((watched, stdout, stderr)) => Ok(Process { child, pid, watched, stdout, stderr }),
        Err(error) => {
            let _nobody_left = kill_process_group(pid, Signal::KILL);
            let _status = child.wait();
            Err(error)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);

    fn shell(script: &str) -> Process {
        let order = Order {
            program: "/bin/sh".into(),
            arguments: vec!["-c".into(), script.into()],
            directory: "/".into(),
            environment: inherited(),
            stdin: None,
        };
        Process::spawn(order).unwrap()
    }

    #[tokio::test]
    async fn output_and_end_of_a_process_are_seen() {
        let process = shell("echo out; echo err >&2; exit 3");
        assert_eq!(process.ended(PATIENCE).await, Some(Ended::Exit(3)));
        let all = |seen: &Seen| seen.ended.then(|| seen.bytes.clone());
        assert_eq!(process.stdout.wait_for(PATIENCE, all).await.unwrap(), b"out\n");
        assert_eq!(process.stderr.wait_for(PATIENCE, all).await.unwrap(), b"err\n");
    }

    #[tokio::test]
    async fn its_children_die_with_it() {
        let process = shell("/bin/sleep 600 & echo $!; wait");
        let started = |seen: &Seen| {
            let line = String::from_utf8_lossy(seen.bytes.strip_suffix(b"\n")?).into_owned();
            line.parse().ok().and_then(Pid::from_raw)
        };
        let child = process.stdout.wait_for(PATIENCE, started).await.unwrap();
        let child = Watched::new(child).unwrap();
        drop(process);
        tokio::time::timeout(PATIENCE, child.end()).await.unwrap();
    }

    #[tokio::test]
    async fn a_program_that_is_missing_is_named() {
        let order = Order {
            program: "/nowhere/plugin".into(),
            arguments: Vec::new(),
            directory: "/".into(),
            environment: BTreeMap::new(),
            stdin: None,
        };
        let error = Process::spawn(order).unwrap_err().to_string();
        assert!(error.starts_with("/nowhere/plugin was not started"), "{error}");
    }
}
