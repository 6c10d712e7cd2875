//! A node that hosts plugins: `embed SETTINGS.json`, until Ctrl-C.
#![expect(clippy::print_stdout, reason = "a program prints")]

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use outrigger::PluginHost;
use outrigger::helloworld::{self, Greeter as _};
use tokio::signal::unix::{SignalKind, signal};

fn main() -> ExitCode {
    // Before any thread: this executable also holds its plugins' processes.
    outrigger::launcher_hook();
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let done = node().inspect_err(|error| tracing::error!("{error}"));
    ExitCode::from(u8::from(done.is_err()))
}

#[tokio::main]
async fn node() -> Result<(), Box<dyn Error>> {
    let settings = std::env::args_os().nth(1);
    let settings = settings.ok_or("usage: embed SETTINGS.json")?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let host = PluginHost::builder()
        .settings_file(settings) // in GoQuorum's form
        .interface(helloworld::interface())
        .register()? // reads and checks
        .start() // verifies, launches, initialises
        .await?;
    // Good across reloads and restarts, and a cheap clone.
    let greeter = host.gateway::<helloworld::Handle>("helloworld")?;
    println!("{}", greeter.greeting("world").await?);
    interrupt.recv().await;
    Ok(host.stop(Duration::from_secs(15)).await?)
}
