//! The host's process: its output, its end, and its end by force.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, ChildStdin, Command};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout, timeout_at};

use super::subject::CheckError;

/// What is kept of the beginning and of the end of each output.
const KEPT: usize = 128 * 1024;

/// After the end, for the output's end.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// How the host ended.
#[derive(Debug)]
pub(crate) struct HostEnd {
    /// `None`: it was still running at its deadline.
    pub(crate) status: Option<ExitStatus>,
    /// From its start.
    pub(crate) after: Duration,
    /// What it printed to either output, shortened in the middle.
    pub(crate) output: String,
}

/// `O_CLOEXEC`, as `/proc` shows it.
const CLOSED_ON_EXEC: u32 = 0o2_000_000;

/// A host that runs.
pub(crate) struct Host {
    child: Child,
    /// Held, so that the host finds no end there.
    _stdin: Option<ChildStdin>,
    /// What the kernel calls its three standard streams.
    pub(crate) streams: [String; 3],
    /// Descriptors that it has of the kit's own, which were not made by the kit.
    pub(crate) inherited: Vec<String>,
    outputs: [JoinHandle<Vec<u8>>; 2],
}

impl Host {
    /// Starts it in a process group of its own.
    #[expect(clippy::disallowed_methods, reason = "the kit runs the host that it checks")]
    pub(crate) fn start(
        words: &[OsString],
        temporary: &Path,
        poison: &[(String, String)],
        cookie: &str,
    ) -> Result<Self, CheckError> {
        let (program, arguments) = words.split_first().ok_or(CheckError::NoCommand)?;
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            if name.as_encoded_bytes().starts_with(b"PLUGIN_") || name == cookie {
                command.env_remove(name);
            }
        }
        let spawned = command
            .args(arguments)
            .env("TMPDIR", temporary)
            .envs(poison.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn();
        let mut child = spawned
            .map_err(|source| CheckError::NotStarted { program: PathBuf::from(program), source })?;
        let (stdin, stdout, stderr) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let streams = [name(stdin.as_ref()), name(stdout.as_ref()), name(stderr.as_ref())];
        let outputs = [tokio::spawn(collect(stdout)), tokio::spawn(collect(stderr))];
        Ok(Self { child, _stdin: stdin, streams, inherited: inherited(), outputs })
    }

    /// Its process group, in which the plugins are, too, unless it does
    /// something about that.
    pub(crate) fn group(&self) -> Group {
        Group(self.child.id().and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?)))
    }

    /// Waits for its end until `deadline`; then it is killed.
    pub(crate) async fn end(mut self, start: Instant, deadline: Instant) -> HostEnd {
        let status = timeout_at(deadline, self.child.wait()).await;
        let after = start.elapsed();
        let status = match status {
            Ok(status) => status.ok(),
            Err(_) => {
                let _reaped = self.child.kill().await;
                None
            }
        };
        let mut output = String::new();
        for stream in self.outputs {
            let abort = stream.abort_handle();
            if let Ok(Ok(bytes)) = timeout(LAST_WORDS, stream).await {
                output.push_str(&String::from_utf8_lossy(&bytes));
            }
            abort.abort();
        }
        HostEnd { status, after, output }
    }
}

/// A host's process group; dropping it kills whoever is left in it.
pub(crate) struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            let _nobody_left = kill_process_group(group, Signal::KILL);
        }
    }
}

/// What every process that is started here gets: whoever started the kit left
/// it open for all.
fn inherited() -> Vec<String> {
    let numbers = std::fs::read_dir("/proc/self/fd").into_iter().flatten().flatten();
    let numbers = numbers.filter_map(|entry| entry.file_name().into_string().ok());
    let open_for_all = numbers.filter(|number| {
        let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{number}"));
        let info = info.unwrap_or_default();
        let flags = info.lines().find_map(|line| line.strip_prefix("flags:"));
        let flags = flags.and_then(|flags| u32::from_str_radix(flags.trim(), 8).ok());
        flags.is_some_and(|flags| flags & CLOSED_ON_EXEC == 0)
    });
    let targets = open_for_all
        .filter_map(|number| std::fs::read_link(format!("/proc/self/fd/{number}")).ok());
    targets.map(|target| target.to_string_lossy().into_owned()).collect()
}

/// Such as `pipe:[4711]`.
fn name(stream: Option<&impl std::os::fd::AsRawFd>) -> String {
    let link = stream.map(|stream| format!("/proc/self/fd/{}", stream.as_raw_fd()));
    let target = link.and_then(|link| std::fs::read_link(link).ok());
    target.map(|target| target.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Reads to the end; keeps the beginning and the end.
async fn collect(stream: Option<impl AsyncRead + Unpin>) -> Vec<u8> {
    let mut kept = Vec::new();
    let Some(mut stream) = stream else { return kept };
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(read @ 1..) = stream.read(&mut buffer).await {
        kept.extend_from_slice(&buffer[..read]);
        if kept.len() > 3 * KEPT {
            kept.drain(KEPT..kept.len() - KEPT);
        }
    }
    kept
}
