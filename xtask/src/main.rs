//! The repository's chores, in Rust: `cargo xtask test` builds everything that
//! tests start and runs them all.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command prints")]

mod bench;
mod command;
mod embedding;
mod features;
mod foreign;
mod reliability;
mod screenshots;
mod test;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The repository's chores.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Debug, Subcommand)]
enum Chore {
    /// Build all programs that tests start, then run every test
    ///
    /// Programs in languages whose tools are missing are named and left out;
    /// with OUTRIGGER_STRICT=1 that is a failure.
    Test(test::Arguments),
    /// Measure what supervision and reload promise, against their bounds
    ///
    /// Builds in release, and measures each figure in a process of its own. Exits
    /// with 1 where a bound does not hold. The Go plugin's figures need `cargo
    /// xtask foreign` first.
    Reliability(reliability::Arguments),
    /// Measure what seeing and steering a host costs, against its bounds
    ///
    /// Builds in release, and measures each figure in a process of its own. Exits
    /// with 1 where a bound does not hold.
    Bench(bench::Arguments),
    /// Make the pictures of the dashboard in docs/images anew
    ///
    /// Takes eleven minutes: its charts show ten. Needs Chromium, and the browser
    /// program that `cargo xtask foreign` builds.
    Screenshots(screenshots::Arguments),
    /// Count and weigh what embedding the host adds to a node, against bounds
    ///
    /// Builds the smallest node in release, with and without a host. Exits with 1
    /// where a bound does not hold.
    Embedding(embedding::Arguments),
    /// Check the facade with none of its features and with each of them alone
    Features,
    /// Build the programs in other languages alone, to target/outrigger-fixtures
    Foreign,
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().chore {
        Chore::Test(arguments) => test::run(&arguments),
        Chore::Reliability(arguments) => reliability::run(&arguments),
        Chore::Bench(arguments) => bench::run(&arguments),
        Chore::Screenshots(arguments) => screenshots::run(&arguments),
        Chore::Embedding(arguments) => embedding::run(&arguments),
        Chore::Features => features::run(),
        Chore::Foreign => test::foreign(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
