//! The other side of the interop matrix: one Go program, at each release of
//! go-plugin that the matrix names.

use std::path::Path;

use super::{Foreign, GO, run};
use crate::command::{command, repository};

pub(super) const INTEROP: [Foreign; 4] = [
    go("interop-go-1.0.1", |target| interop("1.0.1", target)),
    go("interop-go-1.4.4", |target| interop("1.4.4", target)),
    go("interop-go-1.6.3", |target| interop("1.6.3", target)),
    go("interop-go-1.8.0", |target| interop("1.8.0", target)),
];

const fn go(name: &'static str, build: fn(&Path) -> Result<(), String>) -> Foreign {
    Foreign { name, tool: "go", version: "version", install: GO, build, fetched: false }
}

/// Go keeps what it built in its cache, so the second build of a release takes
/// no time.
fn interop(release: &str, target: &Path) -> Result<(), String> {
    let directory = repository().join("crates/testkit/programs/go");
    let mut build = command("go", &directory);
    build.env("CGO_ENABLED", "0").args(["build", "-trimpath", "-mod=readonly"]);
    if directory.join(format!("go-{release}.mod")).exists() {
        build.arg(format!("-modfile=go-{release}.mod"));
    }
    if matches!(release, "1.6.3" | "1.8.0") {
        build.args(["-tags", "mux"]);
    }
    build.arg(format!("-ldflags=-s -w -X main.goPlugin={release}"));
    run(
        &format!("build the Go programs at go-plugin {release}"),
        build.arg("-o").arg(target).arg("."),
    )
}
