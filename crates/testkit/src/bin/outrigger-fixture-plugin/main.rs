//! A plugin that does what it is told to do wrong.
//!
//! `outrigger-fixture-plugin SCENARIO [N]`: N is the scenario's number where it
//! has one (milliseconds, a count, an exit code), or comes from the variable
//! `FIXTURE_N`. `--list` prints the scenarios, one a line.
//!
//! Every scenario ends with its host, except where staying is the point. The
//! scenarios that answer a greeting also answer these: `pid`, `fds`,
//! `env:NAME`, `log:TEXT` (logs it), `grandchild` (its process id). They serve the probe too
//! (`outrigger_testkit::probe`).

use std::io::{self, Write as _};
use std::process::ExitCode;

use outrigger_sdk::HostWatch;

mod children;
mod floods;
mod hello;
mod lines;
mod measured;
mod peers;
mod scenarios;
mod services;

use scenarios::{SCENARIOS, Scenario};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().unwrap_or_default();
    let number = arguments.next().or_else(|| std::env::var("FIXTURE_N").ok());
    if name == "--list" {
        return list();
    }
    let Some(scenario) = SCENARIOS.iter().find(|scenario| scenario.name == name) else {
        let _unread = writeln!(io::stderr(), "no scenario `{name}`; --list names them");
        return ExitCode::from(2);
    };
    let number = match number.map(|text| text.parse::<u64>()) {
        None => scenario.number,
        Some(Ok(number)) => number,
        Some(Err(error)) => {
            let _unread = writeln!(io::stderr(), "{error}: N is a number");
            return ExitCode::from(2);
        }
    };
    let _ends_with_host = HostWatch::start();
    (scenario.run)(number)
}

fn list() -> ExitCode {
    let mut text = String::new();
    for Scenario { name, about, .. } in SCENARIOS {
        text.push_str(&format!("{name:24} {about}\n"));
    }
    match io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
