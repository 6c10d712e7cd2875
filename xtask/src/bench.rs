//! `cargo xtask bench`: what seeing and steering a host costs, measured.

use clap::{Args, Subcommand};

use crate::reliability;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// The admin API, metrics, traces and the dashboard
    Admin(Figures),
}

#[derive(Debug, Args)]
struct Figures {
    /// Which figures to measure, all of them without one: scrape, cost, paint, events,
    /// followers. The paint needs Chromium, and the browser program that `cargo xtask
    /// foreign` builds
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// The form that CI runs
    #[arg(long)]
    short: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), String> {
    let What::Admin(figures) = &arguments.what;
    let mut flags = vec!["--bench-admin"];
    flags.extend(figures.names.is_empty().then_some("--all"));
    flags.extend(figures.short.then_some("--short"));
    flags.extend(figures.json.then_some("--json"));
    flags.extend(figures.names.iter().map(String::as_str));
    reliability::measure(&flags)
}
