//! Getting the process to run, by this host or by a runner.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::time::{Instant, timeout_at};

use super::Starter;
use crate::checksum::{self, Checked};
use crate::environment::Variable;
use crate::error::LaunchError;
use crate::process::{Process, Start, spawn};
use crate::runner::{Order, Running, Started};
use crate::spec::{LaunchSpec, Program};
use crate::stdio::Pipe;
use crate::translate::Translate;

/// A process that runs, and says nothing yet.
pub(super) struct Begun {
    pub(super) process: Process,
    pub(super) stdout: Pipe,
    pub(super) stderr: Pipe,
    /// What errors call the program.
    pub(super) shown: PathBuf,
    pub(super) running: Option<Arc<dyn Running>>,
    pub(super) translate: Option<Arc<dyn Translate>>,
    /// The open file of a checked program.
    pub(super) file: Option<File>,
}

/// Takes the program's checksum, if one was given.
pub(super) async fn check(
    starter: &Starter,
    spec: &LaunchSpec,
) -> Result<Option<Checked>, LaunchError> {
    let Some(expected) = spec.checksum else { return Ok(None) };
    let (program, name) = (spec.program.clone(), spec.name.clone());
    let failed = |error: tokio::task::JoinError| LaunchError::Checksum {
        program: shown(spec),
        source: io::Error::other(error),
    };
    match starter {
        Starter::Process(_) => {
            let checking =
                tokio::task::spawn_blocking(move || checksum::check(&program, &name, expected));
            checking.await.map_err(failed)?.map(Some)
        }
        Starter::Runner(runner) => {
            let file = runner.executable(spec).ok_or(LaunchError::Excluded {
                what: "a checksum needs a file, and this runner names none that it executes",
            })?;
            let checking =
                tokio::task::spawn_blocking(move || checksum::check_file(&file, expected));
            let file = Some(checking.await.map_err(failed)??);
            Ok(Some(Checked { program: spec.program.clone(), file }))
        }
    }
}

/// Starts the process; nothing is left of it on an error.
pub(super) async fn begin(
    starter: &Starter,
    spec: &LaunchSpec,
    checked: Option<Checked>,
    environment: Vec<Variable>,
    directory: &Path,
    deadline: Instant,
) -> Result<Begun, LaunchError> {
    let (program, file) = match checked {
        Some(Checked { program, file }) => (program, file),
        None => (spec.program.clone(), None),
    };
    match starter {
        Starter::Process(launcher) => {
            let start = Start {
                launcher: launcher.clone(),
                program,
                shown: shown(spec),
                name: spec.name.clone(),
                arguments: spec.arguments.clone(),
                environment,
                working_directory: spec.working_directory.clone(),
                limit: spec.start_timeout,
            };
            let spawned = spawn(start).await;
            let (process, stdout, stderr) = match spawned {
                Ok(spawned) => spawned,
                Err(error) if error.wants_notes() => {
                    let notes = crate::diagnosis::diagnose(spec.program.clone()).await;
                    return Err(error.noted(notes));
                }
                Err(error) => return Err(error),
            };
            let shown = shown(spec);
            Ok(Begun { process, stdout, stderr, shown, running: None, translate: None, file })
        }
        Starter::Runner(runner) => {
            let order = Order {
                plugin: spec.plugin.clone(),
                generation: spec.generation,
                program,
                name: spec.name.clone(),
                arguments: spec.arguments.clone(),
                environment,
                working_directory: spec.working_directory.clone(),
                socket_directory: directory.to_owned(),
            };
            let failed = |source| LaunchError::Runner { source };
            let started = match timeout_at(deadline, runner.start(order)).await {
                Ok(started) => started.map_err(failed)?,
                Err(_) => {
                    let late = format!("it did not start it within {:?}", spec.start_timeout);
                    return Err(failed(io::Error::new(io::ErrorKind::TimedOut, late)));
                }
            };
            let Started { running, stdout, stderr } = started;
            let process = Process::held_by_runner(running.clone());
            Ok(Begun {
                process,
                stdout,
                stderr,
                shown: PathBuf::from(running.name()),
                translate: running.translation(),
                running: Some(running),
                file,
            })
        }
    }
}

/// What errors call the program.
fn shown(spec: &LaunchSpec) -> PathBuf {
    match &spec.program {
        Program::Image(_) => PathBuf::from(&spec.name),
        Program::Path(path) => path.clone(),
    }
}
