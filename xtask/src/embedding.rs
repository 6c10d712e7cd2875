//! `cargo xtask embedding`: what embedding the host adds to a node.

mod table;

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use clap::Args;

use self::table::Row;
use crate::command::{self, command, repository};

/// The smallest node; its features say what it embeds.
const NODE: &str = "outrigger-embedding";

const MIB: f64 = (1 << 20) as f64;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The form that CI runs: crates are counted, and nothing is built
    #[arg(long)]
    short: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// What a node may embed, and the most that it may weigh: a tenth more than it
/// did when the bound was set. What grows on purpose gets a new bound.
struct Embedded {
    name: &'static str,
    /// Of the node's package.
    feature: &'static str,
    crates: usize,
    mib: f64,
}

const EMBEDDED: [Embedded; 3] = [
    Embedded { name: "host", feature: "host", crates: 175, mib: 11.5 },
    Embedded { name: "all features", feature: "full", crates: 368, mib: 17.0 },
    Embedded { name: "all, admin, quorum", feature: "steered", crates: 425, mib: 21.2 },
];

pub(crate) fn run(arguments: &Arguments) -> Result<(), String> {
    let mut rows = Vec::new();
    let bare = if arguments.short { None } else { Some(size("")?) };
    for embedded in &EMBEDDED {
        let count = crates(embedded.feature)?.len();
        rows.push(Row::crates(embedded.name, count, embedded.crates));
        if let Some(bare) = bare {
            let added = (size(embedded.feature)? as f64 - bare as f64) / MIB;
            rows.push(Row::mebibytes(embedded.name, added, embedded.mib));
        }
    }
    if let Some(bare) = bare {
        rows.push(Row::printed("none", "the same program without a host", bare as f64 / MIB));
    }
    let fell_short = rows.iter().filter(|row| row.fell_short()).count();
    table::print(&rows, arguments.json);
    if fell_short == 0 { Ok(()) } else { Err("a figure does not hold".to_owned()) }
}

/// The crates that a node with this feature depends on, and with it those of
/// procedural macros: each in each version once, the node itself left out.
fn crates(feature: &str) -> Result<BTreeSet<String>, String> {
    let mut tree = cargo();
    tree.args(["tree", "--locked", "--offline", "-p", NODE, "--features", feature]);
    tree.args(["--edges", "normal", "--prefix", "none", "--format", "{p}"]);
    let said = tree.output().map_err(|error| format!("cargo: {error}"))?;
    if !said.status.success() {
        return Err(format!("cargo tree: {}", String::from_utf8_lossy(&said.stderr)));
    }
    Ok(named(&String::from_utf8_lossy(&said.stdout)))
}

/// Name and version on each line of a tree.
fn named(tree: &str) -> BTreeSet<String> {
    let names = tree.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        Some(format!("{} {}", words.next()?, words.next()?))
    });
    names.filter(|name| !name.starts_with(NODE)).collect()
}

/// The bytes of the node's program, in release and without symbols.
fn size(feature: &str) -> Result<u64, String> {
    let target = repository().join("target/embedding");
    let mut build = cargo();
    build.args(["build", "--locked", "--offline", "--release", "--target-dir"]).arg(&target);
    build.args(["--config", "profile.release.strip=\"symbols\""]);
    build.args(["-p", NODE, "--features", feature]);
    let built = build.status().map_err(|error| format!("cargo: {error}"))?;
    command::passed(built, "the node was not built")?;
    let program: PathBuf = target.join("release").join(NODE);
    let found = fs::metadata(&program);
    found.map(|file| file.len()).map_err(|error| format!("{}: {error}", program.display()))
}

fn cargo() -> Command {
    // The toolchain that runs this chore, whatever is first on PATH.
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    command(cargo, &repository())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_counts_once_whatever_stands_beside_it() {
        let tree = "outrigger-embedding v0.1.0 (/a/b)\n\
                    syn v2.0.1 (*)\n\
                    syn v2.0.1\n\
                    syn v3.0.0\n\
                    serde_derive v1.0.0 (proc-macro)\n\
                    \n";
        let counted: Vec<String> = named(tree).into_iter().collect();
        assert_eq!(counted, ["serde_derive v1.0.0", "syn v2.0.1", "syn v3.0.0"]);
    }
}
