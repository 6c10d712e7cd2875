//! A host is checked; the plugins that it is given are this executable.

use std::time::Duration;

use clap::Args;
use outrigger_conformance::Report;
use outrigger_conformance::host::{self, CheckError, Subject};

use super::Arguments;
use super::plugin::{options, progress, unless_interrupted};
use super::subject::cookie;
use crate::failure::Failure;

/// What is said of a host.
#[derive(Debug, Args)]
#[command(next_help_heading = "Hosts")]
pub(super) struct Hosting {
    /// FILE and its arguments are a host's command; {plugin} in them stands for
    /// the plugin's path, which comes last otherwise
    #[arg(long)]
    pub(super) host: bool,
    /// The host does no TLS
    #[arg(long, requires = "host")]
    plain: bool,
    /// The host multiplexes its connections
    #[arg(long, requires = "host")]
    mux: bool,
    /// How long one run of the host may take, in seconds
    #[arg(long, requires = "host", value_name = "SECONDS", default_value_t = 30)]
    limit: u64,
    /// How long one may take in which it waits for its own start time
    #[arg(long, requires = "host", value_name = "SECONDS", default_value_t = 90)]
    start_limit: u64,
}

pub(super) async fn check(arguments: &Arguments) -> Result<Report, Failure> {
    let hosting = &arguments.hosting;
    let command = arguments.file.iter().map(|file| file.clone().into_os_string());
    let subject = Subject {
        command: command.chain(arguments.arguments.iter().cloned()).collect(),
        cookie: cookie(arguments.cookie.as_deref())?,
        versions: Some(arguments.versions.clone()).filter(|versions| !versions.is_empty()),
        plain: hosting.plain,
        multiplex: hosting.mux,
        limit: Duration::from_secs(hosting.limit),
        start_limit: Duration::from_secs(hosting.start_limit),
        fixture: std::env::current_exe()?,
    };
    let options = options(arguments);
    let checked = unless_interrupted(host::check(subject, &options, progress())).await?;
    checked.map_err(|error| match error {
        CheckError::NoSuchCase(_) => Failure::Usage(format!("--only: {error}")),
        error => error.into(),
    })
}
