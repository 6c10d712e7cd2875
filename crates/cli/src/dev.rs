//! `outrigger dev`: hosts a plugin from the folder where it is written, unpacked
//! and unsigned, and builds and reloads it whenever a file is saved.
//!
//! What the node does with a plugin is done here too: the same launch, the same
//! handshake, the same overlapping reload. Only the signature is missing, so
//! whoever asks for verification is refused.

mod build;
mod call;
mod fresh;
mod hosted;
mod ignore;
mod logs;
mod plan;
mod session;
mod show;
mod tree;
mod watch;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use self::plan::Plan;
use crate::failure::Failure;
use crate::runtime;

/// Host a plugin from the folder where it is written.
///
/// Runs the build command in DIR, starts the plugin from there, unpacked and
/// unsigned, and shows what it logs. When a file is saved it builds again and
/// reloads: the generation before serves until the new one does, and goes on
/// serving if the build or the new one fails. Ctrl-C ends everything.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// The folder, with a plugin-meta.json in it
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// What builds the plugin, run in DIR
    #[arg(last = true, required = true, value_name = "BUILD COMMAND")]
    build: Vec<OsString>,
    /// Where in DIR the build puts plugin-meta.json and all that the plugin
    /// needs, if not into DIR itself
    #[arg(long, value_name = "SUBDIR")]
    out: Option<PathBuf>,
    /// The interface that it fills [default: helloworld]
    #[arg(long, value_enum, conflicts_with_all = ["cookie", "versions"])]
    interface: Option<Interface>,
    /// The cookie of a plugin of another host's; it is not initialised
    #[arg(long, value_name = "KEY=VALUE")]
    cookie: Option<String>,
    /// The application protocol versions to offer it [default: 1]
    #[arg(long, value_name = "LIST", value_delimiter = ',', requires = "cookie")]
    versions: Vec<u32>,
    /// Its config: a file, read anew for each generation, or JSON
    #[arg(long, value_name = "FILE|JSON", conflicts_with = "cookie")]
    config: Option<String>,
    /// How to secure the connection; `none` is dangerous
    #[arg(long, value_enum, default_value = "auto")]
    tls: Tls,
    /// Have brokered connections share the plugin's one socket
    #[arg(long)]
    multiplex: bool,
    /// Leave files out of the watch: a name or a path in DIR, with `*` for any
    /// part of a name; may be repeated
    #[arg(long, value_name = "PATTERN")]
    ignore: Vec<String>,
    /// Greet the plugin with this over and over, and show each new answer
    #[arg(long, value_name = "MESSAGE", conflicts_with = "cookie")]
    call: Option<String>,
    /// The time from one such call to the next, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 1_000, requires = "call")]
    call_interval: u64,
    /// How long a build may take, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    build_timeout: u64,
    /// Build, start, ask for its health, call and stop; status 1 if any of it
    /// fails
    #[arg(long)]
    once: bool,
    /// Print a JSON object a line to standard output: what happens
    #[arg(long)]
    json: bool,
    /// Only to be refused: nobody signed DIR
    #[arg(long = "plugins.localverify", hide = true)]
    local_verify: bool,
    /// Only to be refused: nobody signed DIR
    #[arg(long = "plugins.publickey", hide = true)]
    public_key: Option<String>,
    /// As it is in any case
    #[arg(long = "plugins.skipverify", hide = true)]
    skip_verify: bool,
}

const AFTER_HELP: &str = "\
Not watched are version control (.git), target, node_modules, __pycache__, .venv, what editors \
leave while they save, SUBDIR, and whatever each build writes.

Settings can be given as environment variables, such as OUTRIGGER__TIMEOUTS__START=5s or \
OUTRIGGER__PROVIDERS__HELLOWORLD__VARIABLES__LOG_LEVEL=debug. OUTRIGGER_LOG=debug shows more of \
what the host does.

Examples:
  outrigger dev hello --call world -- go build -o hello .
  outrigger dev hello --out dist -- ./build.sh dist
  outrigger dev kv --cookie KV_PLUGIN=hello --versions 2,5 -- make";

/// Interfaces that this command knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Interface {
    /// GoQuorum's hello world
    Helloworld,
}

/// How the connection is secured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Tls {
    /// Each side makes a certificate for this one process
    Auto,
    /// Not at all
    None,
}

pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    let plan = Plan::new(arguments)?;
    logs::install(plan.label());
    runtime()?.block_on(session::run(&plan))
}
