//! The `outrigger` command: hosts plugins, shows what that looks like, helps
//! to write them, checks, packs and signs them.
//!
//! Exit status: 0 when what was asked for was done, 1 when it was not, 2 for a
//! command line that cannot be understood. Results go to standard output,
//! everything else to standard error.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command prints")]

mod account;
mod admin;
mod check;
mod demo;
mod dev;
mod failure;
mod logging;
mod pack;
mod rpc;
mod run;
mod sign;
mod signals;
mod systemd;
mod tree;
mod versions;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::failure::Failure;

/// Host plugins that run as their own processes.
#[derive(Debug, Parser)]
#[command(name = "outrigger", version, about, after_help = AFTER_HELP)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Log lines go to standard error; OUTRIGGER_LOG=debug shows more of them (or any \
filter such as `warn,outrigger::plugin=debug`).";

#[derive(Debug, Subcommand)]
enum Command {
    /// Host the plugins of a settings file until Ctrl-C
    Run(run::Arguments),
    /// Show a plugin's whole life in a few seconds: pack, sign, verify, launch,
    /// call, reload, kill, recover
    Demo(demo::Arguments),
    /// Host a plugin from the folder where it is written, and rebuild and reload
    /// it on save
    Dev(dev::Arguments),
    /// Hold a plugin, or a host, in any language, to the rules of the wire protocol
    Check(check::Arguments),
    /// Make a distribution from a directory
    Pack(pack::Arguments),
    /// Sign a distribution, so that hosts can verify it
    Sign(sign::Arguments),
    /// Fetch a distribution into the base directory, and verify it
    Install(versions::install::Arguments),
    /// List the configured plugins, and the versions that are installed
    List(versions::list::Arguments),
    /// Change the version of a configured plugin, after showing what differs
    Upgrade(versions::upgrade::Arguments),
    /// Take back the latest upgrade of a plugin
    Rollback(versions::rollback::Arguments),
    /// Show the plugins of a running host
    Status(admin::status::Arguments),
    /// Replace a plugin's generation with what the settings ask for now
    Reload(admin::act::Reload),
    /// Start a plugin that is stopped or failed
    Start(admin::act::Start),
    /// Stop a plugin until somebody starts it
    Stop(admin::act::Stop),
    /// Show the last lines of a plugin's log
    Logs(admin::logs::Arguments),
    /// Show what happens to the plugins of a running host
    Events(admin::events::Arguments),
    /// Show the last deaths of a plugin
    Crashes(admin::crashes::Arguments),
    /// Disturb a plugin on purpose, on a host that allows it
    Chaos(admin::chaos::Arguments),
    /// List, make and import accounts with an account plugin
    Account(account::Arguments),
    /// Be the demo's plugin
    #[command(name = demo::PLUGIN_COMMAND, hide = true)]
    DemoPlugin,
}

fn main() -> ExitCode {
    // Before any thread: this executable is its own launcher.
    outrigger::launcher_hook();
    // Before any file is opened: it is also the plugin that hosts are checked with.
    if let Some(ended) = outrigger_conformance::host::fixture_hook() {
        return ended;
    }
    let outcome = match Cli::parse().command {
        Command::DemoPlugin => return demo::plugin(),
        Command::Run(arguments) => run::run(arguments),
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Dev(arguments) => dev::run(arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Pack(arguments) => pack::run(&arguments),
        Command::Sign(arguments) => sign::run(&arguments),
        Command::Install(arguments) => versions::install::run(&arguments),
        Command::List(arguments) => versions::list::run(&arguments),
        Command::Upgrade(arguments) => versions::upgrade::run(&arguments),
        Command::Status(arguments) => admin::status::run(&arguments),
        Command::Reload(arguments) => admin::act::reload(&arguments),
        Command::Start(arguments) => admin::act::start(&arguments),
        Command::Stop(arguments) => admin::act::stop(&arguments),
        Command::Logs(arguments) => admin::logs::run(&arguments),
        Command::Events(arguments) => admin::events::run(&arguments),
        Command::Crashes(arguments) => admin::crashes::run(&arguments),
        Command::Chaos(arguments) => admin::chaos::run(&arguments),
        Command::Account(arguments) => account::run(&arguments),
        Command::Rollback(arguments) => versions::rollback::run(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            failure.exit_code()
        }
    }
}

/// The runtime of commands that host plugins.
fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::failed("the runtime could not be started", &error))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_well_formed() {
        super::Cli::command().debug_assert();
    }
}
