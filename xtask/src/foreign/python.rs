//! The Python side of the interop matrix: a plugin on grpcio, and a host on
//! PyPI's python-plugin.

use std::path::Path;

use super::{Foreign, PYTHON as INSTALL, run};
use crate::command::{command, repository};

pub(super) const PYTHON: [Foreign; 2] = [
    python("interop-python", |target| program("python", target)),
    python("python-plugin-host", |target| program("python-plugin-host", target)),
];

const fn python(name: &'static str, build: fn(&Path) -> Result<(), String>) -> Foreign {
    Foreign { name, tool: "python3", version: "--version", install: INSTALL, build, fetched: false }
}

/// The executable is a file, what it needs in a directory beside it.
fn program(directory: &str, target: &Path) -> Result<(), String> {
    let directory = repository().join("crates/testkit/programs").join(directory);
    let what = format!("build {}", target.display());
    run(&what, command(directory.join("build.sh"), &directory).arg(target))
}
