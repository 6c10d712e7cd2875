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
    let mut measure = command(program, &repository());
    measure.args(&arguments.names);
    for (flag, given) in
        [("--all", arguments.all), ("--short", arguments.short), ("--json", arguments.json)]
    {
        if given {
            measure.arg(flag);
        }
    }
    let measured = measure.status().map_err(|error| format!("outrigger-reliability: {error}"))?;
    command::passed(measured, "a figure does not hold")
}
