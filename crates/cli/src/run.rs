//! `outrigger run`: hosts the plugins of a settings file.

pub(crate) mod flags;

use std::io::Write as _;
use std::time::Duration;

use clap::Args;
use outrigger::{PluginHost, PluginStatus};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use self::flags::HostFlags;
use crate::failure::Failure;
use crate::rpc::{Rpc, RpcFlags};
use crate::signals::{Asked, Signals};
use crate::{logging, runtime};

/// Host the plugins of a settings file until Ctrl-C.
///
/// SIGHUP reads the settings anew and reloads every plugin. SIGINT and SIGTERM
/// stop; a second one stops without patience.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    host: HostFlags,
    #[command(flatten)]
    rpc: RpcFlags,
    /// How long stopping may take, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 20)]
    stop_timeout: u64,
    /// Print a JSON object a line: when all plugins serve, and after reloads
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    logging::install("info");
    let registered = arguments.host.builder()?.register()?;
    arguments.rpc.check(registered.settings())?;
    runtime()?.block_on(async {
        // Before the first plugin: a signal must find somebody who listens.
        let mut signals = Signals::new()?;
        let cancel = CancellationToken::new();
        let starting = registered.start_or(cancel.clone());
        tokio::pin!(starting);
        let host = loop {
            tokio::select! {
                started = &mut starting => break started?,
                () = signals.stop(), if !cancel.is_cancelled() => cancel.cancel(),
            }
        };
        serve(host, &arguments, &mut signals).await
    })
}

async fn serve(
    host: PluginHost,
    arguments: &Arguments,
    signals: &mut Signals,
) -> Result<(), Failure> {
    let rpc = match arguments.rpc.serve(&host).await {
        Ok(rpc) => rpc,
        Err(failure) => {
            signals.stop_host(host, Duration::from_secs(arguments.stop_timeout)).await?;
            return Err(failure);
        }
    };
    report("ready", &host, rpc.as_ref(), arguments.json);
    loop {
        if signals.next().await == Asked::End {
            break;
        }
        tokio::select! {
            () = reload_all(&host) => report("reloaded", &host, rpc.as_ref(), arguments.json),
            () = signals.stop() => break,
        }
    }
    tracing::info!("stopping");
    // Callers before what they call.
    if let Some(rpc) = rpc {
        rpc.stop().await;
    }
    let limit = Duration::from_secs(arguments.stop_timeout);
    signals.stop_host(host, limit).await
}

async fn reload_all(host: &PluginHost) {
    for status in host.status() {
        if let Err(error) = host.reload(status.instance.as_str()).await {
            tracing::error!("reload failed: {error}");
        }
    }
}

fn report(event: &str, host: &PluginHost, rpc: Option<&Rpc>, as_json: bool) {
    let statuses = host.status();
    if as_json {
        let plugins: Vec<Value> = statuses.iter().map(to_json).collect();
        let rpc = rpc.map(Rpc::url);
        line(&json!({ "event": event, "plugins": plugins, "rpc": rpc }).to_string());
        return;
    }
    for status in statuses {
        line(&format!(
            "{}: {} {} is {}, generation {}, pid {}, sandbox {}",
            status.instance,
            status.name,
            status.version,
            status.state,
            status.generation.map_or("-".into(), |generation| generation.to_string()),
            status.pid.map_or("-".into(), |pid| pid.to_string()),
            status.sandbox,
        ));
    }
    if let Some(rpc) = rpc {
        line(&format!("JSON-RPC is served at {}", rpc.url()));
    }
}

/// A reader that has gone away is no reason for a host to end.
fn line(text: &str) {
    let _unread = writeln!(std::io::stdout(), "{text}");
}

fn to_json(status: &PluginStatus) -> Value {
    json!({
        "instance": status.instance,
        "interface": status.interface,
        "name": status.name,
        "version": status.version,
        "state": status.state,
        "generation": status.generation,
        "pid": status.pid,
        "protocol_version": status.app_version,
        "security": status.security,
        "multiplexed": status.multiplexed,
        "runs_as": status.runs_as,
        "directory": status.directory,
        "sandbox": status.sandbox,
        "failures": status.failures,
        "last_error": status.last_error.as_deref(),
    })
}
