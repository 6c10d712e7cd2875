//! A node that goes on: it makes a block every 100 ms and serves JSON-RPC that
//! its security plugin guards. No block waits for that plugin, and no caller is
//! let in without it.
//!
//! `node SETTINGS-URL [--rpc ADDRESS]`, until SIGINT or SIGTERM. The plugin is
//! signed with the key `gpg.key` in its base directory. SIGHUP takes up settings
//! that were changed. Standard output gets a line of JSON once the node serves,
//! and one for each SIGHUP.

use std::error::Error;
use std::io::Write as _;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jsonrpsee::RpcModule;
use jsonrpsee::core::RegisterMethodError;
use outrigger::security::{self, AuthenticationManager, AuthenticationToken};
use outrigger::{GatewayError, HostError, PluginHost};
use outrigger_quorum::api::{self, Namespace};
use outrigger_quorum::security::{Authenticator, AuthenticatorOptions, Manager, SecurityLayer};
use outrigger_quorum::server::{self, Server, ServerOptions};
use outrigger_quorum::tls;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

const USAGE: &str = "usage: node SETTINGS-URL [--rpc ADDRESS]";
const BLOCK: Duration = Duration::from_millis(100);

/// For callers, and then for plugins, to end at a stop.
const STOP: Duration = Duration::from_secs(10);

fn main() -> ExitCode {
    // Before any thread: this executable also holds its plugins' processes.
    outrigger::launcher_hook();
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let done = node().inspect_err(|error| tracing::error!("{error}"));
    ExitCode::from(u8::from(done.is_err()))
}

#[tokio::main]
async fn node() -> Result<(), Box<dyn Error>> {
    let (settings, address) = arguments(std::env::args().skip(1))?;
    let registered = PluginHost::builder()
        .settings_url(settings) // in GoQuorum's form
        .interface(security::interface())
        .register()?;
    // What is in here ends when the node does.
    let mut work = JoinSet::new();
    let end = CancellationToken::new();
    work.spawn(wait_for_the_end(
        signal(SignalKind::interrupt())?,
        signal(SignalKind::terminate())?,
        end.clone(),
    ));
    let mut hangup = signal(SignalKind::hangup())?;
    let chain = Arc::new(Chain::default());
    // Before there is a plugin: blocks wait for none.
    work.spawn(chain.clone().make_blocks());

    let host = match registered.start_or(end.clone()).await {
        Err(HostError::Stopped) => return Ok(()),
        started => started?,
    };
    let rpc = serve(&host, chain, address, &mut work).await?;
    loop {
        tokio::select! {
            () = end.cancelled() => break,
            taken_up = take_up(&host, &mut hangup) => print(&taken_up),
        }
    }
    // Callers before what lets them in.
    if let Err(error) = rpc.stop(STOP).await {
        tracing::warn!("JSON-RPC: {error}");
    }
    Ok(host.stop(STOP).await?)
}

/// The URL of the settings, and where JSON-RPC is to be served.
fn arguments(
    mut given: impl Iterator<Item = String>,
) -> Result<(String, SocketAddr), Box<dyn Error>> {
    let settings = given.next().ok_or(USAGE)?;
    let address = match (given.next().as_deref(), given.next()) {
        (None, _) => "127.0.0.1:0".to_owned(),
        (Some("--rpc"), Some(address)) => address,
        _ => return Err(USAGE.into()),
    };
    Ok((settings, address.parse()?))
}

async fn wait_for_the_end(mut interrupt: Signal, mut terminate: Signal, end: CancellationToken) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    end.cancel();
}

/// Serves the chain's methods and those of `admin`, each to whom the security
/// plugin grants it.
async fn serve(
    host: &PluginHost,
    chain: Arc<Chain>,
    address: SocketAddr,
    work: &mut JoinSet<()>,
) -> Result<Server, Box<dyn Error>> {
    let manager = Manager::of(host);
    let plugin = manager.plugin().ok_or("the settings name no security plugin; add one")?;
    let certificate = tls::following(host, plugin).await?.map(|(current, rotation)| {
        work.spawn(rotation);
        current
    });
    let scheme = if certificate.is_some() { "https" } else { "http" };
    let mut methods = api::module(host, &[Namespace::Admin])?;
    methods.merge(chain.methods()?)?;
    let guard = Arc::new(Authenticator::new(Always(manager), AuthenticatorOptions::default()));
    let listener = TcpListener::bind(address).await?;
    let options = ServerOptions::default().with_tls(certificate);
    let server = server::serve(listener, methods, SecurityLayer::new(guard), options)?;
    print(&json!({ "rpc": format!("{scheme}://{}", server.address()) }));
    Ok(server)
}

/// A security plugin that does not authenticate lets everybody in, as in
/// GoQuorum, and settings or a reload can bring one. Here it lets nobody in.
#[derive(Debug)]
struct Always(Manager);

impl AuthenticationManager for Always {
    async fn authenticate(&self, token: &[u8]) -> Result<AuthenticationToken, GatewayError> {
        self.0.authenticate(token).await
    }

    async fn is_enabled(&self) -> Result<bool, GatewayError> {
        Ok(true)
    }

    fn epoch(&self) -> Option<u64> {
        self.0.epoch()
    }
}

/// Takes settings up at the next SIGHUP, and says what came of it. What cannot
/// be taken up ends nothing that runs.
async fn take_up(host: &PluginHost, hangup: &mut Signal) -> Value {
    hangup.recv().await;
    match host.apply().await {
        Ok(applied) => {
            let failed: Vec<String> = applied.failed.iter().map(ToString::to_string).collect();
            json!({ "changed": applied.changed, "failed": failed })
        }
        Err(error) => json!({ "error": error.to_string() }),
    }
}

/// A reader that has gone away is no reason for a node to end.
fn print(line: &Value) {
    let _unread = writeln!(std::io::stdout(), "{line}");
}

/// What the node is there for.
#[derive(Debug, Default)]
struct Chain {
    height: AtomicU64,
    /// Blocks that came when the next one was due, or after that.
    late: AtomicU64,
    /// In microseconds.
    worst_delay: AtomicU64,
}

impl Chain {
    /// A block that was missed is made up for, and is late.
    async fn make_blocks(self: Arc<Self>) {
        let mut ticks = tokio::time::interval(BLOCK);
        loop {
            let delay = ticks.tick().await.elapsed();
            self.height.fetch_add(1, Ordering::Relaxed);
            self.late.fetch_add(u64::from(delay >= BLOCK), Ordering::Relaxed);
            let micros = u64::try_from(delay.as_micros()).unwrap_or(u64::MAX);
            self.worst_delay.fetch_max(micros, Ordering::Relaxed);
        }
    }

    fn methods(self: Arc<Self>) -> Result<RpcModule<Self>, RegisterMethodError> {
        let mut module = RpcModule::from_arc(self);
        module.register_method("chain_blockNumber", |_, chain, _| {
            chain.height.load(Ordering::Relaxed)
        })?;
        module.register_method("chain_lateBlocks", |_, chain, _| {
            json!({
                "late": chain.late.load(Ordering::Relaxed),
                "worstMicros": chain.worst_delay.load(Ordering::Relaxed),
            })
        })?;
        Ok(module)
    }
}
