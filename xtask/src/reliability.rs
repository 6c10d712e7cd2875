//! `cargo xtask reliability`: what supervision and reload promise, measured.

use std::process::Command;

use clap::Args;

use crate::command::{self, command, repository};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Which figures to measure: cycles, detect, recover, hang, reload, bad-reload,
    /// inflight, orphans, stop, flood, bystander, neighbours, soak
    #[arg(value_name = "NAME", required_unless_present = "all")]
    names: Vec<String>,
    /// Measure them all
    #[arg(long, conflicts_with = "names")]
    all: bool,
    /// The form that CI runs: fewer rounds, smaller floods, two minutes of soak
    #[arg(long)]
    short: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), String> {
    let given =
        [("--all", arguments.all), ("--short", arguments.short), ("--json", arguments.json)];
    let flags = given.iter().filter(|(_, given)| *given).map(|(flag, _)| *flag);
    measure(&arguments.names.iter().map(String::as_str).chain(flags).collect::<Vec<_>>())
}

/// Builds in release, and has the program measure.
pub(crate) fn measure(arguments: &[&str]) -> Result<(), String> {
    // The toolchain that runs this chore, whatever is first on PATH.
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build: Command = command(cargo, &repository());
    build.args(["build", "--locked", "--release", "--bins"]);
    for package in ["outrigger-testkit", "outrigger-launcher", "outrigger-cli"] {
        build.args(["-p", package]);
    }
    let built = build.status().map_err(|error| format!("cargo: {error}"))?;
    if !built.success() {
        return Err(format!("the build failed ({built})"));
    }
    let program = repository().join("target/release/outrigger-reliability");
    let measured = command(program, &repository()).args(arguments).status();
    let measured = measured.map_err(|error| format!("outrigger-reliability: {error}"))?;
    command::passed(measured, "a figure does not hold")
}
