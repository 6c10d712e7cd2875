//! Our host in the interop matrix: hosts any plugin under GoQuorum's cookie by
//! `outrigger-transport` alone, takes steps with it, stops it, and reports.
//!
//! `outrigger-interop-host [-plain] [-mux] [-versions 1,2] [-steps LIST] [-large
//! BYTES] [-calls N] [-start SECONDS] PLUGIN [ARGS...]`
//!
//! It prints one JSON object, of the form that the Go host prints
//! (`crates/testkit/programs/go/README.md`), and exits with 0 if every step was
//! done, with 1 if one failed, and with 2 for a command line that it does not
//! understand.

use std::process::ExitCode;

mod host;
mod log;
mod options;
mod report;
mod steps;

use options::Options;

fn main() -> ExitCode {
    // Before any thread: this executable is its own launcher.
    outrigger::launcher_hook();
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(error) => return fail(2, &error),
    };
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let report = match runtime {
        Ok(runtime) => runtime.block_on(host::run(&options)),
        Err(error) => return fail(1, &error.to_string()),
    };
    print(&report.to_json());
    // Those who run it read the reason where every program tells it.
    for (step, why) in &report.failed {
        tell(&format!("{step}: {why}"));
    }
    if report.failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn fail(status: u8, error: &str) -> ExitCode {
    tell(error);
    ExitCode::from(status)
}

#[expect(clippy::print_stdout, reason = "the report is what this program is for")]
fn print(text: &str) {
    println!("{text}");
}

#[expect(clippy::print_stderr, reason = "a program says why it failed")]
fn tell(text: &str) {
    eprintln!("outrigger-interop-host: {text}");
}
