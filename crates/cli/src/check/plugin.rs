//! A plugin is checked: the kit's cases, shown as they are done, until all are
//! or somebody has had enough.

use std::io::{IsTerminal as _, Write as _};
use std::thread::available_parallelism;
use std::time::Duration;

use outrigger_conformance::Report;
use outrigger_conformance::plugin::{self, Options, Progress};
use tokio::signal::unix::{SignalKind, signal};

use super::Arguments;
use super::subject::Located;
use crate::failure::Failure;

pub(super) async fn check(arguments: &Arguments) -> Result<Report, Failure> {
    let located = Located::find(arguments)?;
    if let Some(remark) = &located.remark {
        eprintln!("{remark}");
    }
    let subject = located.subject(arguments)?;
    let options = options(arguments);
    let checked = unless_interrupted(plugin::check(subject, &options, progress())).await?;
    checked.map_err(|error| match error {
        plugin::CheckError::NoSuchCase(_) => Failure::Usage(format!("--only: {error}")),
        error => error.into(),
    })
}

/// How a check is done.
pub(super) fn options(arguments: &Arguments) -> Options {
    let processors = || available_parallelism().map_or(1, usize::from);
    Options {
        only: arguments.only.clone(),
        strict: arguments.strict,
        jobs: arguments.jobs.map_or_else(processors, usize::from),
    }
}

/// The subject's processes do not hear a Ctrl-C: they go with the check.
pub(super) async fn unless_interrupted<T>(check: impl Future<Output = T>) -> Result<T, Failure> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        checked = check => Ok(checked),
        _ = interrupt.recv() => Err(Failure::Failed("interrupted".into())),
        _ = terminate.recv() => Err(Failure::Failed("told to end".into())),
    }
}

/// Shows how far a check has come.
pub(super) fn progress() -> impl FnMut(Progress) {
    let terminal = std::io::stderr().is_terminal();
    move |progress| show(terminal, progress)
}

/// One line that changes, for a person who waits.
fn show(terminal: bool, Progress { done, total, name }: Progress) {
    if !terminal {
        return;
    }
    let mut stderr = std::io::stderr();
    let _unread = if done < total {
        write!(stderr, "\r\x1b[K{done} of {total}: {name}")
    } else {
        write!(stderr, "\r\x1b[K")
    };
    let _unread = stderr.flush();
}

/// What a start may take.
pub(super) fn start_timeout(arguments: &Arguments) -> Duration {
    Duration::from_secs(arguments.start_timeout)
}
