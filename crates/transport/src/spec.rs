//! What is to be launched, and within which limits.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use outrigger_types::Generation;

use crate::image::Image;

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
    /// `None`: everything less `PLUGIN_*` and `OUTRIGGER*` (profile `compat`).
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

/// What is to be launched.
#[derive(Clone)]
pub struct LaunchSpec {
    /// The instance, for logs and errors.
    pub plugin: String,
    /// Which launch of the instance this is.
    pub generation: Generation,
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
    /// The application protocol versions that the host speaks.
    pub protocol_versions: Vec<u32>,
    /// Where the private directory for sockets and temporary files is made.
    pub run_dir: PathBuf,
    /// From the spawn until the connection stands.
    pub start_timeout: Duration,
    /// Something that must outlive the process, such as the unpacked tree.
    pub keep: Option<Arc<dyn Send + Sync>>,
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
