//! Running programs and finding them.

use std::ffi::OsStr;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// A program, in a directory.
#[expect(clippy::disallowed_methods, reason = "chores start programs")]
pub(crate) fn command(program: impl AsRef<OsStr>, directory: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(directory).stdin(Stdio::null());
    command
}

/// Runs a command to its end and shows what it took.
pub(crate) fn run(what: &str, command: &mut Command) -> Result<(), String> {
    println!("== {what}");
    let clock = Clock::start();
    let status = command.status().map_err(|error| format!("{what}: {error}"))?;
    println!("== {what}: {:.1} s", clock.elapsed().as_secs_f64());
    if status.success() { Ok(()) } else { Err(format!("{what} failed ({status})")) }
}

/// Whether a command came to a good end.
pub(crate) fn passed(status: std::process::ExitStatus, otherwise: &str) -> Result<(), String> {
    if status.success() { Ok(()) } else { Err(format!("{otherwise} ({status})")) }
}

/// As `run`; what takes longer is killed, with what it started.
pub(crate) fn run_within(limit: Duration, what: &str, command: &mut Command) -> Result<(), String> {
    println!("== {what}");
    let clock = Clock::start();
    let mut child = command.process_group(0).spawn().map_err(|error| format!("{what}: {error}"))?;
    let group = child.id();
    let (sender, ended) = mpsc::channel();
    // Ends with the child, which the limit below ends at the latest.
    thread::spawn(move || sender.send(child.wait()));
    let Ok(status) = ended.recv_timeout(limit) else {
        let _ = self::command("kill", Path::new("/"))
            .args(["-KILL", "--"])
            .arg(format!("-{group}"))
            .status();
        return Err(format!("{what} took more than {} s, and was killed", limit.as_secs()));
    };
    println!("== {what}: {:.1} s", clock.elapsed().as_secs_f64());
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{what} failed ({status})")),
        Err(error) => Err(format!("{what}: {error}")),
    }
}

/// Whether a program answers when it is asked for its version.
pub(crate) fn exists(program: &str, argument: &str) -> bool {
    let mut command = command(program, Path::new("/"));
    let asked = command.arg(argument).stdout(Stdio::null()).stderr(Stdio::null());
    asked.status().is_ok_and(|status| status.success())
}

/// The repository.
pub(crate) fn repository() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest).to_owned()
}

struct Clock(std::time::Instant);

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "there is no runtime here to pause")]
    fn start() -> Self {
        Self(std::time::Instant::now())
    }

    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}
