//! `cargo xtask features`: the facade with none of its features, and with each.

use std::time::Duration;

use crate::command::{self, command, repository};

/// For each step; a build from nothing takes less.
const LIMIT: Duration = Duration::from_secs(600);

const FEATURES: [&str; 3] = ["central", "openpgp", "opentelemetry"];

pub(crate) fn run() -> Result<(), String> {
    let lint = ["clippy", "--locked", "-p", "outrigger", "-p", "outrigger-discovery"];
    let lint = [lint.as_slice(), &["--no-default-features"]].concat();
    let denied = ["--", "-D", "warnings"];
    cargo("no feature", &[lint.as_slice(), &denied].concat())?;
    for feature in FEATURES {
        let given = format!("outrigger/{feature}");
        let arguments = [lint.as_slice(), &["--features", &given], &denied].concat();
        cargo(&format!("feature {feature} alone"), &arguments)?;
    }
    // They take the facade without its features.
    let steering = ["clippy", "--locked", "-p", "outrigger-admin", "-p", "outrigger-quorum"];
    cargo("admin and quorum without a feature", &[steering.as_slice(), &denied].concat())?;
    let node = ["clippy", "--locked", "-p", "outrigger-embedding", "--all-features"];
    cargo("the node of the figures", &[node.as_slice(), &denied].concat())?;
    let tests = ["test", "--locked", "-p", "outrigger", "--no-default-features", "--lib"];
    cargo("tests without a feature", &tests)
}

fn cargo(what: &str, arguments: &[&str]) -> Result<(), String> {
    // The toolchain that runs this chore, whatever is first on PATH.
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    command::run_within(LIMIT, what, command(cargo, &repository()).args(arguments))
}
