//! `outrigger reload`, `start` and `stop`.

use clap::Args;
use serde_json::json;

use super::{Client, Target};
use crate::failure::Failure;
use crate::runtime;

/// Replace the generation of a plugin, or of all, with what the settings ask for now.
///
/// The generation before goes on serving if the new one fails.
#[derive(Debug, Args)]
pub(crate) struct Reload {
    #[command(flatten)]
    target: Target,
    /// The instance, as in `helloworld`
    #[arg(required_unless_present = "all")]
    instance: Option<String>,
    /// Reload every instance, in the order of their start
    #[arg(long, conflicts_with_all = ["instance", "dry_run"])]
    all: bool,
    /// Verify, launch and initialise, and throw it away
    #[arg(long)]
    dry_run: bool,
    /// Why, for the host's log
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Start a plugin that is stopped or failed.
#[derive(Debug, Args)]
pub(crate) struct Start {
    #[command(flatten)]
    one: One,
}

/// Stop a plugin until somebody starts it.
#[derive(Debug, Args)]
pub(crate) struct Stop {
    #[command(flatten)]
    one: One,
}

#[derive(Debug, Args)]
struct One {
    #[command(flatten)]
    target: Target,
    /// The instance, as in `helloworld`
    instance: String,
    /// Why, for the host's log
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn reload(arguments: &Reload) -> Result<(), Failure> {
    runtime()?.block_on(async {
        let client = Client::new(&arguments.target)?;
        let Some(instance) = &arguments.instance else {
            return all(&client, arguments.json).await;
        };
        let (dry_run, reason) = (arguments.dry_run, &arguments.reason);
        let params = json!({ "instance": instance, "dryRun": dry_run, "reason": reason });
        let answer = client.call("outrigger_reload", params).await?;
        if arguments.json {
            println!("{answer}");
        } else if !dry_run {
            println!("{instance}: generation {answer} serves");
        } else if answer["launched"] == true {
            println!("{instance}: a reload would do: {} {} starts and takes its config", text(&answer["name"]), text(&answer["version"]));
        } else {
            println!("{instance}: {} {} is verified; two generations may not run at a time, so it was not launched", text(&answer["name"]), text(&answer["version"]));
        }
        Ok(())
    })
}

async fn all(client: &Client, as_json: bool) -> Result<(), Failure> {
    let answer = client.call("outrigger_reloadAll", json!({})).await?;
    let outcomes = answer.as_array().cloned().unwrap_or_default();
    if as_json {
        println!("{answer}");
    } else {
        for outcome in &outcomes {
            match outcome["error"].as_str() {
                Some(error) => println!("{}: {error}", text(&outcome["instance"])),
                None => println!(
                    "{}: generation {} serves",
                    text(&outcome["instance"]),
                    outcome["generation"]
                ),
            }
        }
    }
    let failed = outcomes.iter().filter(|outcome| !outcome["error"].is_null()).count();
    if failed == 0 {
        return Ok(());
    }
    let of = outcomes.len();
    Err(Failure::Failed(format!(
        "{failed} of {of} plugins were not reloaded; they go on as before"
    )))
}

fn text(value: &serde_json::Value) -> &str {
    value.as_str().unwrap_or("-")
}

pub(crate) fn start(arguments: &Start) -> Result<(), Failure> {
    let generation = act("outrigger_start", &arguments.one)?;
    let One { instance, json: as_json, .. } = &arguments.one;
    if *as_json {
        println!("{}", json!({ "instance": instance, "generation": generation }));
    } else {
        println!("{instance}: generation {generation} serves");
    }
    Ok(())
}

pub(crate) fn stop(arguments: &Stop) -> Result<(), Failure> {
    act("outrigger_stop", &arguments.one)?;
    let One { instance, json: as_json, .. } = &arguments.one;
    if *as_json {
        println!("{}", json!({ "instance": instance, "generation": null }));
    } else {
        println!("{instance}: stopped");
    }
    Ok(())
}

fn act(method: &str, one: &One) -> Result<serde_json::Value, Failure> {
    runtime()?.block_on(async {
        let params = json!({ "instance": one.instance, "reason": one.reason });
        Client::new(&one.target)?.call(method, params).await
    })
}
