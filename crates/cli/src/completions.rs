//! `outrigger completions` and `outrigger man`: what shells and readers of manuals
//! want, from the command line itself.

use std::path::PathBuf;

use clap::{Args, Command};
use clap_complete::Shell;

use crate::failure::Failure;

/// Print a shell's completions.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The shell
    shell: Shell,
}

/// Write manual pages.
#[derive(Debug, Args)]
pub(crate) struct Man {
    /// A directory that is there, such as /usr/local/share/man/man1
    directory: PathBuf,
}

#[expect(clippy::unnecessary_wraps, reason = "commands are run alike")]
pub(crate) fn run(arguments: &Arguments, mut command: Command) -> Result<(), Failure> {
    clap_complete::generate(arguments.shell, &mut command, "outrigger", &mut std::io::stdout());
    Ok(())
}

pub(crate) fn man(arguments: &Man, command: Command) -> Result<(), Failure> {
    let directory = &arguments.directory;
    clap_mangen::generate_to(command, directory).map_err(|error| {
        Failure::failed(
            &format!("manual pages cannot be written to {}", directory.display()),
            &error,
        )
    })
}
