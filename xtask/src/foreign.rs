//! Programs in other languages, built for the tests.

mod interop;

use std::fs;
use std::path::Path;

use crate::command::{command, exists, repository, run};

/// A program and the tool that builds it.
struct Foreign {
    /// The name of what is built, beneath `target/outrigger-fixtures`.
    name: &'static str,
    tool: &'static str,
    version: &'static str,
    /// How to get the tool on Debian.
    install: &'static str,
    build: fn(&Path) -> Result<(), String>,
}

const FOREIGN: [Foreign; 3] = [
    Foreign {
        name: "hello-go",
        tool: "go",
        version: "version",
        install: "install Go 1.26 or newer",
        build: |target| script("go", target),
    },
    Foreign {
        name: "gohost",
        tool: "go",
        version: "version",
        install: "install Go 1.26 or newer",
        build: |target| {
            let directory = repository().join("examples/hosts/go");
            let mut build = command("go", &directory);
            run("build the Go host", build.args(["build", "-trimpath", "-o"]).arg(target).arg("."))
        },
    },
    Foreign {
        name: "hello-python",
        tool: "python3",
        version: "--version",
        install: "apt-get install python3 python3-pip",
        build: |target| script("python", target),
    },
];

fn script(language: &str, target: &Path) -> Result<(), String> {
    let directory = repository().join("examples/plugins").join(language);
    let what = format!("build the {language} plugin");
    run(&what, command(directory.join("build.sh"), &directory).arg(target))
}

/// Builds them all into `target/outrigger-fixtures`; gives the lines that say
/// what was left out.
pub(crate) fn build(strict: bool) -> Result<Vec<String>, String> {
    let directory = repository().join("target/outrigger-fixtures");
    fs::create_dir_all(&directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    let mut skipped = Vec::new();
    for foreign in FOREIGN.iter().chain(&interop::INTEROP) {
        let target = directory.join(foreign.name);
        remove(&target)?;
        if exists(foreign.tool, foreign.version) {
            (foreign.build)(&target)?;
            continue;
        }
        let line =
            format!("{} is missing, so {} is; {}", foreign.tool, foreign.name, foreign.install);
        if strict {
            return Err(line);
        }
        skipped.push(line);
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
