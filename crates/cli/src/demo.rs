//! `outrigger demo`: a plugin's whole life, with real parts, in a few seconds.
//!
//! The command's own executable is launcher, host and plugin. It packs itself
//! into a signed zip, and from there on nothing knows that it is a demo.

mod census;
mod figures;
mod hello;
mod kit;
mod load;
mod show;

use std::time::Duration;

use clap::Args;
use outrigger::helloworld::{self, Greeter as _};
use outrigger::{PluginHost, PluginStatus};
use rustix::process::{Pid, Signal, kill_process};
use tokio::time::Instant;

use self::figures::{CallMicroseconds, Figures, milliseconds};
use self::kit::Kit;
use self::show::Show;
use crate::failure::Failure;
use crate::{logging, runtime};

pub(crate) use self::hello::plugin;

/// The hidden command by which this executable is the demo's plugin.
pub(crate) const PLUGIN_COMMAND: &str = "demo-plugin";

/// The instance's name.
const INSTANCE: &str = "helloworld";

/// For each wait of the demo.
const PATIENCE: Duration = Duration::from_secs(20);

/// Calls whose latency is measured.
const CALLS: usize = 2_000;

/// Show a plugin's whole life in a few seconds: pack, sign, verify, launch,
/// call, reload, kill, recover.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// End after that, instead of hosting the plugin until Ctrl-C
    #[arg(long)]
    once: bool,
    /// Print one JSON object with what each step cost, and nothing else
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    // The kill is on purpose; its warning would only frighten.
    logging::install("error");
    let show = Show::new(!arguments.json);
    let kit = Kit::make(&show)?;
    let outcome = runtime()?.block_on(live(&kit, &show, arguments));
    let mut figures = outcome?;
    figures.left_over_processes = census::processes(kit.run_dir());
    figures.left_over_files = census::files(kit.run_dir());
    show.step(&format!(
        "stopped: {} processes and {} files left over",
        figures.left_over_processes, figures.left_over_files
    ));
    if arguments.json {
        println!("{}", serde_json::to_string(&figures)?);
    }
    figures.verdict()
}

async fn live(kit: &Kit, show: &Show, arguments: &Arguments) -> Result<Figures, Failure> {
    let registered = kit.builder().register()?;
    let before = Instant::now();
    let host = registered.start().await?;
    let mut figures = Figures { start_ms: milliseconds(before.elapsed()), ..Figures::default() };
    let lived = live_on(&host, kit, show, &mut figures).await;
    if lived.is_ok() && !arguments.once {
        show.step("serving until Ctrl-C");
        tokio::signal::ctrl_c().await?;
    }
    host.stop(PATIENCE).await?;
    lived.map(|()| figures)
}

async fn live_on(
    host: &PluginHost,
    kit: &Kit,
    show: &Show,
    figures: &mut Figures,
) -> Result<(), Failure> {
    let status = status(host)?;
    figures.started(&status);
    show.started(&status, figures);
    let greeter = host.gateway::<helloworld::Handle>(INSTANCE)?;

    figures.greeting_before = greeter.greeting("Outrigger").await?;
    show.step(&format!("greeting: {}", figures.greeting_before));
    figures.call_us = measure(&greeter).await?;
    show.step(&format!(
        "{CALLS} calls: median {:.0} us, p99 {:.0} us",
        figures.call_us.p50, figures.call_us.p99
    ));

    kit.change_language()?;
    let load = load::start(&greeter);
    load.under_way(PATIENCE).await?;
    let before = Instant::now();
    host.reload(INSTANCE).await?;
    figures.reload_ms = milliseconds(before.elapsed());
    let load = load.finish().await?;
    figures.calls_during_reload = load.calls;
    figures.failed_during_reload = load.failed;
    figures.greeting_after = greeter.greeting("Outrigger").await?;
    show.step(&format!(
        "reloaded with a changed config in {:.1} ms: {} calls meanwhile, {} failed; greeting: {}",
        figures.reload_ms, load.calls, load.failed, figures.greeting_after
    ));

    figures.recovery_ms = kill_and_recover(host, &greeter).await?;
    let status = self::status(host)?;
    figures.generation = status.generation.map_or(0, |generation| generation.0);
    show.step(&format!(
        "killed with SIGKILL and serving again after {:.1} ms, as generation {}",
        figures.recovery_ms, figures.generation
    ));
    Ok(())
}

fn status(host: &PluginHost) -> Result<PluginStatus, Failure> {
    let found = host.status().into_iter().find(|status| status.instance.as_str() == INSTANCE);
    found.ok_or_else(|| Failure::Failed("the demo's plugin is not configured".into()))
}

async fn measure(greeter: &helloworld::Handle) -> Result<CallMicroseconds, Failure> {
    let mut took = Vec::with_capacity(CALLS);
    for _ in 0..CALLS {
        let before = Instant::now();
        greeter.greeting("Outrigger").await?;
        took.push(before.elapsed());
    }
    Ok(CallMicroseconds::of(took))
}

/// Kills the plugin and calls until one call succeeds: from the kill to the
/// answer, in milliseconds.
async fn kill_and_recover(host: &PluginHost, greeter: &helloworld::Handle) -> Result<f64, Failure> {
    let before = status(host)?;
    let pid = before.pid.and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
    let pid = pid.ok_or_else(|| Failure::Failed("the demo's plugin has no process".into()))?;
    let mut watch = host.watch(INSTANCE).ok_or_else(|| Failure::Failed("no status".into()))?;
    let killed = Instant::now();
    kill_process(pid, Signal::KILL).map_err(std::io::Error::from)?;
    let back = watch.wait_for(|now| now.generation.is_some_and(|g| Some(g) > before.generation));
    match tokio::time::timeout(PATIENCE, back).await {
        Ok(Ok(_)) => {}
        _ => return Err(Failure::Failed("the plugin did not come back after its death".into())),
    }
    greeter.greeting("Outrigger").await?;
    Ok(milliseconds(killed.elapsed()))
}
