//! `outrigger logs`.

use std::io::Write as _;

use clap::Args;
use serde_json::{Value, json};

use super::{Client, Target};
use crate::failure::Failure;
use crate::logging::colours;
use crate::runtime;

/// Show the last lines of a plugin's log.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    target: Target,
    /// The instance, as in `helloworld`
    instance: String,
    /// Go on with each further line, until Ctrl-C
    #[arg(short, long)]
    follow: bool,
    /// How many lines
    #[arg(
        short = 'n',
        long,
        value_name = "COUNT",
        default_value_t = 100,
        conflicts_with = "follow"
    )]
    lines: usize,
    /// Print a JSON object a line
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    runtime()?.block_on(async {
        let client = Client::new(&arguments.target)?;
        if arguments.follow {
            let path = format!("/logs/{}", arguments.instance);
            return client.follow(&path, |(_, line)| show(&line, arguments.json)).await;
        }
        let params = json!({ "instance": arguments.instance, "lines": arguments.lines });
        let lines = client.call("outrigger_logs", params).await?;
        lines.as_array().into_iter().flatten().all(|line| show(line, arguments.json));
        Ok(())
    })
}

/// What a terminal gets before and after a level.
fn colour(level: &str, coloured: bool) -> (&'static str, &'static str) {
    let on = match level {
        "ERROR" => "\x1b[31m",
        "WARN" => "\x1b[33m",
        "INFO" => "\x1b[32m",
        _ => "\x1b[2m",
    };
    if coloured { (on, "\x1b[0m") } else { ("", "") }
}

/// False once nobody reads.
fn show(line: &Value, as_json: bool) -> bool {
    let mut out = std::io::stdout().lock();
    let written = if as_json {
        writeln!(out, "{line}")
    } else if let Some(lost) = line.as_u64() {
        writeln!(out, "... {lost} lines were lost: they came faster than they were read")
    } else {
        let text = |key: &str| line[key].as_str().unwrap_or_default();
        let level = text("level").to_uppercase();
        let (on, off) = colour(&level, colours(&std::io::stdout()));
        let rest = [text("message"), text("fields")].join(" ");
        writeln!(out, "{} {on}{level:5}{off} {}", text("at"), rest.trim_end())
    };
    written.and_then(|()| out.flush()).is_ok()
}
