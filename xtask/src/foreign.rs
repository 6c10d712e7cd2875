//! Programs in other languages, built for the tests.

mod debian;
mod interop;
mod jvm_node;
mod python;
mod quorum;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::command::{command, exists, repository, run_within};

/// What one build may take, with everything that it fetches.
const LIMIT: Duration = Duration::from_secs(600);

/// A program and the tool that builds it.
struct Foreign {
    /// The name of what is built, beneath `target/outrigger-fixtures`.
    name: &'static str,
    tool: &'static str,
    version: &'static str,
    /// How to get the tool on Debian.
    install: &'static str,
    build: fn(&Path) -> Result<(), String>,
    /// Whether it is fetched rather than built, so that without a network it is
    /// missing as it is without its tool.
    fetched: bool,
}

const GO: &str = "install Go 1.26 or newer";
const PYTHON: &str = "apt-get install python3 python3-pip";

const FOREIGN: [Foreign; 3] = [
    Foreign {
        name: "hello-go",
        tool: "go",
        version: "version",
        install: GO,
        build: |target| script("go", target),
        fetched: false,
    },
    Foreign {
        name: "gohost",
        tool: "go",
        version: "version",
        install: GO,
        build: |target| {
            let directory = repository().join("examples/hosts/go");
            let mut build = command("go", &directory);
            run("build the Go host", build.args(["build", "-trimpath", "-o"]).arg(target).arg("."))
        },
        fetched: false,
    },
    Foreign {
        name: "hello-python",
        tool: "python3",
        version: "--version",
        install: PYTHON,
        build: |target| script("python", target),
        fetched: false,
    },
];

fn script(language: &str, target: &Path) -> Result<(), String> {
    let directory = repository().join("examples/plugins").join(language);
    let what = format!("build the {language} plugin");
    run(&what, command(directory.join("build.sh"), &directory).arg(target))
}

/// A program of the testkit's: most are a file, with what it needs in a
/// directory beside it.
fn program(language: &str, target: &Path) -> Result<(), String> {
    let directory = repository().join("crates/testkit/programs").join(language);
    let what = format!("build {}", target.display());
    run(&what, command(directory.join("build.sh"), &directory).arg(target))
}

/// Runs a part of a build, within its limit.
fn run(what: &str, command: &mut Command) -> Result<(), String> {
    run_within(LIMIT, what, command)
}

/// Builds them all into `target/outrigger-fixtures`; gives the lines that say
/// what was left out.
pub(crate) fn build(strict: bool) -> Result<Vec<String>, String> {
    let directory = repository().join("target/outrigger-fixtures");
    fs::create_dir_all(&directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    let mut skipped = Vec::new();
    let all = FOREIGN.iter().chain(&interop::INTEROP).chain(&python::PYTHON);
    let all = all.chain(&jvm_node::JVM_NODE).chain(&quorum::QUORUM);
    for foreign in all.chain([&debian::CROWDSEC]) {
        let target = directory.join(foreign.name);
        remove(&target)?;
        let missing = if !exists(foreign.tool, foreign.version) {
            let Foreign { name, tool, install, .. } = foreign;
            format!("{tool} is missing, so {name} is; {install}")
        } else {
            match (foreign.build)(&target) {
                Ok(()) => continue,
                Err(error) if foreign.fetched => format!("{} is missing: {error}", foreign.name),
                Err(error) => return Err(error),
            }
        };
        if strict {
            return Err(missing);
        }
        skipped.push(missing);
    }
    Ok(skipped)
}

/// What an earlier run built must not stand in for what cannot be built now.
fn remove(path: &Path) -> Result<(), String> {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(format!("{}: {error}", path.display()))
        }
        _ => Ok(()),
    }
}
