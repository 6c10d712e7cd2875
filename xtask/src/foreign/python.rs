//! The Python side of the interop matrix: a plugin on grpcio, and a host on
//! PyPI's python-plugin.

use std::path::Path;

use super::{Foreign, PYTHON as INSTALL, program};

pub(super) const PYTHON: [Foreign; 2] = [
    python("interop-python", |target| program("python", target)),
    python("python-plugin-host", |target| program("python-plugin-host", target)),
];

const fn python(name: &'static str, build: fn(&Path) -> Result<(), String>) -> Foreign {
    Foreign { name, tool: "python3", version: "--version", install: INSTALL, build, fetched: false }
}
