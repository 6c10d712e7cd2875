//! `outrigger run`: hosts the plugins of a settings file.

mod download;
pub(crate) mod flags;
mod show;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use outrigger::telemetry::Telemetry;
use outrigger::{PluginHost, WatchSettings};
use outrigger_admin::{Admin, AdminOptions, Metrics, TlsFiles};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use self::flags::HostFlags;
use self::show::Show;
use crate::failure::Failure;
use crate::logging::LogFormat;
use crate::rpc::RpcFlags;
use crate::signals::{Asked, Signals};
use crate::systemd::Systemd;
use crate::{logging, runtime};

/// Host the plugins of a settings file until Ctrl-C.
///
/// SIGHUP reads the settings anew and takes up what differs: plugins are started,
/// reloaded or stopped, and the rest is left alone. SIGINT and SIGTERM stop; a
/// second one stops without patience.
///
/// Traces go where OpenTelemetry's variables say, such as OTEL_EXPORTER_OTLP_ENDPOINT.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    host: HostFlags,
    #[command(flatten)]
    rpc: RpcFlags,
    /// Serve the admin API on TCP too, as in 127.0.0.1:7000; it is always on a Unix
    /// socket in the run directory
    #[arg(long, value_name = "ADDRESS")]
    admin: Option<SocketAddr>,
    /// The certificate, and the chain above it, for TLS on that address: a PEM file
    #[arg(long, value_name = "FILE", requires = "admin", requires = "admin_tls_key")]
    admin_tls_cert: Option<PathBuf>,
    /// Its key, a PEM file
    #[arg(long, value_name = "FILE", requires = "admin_tls_cert")]
    admin_tls_key: Option<PathBuf>,
    /// Let in clients, without a token too, whose certificates this authority vouches
    /// for: a PEM file
    #[arg(long, value_name = "FILE", requires = "admin_tls_cert")]
    admin_client_ca: Option<PathBuf>,
    /// Take up the settings whenever their file has changed and stayed so for a
    /// second, as SIGHUP does
    #[arg(long)]
    watch_settings: bool,
    /// Let `outrigger chaos` disturb plugins on purpose
    #[arg(long)]
    allow_chaos: bool,
    /// How long stopping may take, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 20)]
    stop_timeout: u64,
    /// Print a JSON object a line: when all plugins serve, and after reloads
    #[arg(long)]
    json: bool,
    /// How log lines look
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = LogFormat::Human)]
    log_format: LogFormat,
}

impl Arguments {
    fn tls(&self) -> Option<TlsFiles> {
        let files = self.admin_tls_cert.clone().zip(self.admin_tls_key.clone());
        files.map(|(certificate, key)| TlsFiles {
            certificate,
            key,
            client_ca: self.admin_client_ca.clone(),
        })
    }
}

pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    let runtime = runtime()?;
    let traces = runtime.block_on(async { Telemetry::from_env("outrigger") });
    // What is wrong with the traces' variables is told in the form that was asked for.
    let (traces, wrong) = traces.map_or_else(|error| (None, Some(error)), |it| (it, None));
    logging::install_as("info", arguments.log_format, traces.as_ref());
    let ran = match wrong {
        Some(error) => Err(error.into()),
        None => host(&runtime, arguments),
    };
    if let Some(traces) = traces {
        traces.shutdown();
    }
    ran
}

fn host(runtime: &Runtime, arguments: Arguments) -> Result<(), Failure> {
    let mut builder = arguments.host.builder()?;
    if arguments.watch_settings {
        builder = builder.watch_settings(WatchSettings::default());
    }
    if arguments.allow_chaos {
        tracing::warn!("plugins may be disturbed on purpose, since --allow-chaos was given");
        builder = builder.allow_chaos();
    }
    let registered = builder.register()?;
    arguments.rpc.check(registered.settings())?;
    let run_dir = registered.settings().run_dir.clone();
    // Before the first call is counted.
    let metrics = Metrics::install()
        .map_err(|error| Failure::failed("the metrics cannot be kept", &error))?;
    runtime.block_on(async {
        // Before the first plugin: a signal must find somebody who listens.
        let mut signals = Signals::new()?;
        let systemd = Systemd::find();
        systemd.starting();
        let cancel = CancellationToken::new();
        let starting = registered.start_or(cancel.clone());
        tokio::pin!(starting);
        let host = loop {
            tokio::select! {
                started = &mut starting => break started?,
                () = signals.stop(), if !cancel.is_cancelled() => {
                    systemd.stopping();
                    cancel.cancel();
                }
            }
        };
        let (tls, metrics) = (arguments.tls(), Some(metrics));
        let options = AdminOptions { run_dir, address: arguments.admin, tls, metrics };
        serve(host, &arguments, options, &mut signals, &systemd).await
    })
}

async fn serve(
    host: PluginHost,
    arguments: &Arguments,
    options: AdminOptions,
    signals: &mut Signals,
    systemd: &Systemd,
) -> Result<(), Failure> {
    let admin = match Admin::serve(host.remote(), options).await {
        Ok(admin) => admin,
        Err(error) => {
            signals.stop_host(host, Duration::from_secs(arguments.stop_timeout)).await?;
            return Err(error.into());
        }
    };
    let rpc = match arguments.rpc.serve(&host).await {
        Ok(rpc) => rpc,
        Err(failure) => {
            signals.stop_host(host, Duration::from_secs(arguments.stop_timeout)).await?;
            return Err(failure);
        }
    };
    let show = Show { host: &host, rpc: rpc.as_ref(), admin: &admin, json: arguments.json };
    show.ready();
    let serving = systemd.serving(&host);
    loop {
        if signals.next().await == Asked::End {
            break;
        }
        serving.reloading();
        tokio::select! {
            applied = host.apply() => {
                serving.reloaded(applied.as_ref().err().map(ToString::to_string));
                show.applied(applied);
            }
            () = signals.stop() => break,
        }
    }
    tracing::info!("stopping");
    serving.stopping().await;
    admin.stop().await;
    // Callers before what they call.
    if let Some(rpc) = rpc {
        rpc.stop().await;
    }
    let limit = Duration::from_secs(arguments.stop_timeout);
    signals.stop_host(host, limit).await
}
