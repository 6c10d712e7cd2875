//! A node with a plugin interface of its own: a price oracle.
//!
//! | file | what |
//! | --- | --- |
//! | `oracle.proto` | what goes over the wire |
//! | `generated.rs` | messages, client and server, generated from it |
//! | `oracle.rs` | the node's trait, its gateway, the interface for the host |
//! | `plugin.rs` | a plugin that fills the interface |
//! | `kit.rs` | zip, signature and settings, so that the example runs alone |
//! | `main.rs` | the node |
//!
//! This one executable is node, launcher and plugin. It exits with 1 if
//! anything is not as it should be.
#![expect(clippy::print_stdout, reason = "a program prints")]

mod kit;
mod oracle;
mod plugin;

/// Included as text, so that rustfmt leaves it as the generator wrote it.
#[allow(warnings, clippy::all, clippy::pedantic, reason = "generated code")]
mod generated {
    include!("generated.rs");
}

use std::error::Error;
use std::fmt::Debug;
use std::process::ExitCode;
use std::time::Duration;

use outrigger::PluginHost;
use serde_json::json;

use crate::kit::Kit;
use crate::oracle::{Cents, Handle, INTERFACE, PriceOracle};

/// The parameter that makes this executable the plugin.
const PLUGIN_COMMAND: &str = "plugin";

fn main() -> ExitCode {
    // Before any thread: this executable also holds its plugins' processes.
    outrigger::launcher_hook();
    if std::env::args().nth(1).as_deref() == Some(PLUGIN_COMMAND) {
        return plugin::run();
    }
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_max_level(tracing_subscriber::filter::LevelFilter::WARN)
        .init();
    let done = example().inspect_err(|error| tracing::error!("{error}"));
    ExitCode::from(u8::from(done.is_err()))
}

fn example() -> Result<(), Box<dyn Error>> {
    let kit = Kit::make()?;
    kit.configure(json!({ "ETH/USD": 250_000 }))?;
    node(&kit)?;
    expect("left in the run directory", kit.running()?, 0)
}

#[tokio::main]
async fn node(kit: &Kit) -> Result<(), Box<dyn Error>> {
    let host = PluginHost::builder()
        .settings_file(kit.settings())
        .interface(oracle::interface())
        .register()?
        .start()
        .await?;
    let seen = trade(&host, kit).await;
    // Whatever was seen, the plugins end before the node does.
    host.stop(Duration::from_secs(15)).await?;
    seen
}

async fn trade(host: &PluginHost, kit: &Kit) -> Result<(), Box<dyn Error>> {
    let version = host.status().first().and_then(|status| status.app_version);
    expect("protocol version", version, Some(oracle::PROTOCOL_VERSION))?;
    let oracle = host.gateway::<Handle>(INTERFACE)?;
    expect("value of 4 ETH", value(&oracle, 4, "ETH/USD").await?, Some(Cents(1_000_000)))?;
    expect("value of 4 XYZ", value(&oracle, 4, "XYZ/USD").await?, None)?;

    kit.configure(json!({ "ETH/USD": 300_000, "XYZ/USD": 0 }))?;
    expect("generation after a reload", host.reload(INTERFACE).await?.0, 2)?;
    expect("value of 4 ETH", value(&oracle, 4, "ETH/USD").await?, Some(Cents(1_200_000)))?;
    let free = value(&oracle, 4, "XYZ/USD").await;
    expect("a price of 0 is taken", free.is_ok(), false)?;

    // A config that the plugin refuses: what served before goes on serving.
    kit.configure(json!({ "ETH/USD": "plenty" }))?;
    let refused = host.reload(INTERFACE).await;
    expect("a bad config is taken", refused.is_ok(), false)?;
    expect("value of 4 ETH", value(&oracle, 4, "ETH/USD").await?, Some(Cents(1_200_000)))
}

/// Code of the node: it knows the trait, and nothing of plugins.
async fn value(
    oracle: &impl PriceOracle,
    amount: u64,
    pair: &str,
) -> Result<Option<Cents>, outrigger::GatewayError> {
    let price = oracle.price(pair).await?;
    Ok(price.map(|Cents(cents)| Cents(cents.saturating_mul(amount))))
}

/// Prints what was seen.
fn expect<T: PartialEq + Debug>(what: &str, seen: T, wanted: T) -> Result<(), Box<dyn Error>> {
    println!("{what}: {seen:?}");
    if seen == wanted { Ok(()) } else { Err(format!("{what}: {wanted:?} was expected").into()) }
}
