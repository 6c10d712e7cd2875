//! What is to be launched, and within which limits.

use std::fmt;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use outrigger_types::{Generation, Sha256Digest};

use crate::image::Image;
use crate::logs::LogLine;
use crate::security::Security;

/// The largest message by default: as much as go-plugin's hosts take.
pub const LARGEST_MESSAGE: usize = i32::MAX as usize;

/// The ports that plugins on TCP listen within by default: go-plugin's.
pub const PORTS: RangeInclusive<u16> = 10_000..=25_000;

/// How long a plugin may take to start by default.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// A plugin's magic cookie: keeps people from running plugins by hand. It is no
/// secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cookie {
    /// The name of an environment variable.
    pub key: String,
    /// Its value.
    pub value: String,
}

/// What of the host's environment a plugin sees.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Environment {
    /// `None`: everything less `PLUGIN_*`, `OUTRIGGER*` and a service manager's
    /// variables, such as `NOTIFY_SOCKET` (profile `compat`).
    /// `Some`: these names and no others (profile `strict`).
    pub pass: Option<Vec<String>>,
    /// Names and values that are added.
    pub add: Vec<(String, String)>,
}

/// The program of a plugin.
#[derive(Debug, Clone)]
pub enum Program {
    /// A single-file executable, run from sealed memory.
    Image(Arc<Image>),
    /// A script, or a program that needs its own path, run from the verified
    /// read-only tree.
    Path(PathBuf),
}

/// Takes a copy of a plugin's output, in pieces that may end anywhere. It is
/// called on a runtime's thread and must not block; what it does not keep is
/// gone.
pub type Sink = Arc<dyn Fn(&[u8]) + Send + Sync>;

/// Who gets exact copies of what a plugin prints; the log gets its lines in any
/// case.
#[derive(Clone, Default)]
pub struct Output {
    /// What the program prints to its standard output once it serves (go-plugin's
    /// `SyncStdout`).
    pub stdout: Option<Sink>,
    /// What the program prints to its standard error once it serves
    /// (`SyncStderr`).
    pub stderr: Option<Sink>,
    /// All bytes of the standard error that the process was started with:
    /// its log (go-plugin's `Stderr`).
    pub raw_stderr: Option<Sink>,
    /// Each line that the log gets, understood.
    pub lines: Option<LineSink>,
}

/// Takes a plugin's lines one after the other. It must not block: the plugin's
/// output waits for it.
pub type LineSink = Arc<dyn Fn(&LogLine) + Send + Sync>;

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Output")
            .field("stdout", &self.stdout.is_some())
            .field("stderr", &self.stderr.is_some())
            .field("raw_stderr", &self.raw_stderr.is_some())
            .field("lines", &self.lines.is_some())
            .finish()
    }
}

/// What is to be launched. [`LaunchSpec::new`] gives one with go-plugin's
/// defaults, to be changed field by field.
#[derive(Clone)]
pub struct LaunchSpec {
    /// The instance, for logs and errors.
    pub plugin: String,
    /// Which launch of the instance this is.
    pub generation: Generation,
    /// The interface that it fills and its version, for logs; may be empty.
    pub interface: String,
    /// See `interface`.
    pub version: String,
    /// What to execute.
    pub program: Program,
    /// The name under which the program runs (its first argument) and is shown.
    pub name: String,
    /// Further arguments.
    pub arguments: Vec<String>,
    /// The working directory: the unpacked tree.
    pub working_directory: PathBuf,
    /// What of the host's environment it sees.
    pub environment: Environment,
    /// The cookie it expects.
    pub cookie: Cookie,
    /// The application protocol versions that the host speaks: any numbers, 0
    /// too.
    pub protocol_versions: Vec<u32>,
    /// How its connections are secured.
    pub security: Security,
    /// Whether all connections, brokered ones too, share one socket. The plugin
    /// must know how: go-plugin does since 1.6.0.
    pub multiplex: bool,
    /// The largest message, in bytes, that calls send and take.
    pub largest_message: usize,
    /// The ports that a plugin on TCP may listen on.
    pub ports: RangeInclusive<u16>,
    /// The group, by name or number, that may reach the plugin's sockets; their
    /// directory is the host's alone without one.
    pub socket_group: Option<String>,
    /// The digest that the program's file must have, checked on the same open
    /// file that is then executed.
    pub checksum: Option<Sha256Digest>,
    /// Who gets copies of its output.
    pub output: Output,
    /// Where the private directory for sockets and temporary files is made.
    pub run_dir: PathBuf,
    /// From the spawn until the connection stands.
    pub start_timeout: Duration,
    /// Something that must outlive the process, such as the unpacked tree.
    pub keep: Option<Arc<dyn Send + Sync>>,
}

impl LaunchSpec {
    /// A spec with defaults: one version, 1; AutoMTLS; go-plugin's limits; the
    /// host's environment; `run_dir` as the working directory.
    #[must_use]
    pub fn new(
        plugin: impl Into<String>,
        program: Program,
        cookie: Cookie,
        run_dir: impl Into<PathBuf>,
    ) -> Self {
        let (plugin, run_dir) = (plugin.into(), run_dir.into());
        Self {
            name: plugin.clone(),
            plugin,
            generation: Generation(1),
            interface: String::new(),
            version: String::new(),
            program,
            arguments: Vec::new(),
            working_directory: run_dir.clone(),
            environment: Environment::default(),
            cookie,
            protocol_versions: vec![1],
            security: Security::default(),
            multiplex: false,
            largest_message: LARGEST_MESSAGE,
            ports: PORTS,
            socket_group: None,
            checksum: None,
            output: Output::default(),
            run_dir,
            start_timeout: START_TIMEOUT,
            keep: None,
        }
    }
}

/// Where a line of a plugin's comes from.
#[derive(Debug, Clone, Default)]
pub(crate) struct Origin {
    pub(crate) plugin: String,
    pub(crate) interface: String,
    pub(crate) version: String,
    pub(crate) generation: Generation,
}

impl LaunchSpec {
    pub(crate) fn origin(&self) -> Arc<Origin> {
        Arc::new(Origin {
            plugin: self.plugin.clone(),
            interface: self.interface.clone(),
            version: self.version.clone(),
            generation: self.generation,
        })
    }
}

impl fmt::Debug for LaunchSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LaunchSpec")
            .field("plugin", &self.plugin)
            .field("generation", &self.generation)
            .field("program", &self.program)
            .field("arguments", &self.arguments)
            .finish_non_exhaustive()
    }
}

/// How long each step of stopping a plugin may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StopLadder {
    /// After `GRPCController/Shutdown`, until SIGTERM.
    pub shutdown: Duration,
    /// After SIGTERM, until the tree is killed.
    pub terminate: Duration,
    /// After the kill, until the process is given up.
    pub kill: Duration,
}

impl Default for StopLadder {
    fn default() -> Self {
        Self {
            shutdown: Duration::from_secs(2),
            terminate: Duration::from_secs(1),
            kill: Duration::from_millis(500),
        }
    }
}
