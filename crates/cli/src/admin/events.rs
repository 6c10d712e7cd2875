//! `outrigger events`.

use std::io::Write as _;

use clap::Args;
use serde_json::Value;

use super::{Client, Target};
use crate::failure::Failure;
use crate::runtime;

/// Show what happens to the plugins of a running host, until Ctrl-C.
///
/// What they are now comes first.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    target: Target,
    /// As it does anyway; for the habit
    #[arg(short, long, hide = true)]
    follow: bool,
    /// Print a JSON object a line
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    runtime()?.block_on(async {
        let client = Client::new(&arguments.target)?;
        client.follow("/events", |(name, data)| show(&name, &data, arguments.json)).await
    })
}

/// A reader that has gone ends it.
fn show(name: &str, data: &Value, as_json: bool) -> bool {
    let mut out = std::io::stdout().lock();
    let lines: Vec<&Value> = match data {
        Value::Array(all) => all.iter().collect(),
        one => vec![one],
    };
    let shown = lines.into_iter().try_for_each(|line| {
        if as_json {
            let line = serde_json::json!({ "event": name, "data": line });
            return writeln!(out, "{line}");
        }
        let text = |key: &str| line[key].as_str().unwrap_or_default();
        let kind = if name == "status" { "now" } else { text("kind") };
        let generation = match &line["generation"] {
            Value::Null => String::new(),
            generation => format!(" generation {generation}"),
        };
        let from = match &line["from"] {
            Value::Null => String::new(),
            from => format!(" from generation {from}"),
        };
        let took = line["seconds"].as_f64().map(|took| format!(" in {took:.3} s"));
        let rest = [text("state"), text("reason")].join(" ");
        let took = took.unwrap_or_default();
        let shown = format!("{kind}{generation}{from}{took} {}", rest.trim());
        writeln!(out, "{}: {}", text("instance"), shown.trim_end())
    });
    shown.and_then(|()| out.flush()).is_ok()
}
