//! The smallest node: it waits for Ctrl-C. With the feature `host` it hosts the
//! plugins of `SETTINGS.json` meanwhile, with `full` it has all features of the
//! facade do something, and with `steered` it serves the admin API and JSON-RPC.
//! `cargo xtask embedding` compares what they weigh.

use std::error::Error;

#[cfg(feature = "host")]
mod hosting;

fn main() -> Result<(), Box<dyn Error>> {
    #[cfg(feature = "host")]
    outrigger::launcher_hook();
    tokio::runtime::Runtime::new()?.block_on(node())
}

#[cfg(not(feature = "host"))]
async fn node() -> Result<(), Box<dyn Error>> {
    Ok(tokio::signal::ctrl_c().await?)
}

#[cfg(feature = "host")]
async fn node() -> Result<(), Box<dyn Error>> {
    let hosting = hosting::Hosting::start().await?;
    tokio::signal::ctrl_c().await?;
    hosting.stop().await
}
