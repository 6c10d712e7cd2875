//! The `outrigger` command: hosts plugins, shows what that looks like, helps
//! to write them, checks, packs and signs them.
//!
//! Exit status: 0 when what was asked for was done, 1 when it was not, 2 for a
//! command line that cannot be understood; of commands that talk to a host, 3 when
//! none answers, 4 when it refuses, 5 when it has no such instance (`docs/cli.md`).
//! Results go to standard output, everything else to standard error.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command prints")]

mod account;
mod admin;
mod check;
mod completions;
mod demo;
mod dev;
mod doctor;
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

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

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
    /// Say why something is wrong on this machine, and what to do
    Doctor(doctor::Arguments),
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
    /// Call a method of a plugin, with a request in JSON
    Call(admin::call::Arguments),
    /// Print a shell's completions
    Completions(completions::Arguments),
    /// Write manual pages
    Man(completions::Man),
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
        Command::Doctor(arguments) => doctor::run(&arguments),
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
        Command::Call(arguments) => admin::call::run(&arguments),
        Command::Completions(arguments) => completions::run(&arguments, Cli::command()),
        Command::Man(arguments) => completions::man(&arguments, Cli::command()),
        Command::Account(arguments) => account::run(&arguments),
        Command::Rollback(arguments) => versions::rollback::run(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if wants_json(std::env::args_os().skip(1)) {
                eprintln!("{}", failure.to_json());
            } else {
                eprintln!("error: {failure}");
            }
            failure.exit_code()
        }
    }
}

/// Whether errors are for a program: where results, or log lines, are JSON. What comes
/// after `--` is another program's.
fn wants_json(arguments: impl Iterator<Item = OsString>) -> bool {
    let ours: Vec<OsString> = arguments.take_while(|argument| argument != "--").collect();
    let pair = |pair: &[OsString]| pair[0] == "--log-format" && pair[1] == "json";
    ours.iter().any(|argument| argument == "--json" || argument == "--log-format=json")
        || ours.windows(2).any(pair)
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

    #[test]
    fn whoever_follows_events_as_they_follow_logs_is_understood() {
        for line in ["outrigger events -f", "outrigger logs helloworld -f"] {
            super::Cli::command().try_get_matches_from(line.split(' ')).unwrap();
        }
    }

    #[test]
    fn the_page_on_the_command_names_every_subcommand_and_exit_status() {
        let page = include_str!("../../../docs/cli.md");
        let command = super::Cli::command();
        let names = command.get_subcommands().filter(|command| !command.is_hide_set());
        let absent: Vec<&str> = names
            .map(clap::Command::get_name)
            .filter(|name| !page.contains(&format!("| `{name}")))
            .collect();
        assert!(absent.is_empty(), "docs/cli.md does not name {absent:?}");
        for kind in ["failed", "usage", "no-host", "refused", "no-instance"] {
            assert!(page.contains(&format!("`{kind}`")), "docs/cli.md does not name {kind}");
        }
    }

    #[test]
    fn errors_are_json_where_results_or_log_lines_are() {
        for (line, expected) in [
            ("status --json", true),
            ("run --log-format json", true),
            ("run --log-format=json", true),
            ("run --log-format human", false),
            ("status", false),
            ("check --host -- host --json", false),
        ] {
            assert_eq!(super::wants_json(line.split(' ').map(Into::into)), expected, "{line}");
        }
    }
}
