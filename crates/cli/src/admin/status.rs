//! `outrigger status`.

use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use super::{Client, Target};
use crate::failure::Failure;
use crate::runtime;

/// Show the plugins of a running host.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    target: Target,
    /// Show it again every second, until Ctrl-C
    #[arg(long, conflicts_with = "json")]
    watch: bool,
    /// Print one JSON array
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    runtime()?.block_on(async {
        let client = Client::new(&arguments.target)?;
        loop {
            let plugins = client.call("outrigger_status", json!({})).await?;
            if arguments.json {
                println!("{plugins}");
                return Ok(());
            }
            if arguments.watch {
                // To the top left, and nothing below.
                print!("\x1b[H\x1b[2J");
            }
            print!("{}", table(&plugins));
            if !arguments.watch {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    })
}

const HEAD: [&str; 8] =
    ["INSTANCE", "PLUGIN", "STATE", "GENERATION", "SPARE", "PID", "CALLS", "FAILURES"];

fn table(plugins: &Value) -> String {
    let text = |value: &Value| match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let mut rows = vec![HEAD.map(str::to_owned)];
    for plugin in plugins.as_array().into_iter().flatten() {
        rows.push([
            text(&plugin["instance"]),
            format!("{} {}", text(&plugin["name"]), text(&plugin["version"])),
            text(&plugin["state"]),
            text(&plugin["generation"]),
            text(&plugin["spare"]),
            text(&plugin["pid"]),
            text(&plugin["inFlight"]),
            text(&plugin["failures"]),
        ]);
    }
    let width =
        |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..HEAD.len()).map(width).collect();
    let mut shown = String::new();
    for (row, plugin) in rows
        .iter()
        .zip(std::iter::once(None).chain(plugins.as_array().into_iter().flatten().map(Some)))
    {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        shown.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        shown.push('\n');
        // Why it is ill, under the one that is.
        let ill =
            plugin.filter(|plugin| plugin["generation"].is_null() && plugin["state"] != "stopped");
        if let Some(error) = ill.and_then(|plugin| plugin["lastError"].as_str()) {
            shown.push_str(&format!("    {error}\n"));
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_aligned_and_says_why_a_plugin_is_ill() {
        let plugins = json!([
            { "instance": "a", "name": "x", "version": "1.0.0", "state": "ready", "generation": 12,
              "spare": null, "pid": 7, "inFlight": 0, "failures": 1, "lastError": "old" },
            { "instance": "longer", "name": "y", "version": "2", "state": "circuit-open",
              "generation": null, "spare": null, "pid": null, "inFlight": 0, "failures": 5,
              "lastError": "it ended (signal 9)" },
        ]);
        let expected = "\
INSTANCE  PLUGIN   STATE         GENERATION  SPARE  PID  CALLS  FAILURES
a         x 1.0.0  ready         12          -      7    0      1
longer    y 2      circuit-open  -           -      -    0      5
    it ended (signal 9)
";
        assert_eq!(table(&plugins), expected);
    }
}
