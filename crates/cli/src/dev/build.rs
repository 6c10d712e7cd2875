//! Running the build command.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::plan::Plan;
use super::show::Show;

/// From SIGTERM to SIGKILL.
const PATIENCE: Duration = Duration::from_secs(2);

/// For output that is still in the pipes once the command has ended.
const PIPE_GRACE: Duration = Duration::from_millis(200);

/// A longer line is shown in pieces, bytes.
const LONGEST_LINE: usize = 4_096;

/// What became of a build.
#[derive(Debug)]
pub(super) enum Built {
    /// The command succeeded, in this time.
    Yes(Duration),
    /// It did not, and why; what it printed was shown.
    No(String),
    /// It was ended, because everything ends.
    Stopped,
}

/// Runs the command in the folder and shows what it prints. It and all that is
/// in its process group have ended when this returns, or once it is dropped.
pub(super) async fn build(plan: &Plan, show: &Arc<Show>, stop: &CancellationToken) -> Built {
    let started = Instant::now();
    let mut running = match Running::start(plan, show) {
        Ok(running) => running,
        Err(error) => {
            let program = plan.build.first().map(|program| program.display().to_string());
            let program = program.unwrap_or_default();
            return Built::No(format!("`{program}` could not be started: {error}"));
        }
    };
    let limit = plan.build_limit;
    let reason = tokio::select! {
        biased;
        _ = running.ended() => None,
        () = stop.cancelled() => Some(Built::Stopped),
        () = tokio::time::sleep(limit) => {
            let reason = format!("it took longer than {limit:?}; raise --build-timeout");
            Some(Built::No(reason))
        }
    };
    match (running.finish(reason.is_some()).await, reason) {
        (_, Some(reason)) => reason,
        (Ok(status), None) if status.success() => Built::Yes(started.elapsed()),
        (Ok(status), None) => Built::No(status.to_string()),
        (Err(error), None) => Built::No(error.to_string()),
    }
}

struct Running {
    child: Child,
    /// Until the child is reaped.
    group: Option<Group>,
    exit: watch::Receiver<bool>,
    printers: [AbortOnDropHandle<()>; 2],
}

/// A process group of the build's own, so that it can be ended whole.
struct Group(Pid);

impl Drop for Group {
    fn drop(&mut self) {
        // The leader is not reaped yet, so the number is still its own.
        let _gone = kill_process_group(self.0, Signal::KILL);
    }
}

impl Running {
    #[expect(clippy::disallowed_methods, reason = "a build is no plugin, and this is no node")]
    fn start(plan: &Plan, show: &Arc<Show>) -> io::Result<Self> {
        let nothing = || io::Error::new(io::ErrorKind::InvalidInput, "no command");
        let (program, arguments) = plan.build.split_first().ok_or_else(nothing)?;
        // With a slash in it, it is looked for in the folder, not where this
        // command was called.
        let program = if program.as_encoded_bytes().contains(&b'/') {
            plan.directory.join(program).into_os_string()
        } else {
            program.clone()
        };
        let mut child = Command::new(program)
            .args(arguments)
            .current_dir(&plan.directory)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()?;
        let pid = child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
        let pid = pid.ok_or_else(|| io::Error::other("it has no process number"))?;
        let group = Group(pid);
        let exit = watch_exit(pid);
        let printers = [
            printer(child.stdout.take(), show.clone()),
            printer(child.stderr.take(), show.clone()),
        ];
        Ok(Self { child, group: Some(group), exit, printers })
    }

    /// Waits for the command's end, and leaves it to be reaped.
    async fn ended(&self) {
        // What cannot be watched is found out by reaping it.
        let mut exit = self.exit.clone();
        let _unwatched = exit.wait_for(|ended| *ended).await;
    }

    async fn finish(&mut self, early: bool) -> io::Result<ExitStatus> {
        if early && let Some(Group(pid)) = &self.group {
            let _gone = kill_process_group(*pid, Signal::TERM);
            let _impatient = timeout(PATIENCE, self.ended()).await;
        }
        drop(self.group.take());
        self.ended().await;
        for printer in &mut self.printers {
            // A process outside of the group may hold the pipe for ever.
            let _held = timeout(PIPE_GRACE, printer).await;
        }
        self.child.wait().await
    }
}

/// Tells when a child has ended, without reaping it: until then nobody else
/// gets its number, and its group can be ended by it.
fn watch_exit(pid: Pid) -> watch::Receiver<bool> {
    let (ended, exit) = watch::channel(false);
    tokio::task::spawn_blocking(move || {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        while matches!(waitid(WaitId::Pid(pid), options), Err(Errno::INTR)) {}
        ended.send_replace(true);
    });
    exit
}

fn printer(
    pipe: Option<impl AsyncRead + Send + Unpin + 'static>,
    show: Arc<Show>,
) -> AbortOnDropHandle<()> {
    AbortOnDropHandle::new(tokio::spawn(async move {
        let Some(mut pipe) = pipe else { return };
        let (mut line, mut buffer) = (Vec::new(), [0; 4_096]);
        while let Ok(read @ 1..) = pipe.read(&mut buffer).await {
            for &byte in &buffer[..read] {
                if byte != b'\n' {
                    line.push(byte);
                }
                if byte == b'\n' || line.len() == LONGEST_LINE {
                    show.build_line(&line);
                    line.clear();
                }
            }
        }
        if !line.is_empty() {
            show.build_line(&line);
        }
    }))
}
