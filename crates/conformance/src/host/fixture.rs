//! The plugin that the kit presents to a host: the `outrigger` executable
//! itself, started through a script that holds its [`Orders`]. It does what its
//! plan says and tells the kit what it sees.

mod identity;
mod line;
mod listen;
mod reporter;
mod serve;
mod signals;
mod state;
mod writes;

use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use super::fact::{Fact, Started};
use super::plan::{Orders, Plan, Start};
use identity::Identity;
use listen::Bound;
use reporter::Reporter;
use state::{Fixture, Setup};

/// The hidden subcommand of `outrigger` under which it is the fixture.
pub const FIXTURE_COMMAND: &str = "check-fixture";

/// To be called first in `main`, before any thread and before any file is
/// opened, since it tells the kit what a host left open. If this process was
/// started as a fixture plugin, it is that until its end, whose status comes
/// back; `None` otherwise.
#[must_use]
pub fn fixture_hook() -> Option<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    let asked = arguments.next().is_some_and(|first| first == FIXTURE_COMMAND);
    let script = arguments.next().filter(|_| asked)?;
    Some(fixture_plugin(Path::new(&script)))
}

fn fixture_plugin(script: &Path) -> ExitCode {
    let started = started();
    let orders = match orders(script) {
        Ok(orders) => orders,
        Err(error) => return complain(&error),
    };
    let reporter = match Reporter::connect(&orders.control) {
        Ok(reporter) => reporter,
        Err(error) => return complain(&error),
    };
    reporter.tell(&Fact::Started(started.clone()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let ran = match runtime {
        Ok(runtime) => runtime.block_on(run(orders.plan, started, reporter.clone())),
        Err(error) => Err(error),
    };
    if let Err(error) = &ran {
        reporter.tell(&Fact::Broken { why: error.to_string() });
    }
    ran.unwrap_or(ExitCode::FAILURE)
}

/// What the host handed over, before anything else is opened.
fn started() -> Started {
    let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
    let environment = std::env::vars_os().map(|(name, value)| (text(name), text(value))).collect();
    let of_this_process = format!("/proc/{}/fd", std::process::id());
    let descriptors = std::fs::read_dir("/proc/self/fd").into_iter().flatten().flatten();
    let descriptors = descriptors.filter_map(|entry| {
        let number = entry.file_name().to_str()?.parse().ok()?;
        let target = std::fs::read_link(entry.path()).ok()?;
        Some((number, target.to_string_lossy().into_owned()))
    });
    // The directory that is being read is open, too.
    let descriptors = descriptors.filter(|(_, target)| *target != of_this_process).collect();
    Started { environment, descriptors }
}

/// The orders stand in the script's last line.
fn orders(script: &Path) -> io::Result<Orders> {
    let text = std::fs::read_to_string(script)?;
    let last = text.lines().next_back().unwrap_or_default();
    Ok(serde_json::from_str(last)?)
}

fn complain(error: &io::Error) -> ExitCode {
    let _unread = writeln!(io::stderr(), "this is a plugin of a conformance check: {error}");
    ExitCode::FAILURE
}

async fn run(plan: Plan, started: Started, reporter: Reporter) -> io::Result<ExitCode> {
    signals::note(&reporter, plan.end)?;
    match &plan.start {
        Start::Serve => {}
        Start::Exit(status, word) => {
            let _unread = writeln!(io::stderr(), "{word}");
            reporter.tell(&Fact::Ending { why: "the plan says so".to_owned() });
            return Ok(ExitCode::from(*status));
        }
        Start::Silence => return std::future::pending().await,
        Start::CloseStdout => {
            writes::close_stdout()?;
            return std::future::pending().await;
        }
        Start::Flood => {
            writes::flood();
            return std::future::pending().await;
        }
    }
    let identity = Identity::of(&plan.tls, started.variable("PLUGIN_CLIENT_CERT"))?;
    let bound = Bound::new(plan.listen, &started)?;
    let version = line::version(&plan.line, started.variable("PLUGIN_PROTOCOL_VERSIONS"));
    let line = line::compose(&plan, version, &bound, &identity);
    let setup = Setup { plan, reporter, identity, bound, started };
    let fixture = Fixture::new(setup);
    if fixture.plan().grandchild {
        fixture.tell(&Fact::Grandchild { pid: writes::grandchild()? });
    }
    fixture.tell(&Fact::Listening { socket: fixture.socket() });
    line::print(&line)?;
    fixture.tell(&Fact::Printed);
    if fixture.plan().line.close {
        writes::close_stdout()?;
    }
    writes::begin(&fixture);
    serve::accept(fixture).await;
    std::future::pending().await
}
