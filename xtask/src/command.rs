//! Running programs and finding them.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
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
