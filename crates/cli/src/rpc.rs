//! `outrigger run --rpc`: the plugins' JSON-RPC, guarded by the security plugin.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use outrigger::{PluginHost, Settings, security};
use outrigger_quorum::api::{self, Namespace};
use outrigger_quorum::security::{Authenticator, AuthenticatorOptions, Manager, SecurityLayer};
use outrigger_quorum::server::{self, Server, ServerOptions};
use outrigger_quorum::tls;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::failure::Failure;

/// For connections to end at a stop.
const STOP: Duration = Duration::from_secs(5);

/// The JSON-RPC of a host.
#[derive(Debug, Args)]
pub(crate) struct RpcFlags {
    /// Serve the plugins' JSON-RPC over HTTP and WebSocket, as in 127.0.0.1:8545
    #[arg(long, value_name = "ADDRESS")]
    rpc: Option<SocketAddr>,
    /// The namespaces to serve, of admin, plugin@helloworld and plugin@account
    #[arg(
        long = "rpc.api",
        value_name = "LIST",
        value_delimiter = ',',
        value_parser = parse_namespace,
        default_value = "plugin@helloworld,plugin@account",
        requires = "rpc"
    )]
    api: Vec<Namespace>,
    /// Require each caller to be granted a private state
    #[arg(long, requires = "rpc")]
    multitenancy: bool,
}

fn parse_namespace(name: &str) -> Result<Namespace, String> {
    let known = || Namespace::ALL.map(Namespace::name).join(", ");
    Namespace::parse(name)
        .ok_or_else(|| format!("there is no such namespace; there are {}", known()))
}

/// A server that runs.
#[derive(Debug)]
pub(crate) struct Rpc {
    server: Server,
    secure: bool,
    rotation: Option<JoinHandle<()>>,
}

impl RpcFlags {
    /// Whether the settings have what the flags want.
    pub(crate) fn check(&self, settings: &Settings) -> Result<(), Failure> {
        let mut interfaces = settings.providers.values().map(|it| it.interface.as_str());
        if self.multitenancy && !interfaces.any(|interface| interface == security::INTERFACE) {
            return Err(Failure::Failed(
                "multitenancy requires RPC Security Plugin to be configured".to_owned(),
            ));
        }
        Ok(())
    }

    /// Serves, if that is wanted. What guards the server is asked first, and
    /// nothing listens if it cannot be.
    pub(crate) async fn serve(&self, host: &PluginHost) -> Result<Option<Rpc>, Failure> {
        let Some(address) = self.rpc else { return Ok(None) };
        let manager = Manager::of(host);
        let followed = match manager.plugin() {
            Some(handle) => tls::following(host, handle).await?,
            None => None,
        };
        let (current, rotation) = followed.unzip();
        if manager.plugin().is_none() && !address.ip().is_loopback() {
            tracing::warn!("{address} serves everybody: no security plugin is configured");
        }
        let authenticator = Authenticator::new(manager, AuthenticatorOptions::default());
        let layer =
            SecurityLayer::new(Arc::new(authenticator)).with_multitenancy(self.multitenancy);
        let methods = api::module(host, &self.api)?;
        let listener = TcpListener::bind(address).await.map_err(|error| {
            Failure::failed(&format!("--rpc {address} cannot be served"), &error)
        })?;
        let secure = current.is_some();
        let options = ServerOptions::default().with_tls(current);
        let server = server::serve(listener, methods, layer, options).map_err(|error| {
            Failure::failed(&format!("--rpc {address} cannot be served"), &error)
        })?;
        Ok(Some(Rpc { server, secure, rotation: rotation.map(tokio::spawn) }))
    }
}

impl Rpc {
    pub(crate) fn url(&self) -> String {
        let scheme = if self.secure { "https" } else { "http" };
        format!("{scheme}://{}", self.server.address())
    }

    pub(crate) async fn stop(self) {
        if let Some(rotation) = self.rotation {
            rotation.abort();
        }
        if let Err(error) = self.server.stop(STOP).await {
            tracing::warn!("JSON-RPC: {error}");
        }
    }
}
