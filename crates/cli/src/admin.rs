//! Commands that talk to a running host.

pub(crate) mod act;
pub(crate) mod call;
mod client;
pub(crate) mod crashes;
pub(crate) mod events;
pub(crate) mod logs;
pub(crate) mod status;

use std::path::PathBuf;

use clap::Args;

pub(crate) use client::Client;

/// Which host.
#[derive(Debug, Args)]
pub(crate) struct Target {
    /// The host's admin socket [default: admin.sock in the default run directory]
    #[arg(long, value_name = "FILE", conflicts_with = "url")]
    socket: Option<PathBuf>,
    /// The host's admin address, as in http://127.0.0.1:7000
    #[arg(long, value_name = "URL", requires = "token")]
    url: Option<String>,
    /// The file with the token for that address, which is admin.token in the run
    /// directory
    #[arg(long, value_name = "FILE", requires = "url")]
    token: Option<PathBuf>,
}
