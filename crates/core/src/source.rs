//! Where an instance's generations come from, and how they run.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use outrigger_transport::{AttachDriver, Driver, Reattach, Runner, RunnerDriver};
use serde::Serialize;

/// Where an instance's generations come from, if not from its distribution, as
/// processes of the host's own.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum PluginSource {
    /// The files of this directory, where they stand: unpacked and unsigned.
    /// Each reload looks at them anew. Refused wherever plugins are verified.
    Directory(PathBuf),
    /// A plugin that runs already. Nobody verified it. After its death nothing
    /// is started; a reload attaches anew. One in test mode is neither stopped
    /// nor killed, nor watched for hanging: it may stand in a debugger.
    Attached(Reattach),
    /// The distribution, started by somebody else.
    Runner(Arc<dyn Runner>),
    /// The distribution, run by this driver.
    Driver(Arc<dyn Driver>),
}

impl PluginSource {
    /// The driver that it brings with it.
    pub(crate) fn driver(&self) -> Option<Arc<dyn Driver>> {
        match self {
            Self::Directory(_) => None,
            Self::Attached(reattach) => Some(Arc::new(AttachDriver::new(reattach.clone()))),
            Self::Runner(runner) => Some(Arc::new(RunnerDriver::new(runner.clone()))),
            Self::Driver(driver) => Some(driver.clone()),
        }
    }

    /// How it runs, for its status.
    pub(crate) const fn runs_as(&self) -> Option<RunsAs> {
        match self {
            Self::Directory(_) => None,
            Self::Attached(_) => Some(RunsAs::Attached),
            Self::Runner(_) => Some(RunsAs::Runner),
            Self::Driver(_) => Some(RunsAs::Custom),
        }
    }

    pub(crate) fn directory(&self) -> Option<&Path> {
        match self {
            Self::Directory(directory) => Some(directory),
            _ => None,
        }
    }

    pub(crate) const fn attached(&self) -> Option<&Reattach> {
        match self {
            Self::Attached(reattach) => Some(reattach),
            _ => None,
        }
    }
}

/// How an instance runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum RunsAs {
    /// As processes that the host starts.
    Process,
    /// As a process that ran already.
    Attached,
    /// As processes that somebody else starts for the host.
    Runner,
    /// By a driver of the node's own.
    Custom,
}

impl fmt::Display for RunsAs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Process => "process",
            Self::Attached => "attached",
            Self::Runner => "runner",
            Self::Custom => "custom",
        })
    }
}
