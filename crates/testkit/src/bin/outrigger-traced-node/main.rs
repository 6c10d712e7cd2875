//! A node whose traces go to a collector: `outrigger-traced-node SETTINGS-URL`.
//!
//! It does one piece of work, in a span of its own: it greets, and has the plugin
//! call it back over the broker. What it hears is a line each.
#![expect(clippy::print_stdout, reason = "a node for tests prints what it heard")]

use std::error::Error;
use std::time::Duration;

use outrigger::helloworld::{self, Greeter as _};
use outrigger::telemetry::Telemetry;
use outrigger::{CallOptions, Caller, Gateway, Link, Method, PluginHost};
use outrigger_proto::probe::CallHostRequest;
use outrigger_proto::probe::probe_client::ProbeClient;
use outrigger_testkit::probe;
use tracing::Instrument as _;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// A way to the probe that the fixtures serve beside their interface.
struct Probe(Caller);

impl Gateway for Probe {
    const INTERFACE: &'static str = "helloworld";

    fn from_link(link: Link) -> Self {
        Self(Caller::new(link))
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    outrigger::launcher_hook();
    let url = std::env::args().nth(1).ok_or("give the settings' URL")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let telemetry = runtime.block_on(async { Telemetry::from_env("traced-node") })?;
    tracing_subscriber::registry().with(telemetry.as_ref().map(Telemetry::layer)).init();
    runtime.block_on(work(url))?;
    if let Some(telemetry) = telemetry {
        telemetry.shutdown();
    }
    Ok(())
}

async fn work(url: String) -> Result<(), Box<dyn Error>> {
    let builder = PluginHost::builder().settings_url(url).interface(helloworld::interface());
    let host = builder.danger_skip_verification().register()?.start().await?;
    let greeter = host.gateway::<helloworld::Handle>("helloworld")?;
    let Probe(caller) = host.gateway::<Probe>("helloworld")?;
    let span = tracing::info_span!("node.work");
    async {
        println!("{}", greeter.greeting("traced").await?);
        let method = Method::new("CallHost");
        let answer = caller.unary(&method, CallOptions::default(), |rpc, outgoing| async move {
            let broker = rpc.broker().ok_or_else(|| tonic::Status::internal("no broker"))?.clone();
            let served = broker.serve(probe::answer("host:")).await;
            let served = served.map_err(|error| tonic::Status::internal(error.to_string()))?;
            let call =
                CallHostRequest { broker_id: served.id(), data: b"question".as_slice().into() };
            ProbeClient::new(rpc).call_host(outgoing.request(call)).await
        });
        println!("{}", String::from_utf8_lossy(&answer.await?.data));
        Ok::<_, Box<dyn Error>>(())
    }
    .instrument(span)
    .await?;
    host.stop(Duration::from_secs(15)).await?;
    Ok(())
}
