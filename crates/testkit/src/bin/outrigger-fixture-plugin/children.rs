//! Children that outlive the plugin.
#![expect(clippy::disallowed_methods, reason = "a plugin that starts processes is the scenario")]

use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode, Stdio};

use crate::hello::{Hello, Init, Quirk};

/// Longer than any test, and short enough for one that was forgotten.
const SECONDS: &str = "600";

pub(crate) fn same_session() -> ExitCode {
    run(Command::new("sleep").arg(SECONDS))
}

pub(crate) fn own_session() -> ExitCode {
    run(Command::new("setsid").args(["sleep", SECONDS]))
}

/// Becomes another program; returns only if that cannot be.
pub(crate) fn exec() -> io::Error {
    Command::new("sleep").arg(SECONDS).exec()
}

#[expect(clippy::zombie_processes, reason = "the child is to be left behind")]
fn run(command: &mut Command) -> ExitCode {
    // Standard error stays the plugin's.
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn();
    let child = child.expect("a fixture can start `sleep`");
    Hello::new(Quirk::None, Init::Normal).with_grandchild(child.id()).plugin().run()
}
