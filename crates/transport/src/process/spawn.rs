//! Starting the process, through the launcher or, where there is none, directly.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use outrigger_launcher::{
    ARGV0, ByteString, ChannelError, Exec, Report, Spec, Stage, control_pair, recv_report,
    send_spec,
};
use outrigger_types::failpoint;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use tokio::net::unix::pipe::Receiver;
use tokio::sync::watch;

use super::direct;
use super::orphans::{self, Reaped};
use super::watch_task::{Owned, Owner, watch};
use super::{Launcher, Phase, Process};
use crate::environment::Variable;
use crate::error::{Evidence, LaunchError};
use crate::spec::Program;
use crate::stdio::Pipe;

/// Everything about a process that is to be started.
#[derive(Debug)]
pub(crate) struct Start {
    pub(crate) launcher: Option<Launcher>,
    pub(crate) program: Program,
    /// What errors call it.
    pub(crate) shown: PathBuf,
    pub(crate) name: String,
    pub(crate) arguments: Vec<String>,
    pub(crate) environment: Vec<Variable>,
    pub(crate) working_directory: PathBuf,
    /// For the launcher to take its orders and to report that it carried them out.
    pub(crate) limit: Duration,
}

impl Start {
    pub(super) fn not_executed(&self, source: io::Error) -> LaunchError {
        let evidence = Evidence { program: self.shown.clone(), ..Evidence::default() };
        LaunchError::Exec { source, evidence: evidence.into() }
    }
}

/// Starts the process and the task that owns it, on the current runtime.
pub(crate) async fn spawn(start: Start) -> Result<(Process, Pipe, Pipe), LaunchError> {
    // Spawning waits for an exec, which a dead network disk can hold up.
    let started = tokio::task::spawn_blocking(move || {
        orphans::reap();
        failpoint::io("launch.spawn").map_err(|source| {
            let program = start.shown.clone();
            LaunchError::Spawn { program, source }
        })?;
        match &start.launcher {
            Some(launcher) => through_launcher(launcher, &start),
            None => direct::spawn(&start),
        }
    });
    let started =
        started.await.map_err(|error| LaunchError::Launcher { reason: error.to_string() });
    let Started { pid, pidfd, stdout, stderr, owner } = started??;
    let adopt = |pipe| {
        let adopted = Receiver::from_owned_fd(pipe);
        adopted.map_err(|source| LaunchError::Spawn { program: PathBuf::from("pipe"), source })
    };
    let (stdout, stderr) = (adopt(stdout)?, adopt(stderr)?);
    let pidfd = Arc::new(pidfd);
    let (phase, phases) = watch::channel(Phase::Alive);
    let (kill, kills) = watch::channel(false);
    let owned = Owned { pid, pidfd: pidfd.clone(), owner };
    tokio::spawn(watch(owned, kills, phase));
    let process = Process { pid: Some(pid), pidfd: Some(pidfd), phase: phases, kill };
    Ok((process, Box::new(stdout), Box::new(stderr)))
}

/// A process that runs, and what holds it.
pub(super) struct Started {
    pub(super) pid: u32,
    pub(super) pidfd: OwnedFd,
    pub(super) stdout: OwnedFd,
    pub(super) stderr: OwnedFd,
    pub(super) owner: Owner,
}

/// A pipe whose read end never blocks, for the runtime.
pub(super) fn output_pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let (read, write) = pipe_with(PipeFlags::CLOEXEC)?;
    rustix::io::ioctl_fionbio(&read, true)?;
    Ok((read, write))
}

pub(super) fn pidfd_of(child: &std::process::Child) -> io::Result<OwnedFd> {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let pid = pid.ok_or_else(|| io::Error::other("the system gave no process id"))?;
    Ok(pidfd_open(pid, PidfdFlags::NONBLOCK)?)
}

#[expect(clippy::disallowed_methods, reason = "this is the place that starts processes")]
pub(super) fn command(program: &Path) -> Command {
    Command::new(program)
}

fn through_launcher(launcher: &Launcher, start: &Start) -> Result<Started, LaunchError> {
    let failed = |source| LaunchError::Spawn { program: launcher.path.clone(), source };
    let (control, far) = control_pair().map_err(failed)?;
    let (stdout, stdout_write) = output_pipe().map_err(failed)?;
    let (stderr, stderr_write) = output_pipe().map_err(failed)?;
    let mut command = command(&launcher.path);
    command.arg0(ARGV0).env_clear();
    command.stdin(Stdio::from(far)).stdout(stdout_write).stderr(stderr_write);
    let mut child = Reaped::new(command.spawn().map_err(failed)?);
    // The command holds the launcher's ends of socket and pipes.
    drop(command);

    let (spec, image) = spec(start);
    let broken = |error: ChannelError| LaunchError::Launcher { reason: error.to_string() };
    send_spec(&control, &spec, image, start.limit).map_err(broken)?;
    let (report, descriptor) = recv_report(&control, start.limit).map_err(broken)?;
    match (report, descriptor) {
        (Report::Started { pid }, Some(pidfd)) => {
            let launcher_pidfd = pidfd_of(child.child()).map_err(failed)?;
            let owner = Owner::Launcher { child, pidfd: launcher_pidfd, control };
            Ok(Started { pid, pidfd, stdout, stderr, owner })
        }
        (Report::ExecFailed { stage: Stage::Exec, errno }, _) => {
            Err(start.not_executed(io::Error::from_raw_os_error(errno)))
        }
        (Report::ExecFailed { stage, errno }, _) => {
            let source = io::Error::from_raw_os_error(errno);
            Err(LaunchError::Launcher { reason: format!("{stage}: {source}") })
        }
        (Report::Refused { message }, _) => Err(LaunchError::Launcher { reason: message }),
        (report, _) => {
            Err(LaunchError::Launcher { reason: format!("unexpected report {report:?}") })
        }
    }
}

fn spec(start: &Start) -> (Spec, Option<std::os::fd::BorrowedFd<'_>>) {
    use std::os::fd::AsFd as _;
    let (exec, image) = match &start.program {
        Program::Image(image) => (Exec::Memfd, Some(image.as_fd())),
        Program::Path(path) => (Exec::Path(path.as_path().into()), None),
    };
    let argv = std::iter::once(&start.name).chain(&start.arguments).map(String::as_str);
    let mut spec = Spec::new(exec, argv, start.working_directory.as_path());
    let text = |(name, value): &Variable| {
        (ByteString::from(name.as_os_str()), ByteString::from(value.as_os_str()))
    };
    spec.env = start.environment.iter().map(text).collect();
    (spec, image)
}
