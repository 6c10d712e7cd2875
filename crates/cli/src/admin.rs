//! Commands that talk to a running host.

pub(crate) mod act;
pub(crate) mod call;
pub(crate) mod chaos;
mod client;
pub(crate) mod crashes;
pub(crate) mod events;
pub(crate) mod logs;
pub(crate) mod status;

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

pub(crate) use client::Client;

/// Which host.
#[derive(Debug, Args)]
pub(crate) struct Target {
    /// The host's admin socket [default: admin.sock in the default run directory]
    #[arg(long, value_name = "FILE", conflicts_with = "url")]
    socket: Option<PathBuf>,
    /// The host's admin address, as in http://127.0.0.1:7000 or https://127.0.0.1:7000
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// The file with the token for that address, which is admin.token in the run
    /// directory
    #[arg(long, value_name = "FILE", requires = "url")]
    token: Option<PathBuf>,
    /// For https, the authority that vouches for the host, or its very certificate: a
    /// PEM file
    #[arg(long, value_name = "FILE", requires = "url")]
    ca: Option<PathBuf>,
    /// For https, a certificate for this client, in place of a token: a PEM file
    #[arg(long, value_name = "FILE", requires = "ca", requires = "key")]
    cert: Option<PathBuf>,
    /// Its key, a PEM file
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,
    /// How long to wait for an answer, as in 30s; a reload waits for calls to end
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = humantime::parse_duration)]
    timeout: Duration,
}
