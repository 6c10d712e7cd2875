//! Programs that tests run: where the build puts them, and what is said when
//! one is missing.

use std::path::{Path, PathBuf};

/// A variable that makes a missing tool a failure, as CI wants it.
pub const STRICT: &str = "OUTRIGGER_STRICT";

/// The directory of this build's executables, such as `target/debug`.
///
/// # Panics
///
/// When this program does not run from a target directory.
#[must_use]
pub fn build_directory() -> PathBuf {
    let exe = std::env::current_exe().expect("the system knows this program");
    let directory = exe.parent().expect("a program is in a directory");
    let below = directory.ends_with("deps") || directory.ends_with("examples");
    let directory = if below { directory.parent() } else { Some(directory) };
    directory.expect("they are in a target directory").to_owned()
}

fn built(name: &str) -> PathBuf {
    let path = build_directory().join(name);
    assert!(path.exists(), "{} is missing; build it with `cargo xtask test`", path.display());
    path
}

/// The plugin with named faults.
#[must_use]
pub fn fixture_plugin() -> PathBuf {
    built("outrigger-fixture-plugin")
}

/// The plugin of the interop matrix, on our SDK.
#[must_use]
pub fn interop_plugin() -> PathBuf {
    built("outrigger-interop-plugin")
}

/// The launcher.
#[must_use]
pub fn launcher() -> PathBuf {
    built("outrigger-launcher")
}

/// The command.
#[must_use]
pub fn command() -> PathBuf {
    built("outrigger")
}

/// The plugin with GoQuorum's interfaces.
#[must_use]
pub fn quorum_plugin() -> PathBuf {
    built("outrigger-quorum-plugin")
}

/// Our host of the interop matrix.
#[must_use]
pub fn interop_host() -> PathBuf {
    built("outrigger-interop-host")
}

/// The host that is wrong on purpose.
#[must_use]
pub fn wrong_host() -> PathBuf {
    built("outrigger-wrong-host")
}

/// The node whose traces go to a collector.
#[must_use]
pub fn traced_node() -> PathBuf {
    built("outrigger-traced-node")
}

/// The SDK's example plugin.
#[must_use]
pub fn hello_world() -> PathBuf {
    built("examples/hello_world")
}

/// The example of a node that goes on.
#[must_use]
pub fn node() -> PathBuf {
    built("examples/node")
}

/// What `cargo xtask test` built with another language's tools, in
/// `target/outrigger-fixtures`; `None`, and a line on standard error, where that
/// language is missing.
///
/// # Panics
///
/// With `OUTRIGGER_STRICT=1`, where it is missing.
#[must_use]
pub fn foreign(name: &str) -> Option<PathBuf> {
    let path = foreign_directory().join(name);
    if path.exists() {
        return Some(path);
    }
    skipped(&format!("{name} was not built; its language's tools are missing"));
    None
}

/// A program of this machine's, by the first of its names that is on `PATH`; `None`,
/// and a line on standard error that says how to get it, where it is missing.
///
/// # Panics
///
/// With `OUTRIGGER_STRICT=1`, where it is missing.
#[must_use]
pub fn tool(names: &[&str], install: &str) -> Option<PathBuf> {
    let found = names.iter().find_map(|name| on_path(name));
    if found.is_none() {
        skipped(&format!("{} is missing; {install}", names.join(" or ")));
    }
    found
}

/// A program that is of use where it is there; a line on standard error says where
/// it is not.
#[must_use]
pub fn optional_tool(name: &str) -> Option<PathBuf> {
    let found = on_path(name);
    if found.is_none() {
        eprintln_line(&format!("not available here: {name}"));
    }
    found
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).map(|at| at.join(name)).find(|place| place.is_file())
}

/// Says that something is not tested for want of a tool.
///
/// # Panics
///
/// With `OUTRIGGER_STRICT=1`.
pub fn skipped(text: &str) {
    assert!(std::env::var_os(STRICT).is_none_or(|strict| strict != "1"), "{text}");
    eprintln_line(&format!("skipped: {text}"));
}

/// Where programs in other languages are built to.
#[must_use]
pub fn foreign_directory() -> PathBuf {
    repository().join("target/outrigger-fixtures")
}

/// The repository.
#[must_use]
pub fn repository() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.ancestors().nth(2).expect("this crate is two levels down").to_owned()
}

#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn eprintln_line(text: &str) {
    eprintln!("{text}");
}
