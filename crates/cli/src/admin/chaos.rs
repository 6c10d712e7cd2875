//! `outrigger chaos`.

use clap::{Args, ValueEnum};
use serde_json::json;

use super::{Client, Target};
use crate::failure::Failure;
use crate::runtime;

/// Disturb a plugin on purpose, to see what the node makes of it.
///
/// The host must have been started with --allow-chaos.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    target: Target,
    /// The instance, as in `helloworld`
    instance: String,
    /// What is done to it
    kind: Kind,
    /// How long it lasts [default: 10; at most 60 for `freeze`, else 300]
    #[arg(long)]
    seconds: Option<f64>,
    /// How long each call waits, of `slow` [default: 1000]
    #[arg(long)]
    milliseconds: Option<f64>,
    /// How many of the calls fail, of `errors`, from 0 to 1 [default: 0.5]
    #[arg(long)]
    share: Option<f64>,
    /// Why, for the host's log
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    /// SIGKILL to its process
    Kill,
    /// SIGSTOP to its process, and SIGCONT later
    Freeze,
    /// Its calls wait before they are sent
    Slow,
    /// A share of its calls fails and is not sent
    Errors,
    /// What lasts of these ends
    None,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let Arguments { instance, seconds, milliseconds, share, reason, .. } = arguments;
    let (kind, done) = match arguments.kind {
        Kind::Kill => ("kill", "it was killed"),
        Kind::Freeze => ("freeze", "it is frozen"),
        Kind::Slow => ("slow", "its calls are slow"),
        Kind::Errors => ("errors", "calls of it fail"),
        Kind::None => ("none", "it is left alone"),
    };
    let params = json!({
        "instance": instance, "kind": kind, "seconds": seconds, "milliseconds": milliseconds,
        "share": share, "reason": reason,
    });
    runtime()?.block_on(async {
        Client::new(&arguments.target)?.call("outrigger_chaos", params).await
    })?;
    println!("{instance}: {done}");
    Ok(())
}
