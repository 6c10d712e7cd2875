//! `outrigger crashes`.

use clap::Args;
use serde_json::json;

use super::{Client, Target};
use crate::failure::Failure;
use crate::runtime;

/// Show the last ten deaths of a plugin.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    target: Target,
    /// The instance, as in `helloworld`
    instance: String,
    /// Print one JSON array
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    runtime()?.block_on(async {
        let client = Client::new(&arguments.target)?;
        let params = json!({ "instance": arguments.instance });
        let crashes = client.call("outrigger_crashes", params).await?;
        if arguments.json {
            println!("{crashes}");
            return Ok(());
        }
        for crash in crashes.as_array().into_iter().flatten() {
            let text = |key: &str| crash[key].as_str().unwrap_or("-").to_owned();
            println!(
                "{}  generation {} ({}) served {:.1} s: {}",
                text("at"),
                crash["generation"],
                text("version"),
                crash["servedSeconds"].as_f64().unwrap_or_default(),
                text("reason")
            );
            for (what, key) in [("panic", "panic"), ("last words", "lastWords")] {
                if let Some(said) = crash[key].as_str().filter(|said| !said.is_empty()) {
                    println!("    {what}: {said}");
                }
            }
            if crash["calls"].as_u64() > Some(0) {
                println!("    calls that ended with it: {} {}", crash["calls"], crash["lost"]);
            }
        }
        Ok(())
    })
}
