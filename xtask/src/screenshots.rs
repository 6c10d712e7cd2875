//! `cargo xtask screenshots`: the pictures of the dashboard.

use clap::Args;

use crate::command::{self, command, repository};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// How long the host of the pictures runs before they are taken
    #[arg(long, default_value_t = 10)]
    minutes: u32,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), String> {
    // The toolchain that runs this chore, whatever is first on PATH.
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let packages = ["-p", "outrigger-testkit", "-p", "outrigger-launcher"];
    let mut build = command(&cargo, &repository());
    build.args(["build", "--locked"]).args(packages).args(["--bins", "--example", "showcase"]);
    command::run("build the host of the pictures", &mut build)?;
    let showcase = repository().join("target/debug/examples/showcase");
    let images = repository().join("docs/images");
    let mut pictures = command(showcase, &repository());
    pictures.arg("pictures").arg(images).arg(arguments.minutes.to_string());
    command::run("take the pictures", &mut pictures)
}
