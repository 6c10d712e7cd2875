//! The node's plugins.

use std::error::Error;
use std::time::Duration;

use outrigger::{PluginHost, PluginHostBuilder, helloworld};

/// For each part of the stop.
const LIMIT: Duration = Duration::from_secs(15);

/// Plugins that run, and who serves them to others.
pub(crate) struct Hosting {
    host: PluginHost,
    #[cfg(feature = "steered")]
    served: steered::Served,
}

impl Hosting {
    pub(crate) async fn start() -> Result<Self, Box<dyn Error>> {
        let settings = std::env::args_os().nth(1).ok_or("usage: node SETTINGS.json")?;
        let builder = PluginHost::builder().settings_file(settings);
        let registered = judged(builder.interface(helloworld::interface()))?.register()?;
        #[cfg(feature = "steered")]
        let run_dir = registered.settings().run_dir.clone();
        let host = registered.start().await?;
        #[cfg(feature = "steered")]
        let served = steered::serve(&host, run_dir).await?;
        Ok(Self {
            host,
            #[cfg(feature = "steered")]
            served,
        })
    }

    pub(crate) async fn stop(self) -> Result<(), Box<dyn Error>> {
        #[cfg(feature = "steered")]
        self.served.stop().await?;
        Ok(self.host.stop(LIMIT).await?)
    }
}

/// A node without OpenPGP can verify nothing by itself.
#[cfg(not(feature = "full"))]
fn judged(builder: PluginHostBuilder) -> Result<PluginHostBuilder, Box<dyn Error>> {
    Ok(builder.danger_skip_verification())
}

#[cfg(feature = "full")]
fn judged(builder: PluginHostBuilder) -> Result<PluginHostBuilder, Box<dyn Error>> {
    use tracing_subscriber::layer::SubscriberExt as _;
    use tracing_subscriber::util::SubscriberInitExt as _;

    if let Some(telemetry) = outrigger::telemetry::Telemetry::from_env("node")? {
        tracing_subscriber::registry().with(telemetry.layer()).try_init()?;
    }
    Ok(builder.online())
}

#[cfg(feature = "steered")]
mod steered {
    use std::error::Error;
    use std::path::PathBuf;
    use std::sync::Arc;

    use outrigger::PluginHost;
    use outrigger_admin::{Admin, AdminOptions, Metrics};
    use outrigger_quorum::api::{self, Namespace};
    use outrigger_quorum::security::{Authenticator, AuthenticatorOptions, Manager, SecurityLayer};
    use outrigger_quorum::server::{self, Server, ServerOptions};
    use tokio::net::TcpListener;

    pub(super) struct Served {
        admin: Admin,
        rpc: Server,
    }

    impl Served {
        pub(super) async fn stop(self) -> Result<(), Box<dyn Error>> {
            self.admin.stop().await;
            Ok(self.rpc.stop(super::LIMIT).await?)
        }
    }

    pub(super) async fn serve(
        host: &PluginHost,
        run_dir: PathBuf,
    ) -> Result<Served, Box<dyn Error>> {
        let metrics = Some(Metrics::install()?);
        let options = AdminOptions { tls: None, run_dir, address: None, metrics };
        let admin = Admin::serve(host.remote(), options).await?;
        let methods = api::module(host, &[Namespace::Admin])?;
        let guard = Authenticator::new(Manager::of(host), AuthenticatorOptions::default());
        let layer = SecurityLayer::new(Arc::new(guard));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let rpc = server::serve(listener, methods, layer, ServerOptions::default())?;
        Ok(Served { admin, rpc })
    }
}
