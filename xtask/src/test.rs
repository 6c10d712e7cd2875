//! `cargo xtask test`.

use std::process::Command;

use clap::Args;

use crate::command::{self, command, repository};
use crate::foreign;

/// Makes a missing tool a failure.
const STRICT: &str = "OUTRIGGER_STRICT";

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Arguments for `cargo test`, such as `-p outrigger-core` or a test's name
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), String> {
    // Tests of one package start programs of another, which cargo builds only
    // when it is asked to.
    run_cargo(
        "build all programs",
        &["build", "--locked", "--workspace", "--bins", "--examples"],
        &[],
    )?;
    let skipped = foreign::build(strict())?;
    let chosen = arguments.rest.iter().any(|argument| {
        matches!(argument.as_str(), "-p" | "--package") || argument.starts_with("--package=")
    });
    let test: &[&str] =
        if chosen { &["test", "--locked"] } else { &["test", "--locked", "--workspace"] };
    let mut tested = run_cargo("run all tests", test, &arguments.rest);
    if arguments.rest.is_empty() && tested.is_ok() {
        let arguments = ["test", "--locked", "-p", "outrigger-testkit", "--features", "failpoints"];
        let arguments = [arguments.as_slice(), &["--test", "failpoints"]].concat();
        tested = run_cargo("have each step fail", &arguments, &[]);
    }
    for line in &skipped {
        println!("skipped: {line}");
    }
    tested
}

/// What `run` does for programs in other languages.
pub(crate) fn foreign() -> Result<(), String> {
    for line in foreign::build(strict())? {
        println!("skipped: {line}");
    }
    Ok(())
}

fn strict() -> bool {
    std::env::var(STRICT).is_ok_and(|value| value == "1")
}

fn run_cargo(what: &str, arguments: &[&str], rest: &[String]) -> Result<(), String> {
    // The toolchain that runs this chore, whatever is first on PATH.
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut cargo: Command = command(cargo, &repository());
    command::run(what, cargo.args(arguments).args(rest))
}
