//! The launcher's life beside its plugin: one loop over the control socket, the
//! signals and, until the program runs, the pipe to the plugin's first half.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, WaitStatus, pidfd_open};
use rustix::stdio::{dup2_stderr, dup2_stdout};

use crate::channel::{ChannelError, Inbox, Received};
use crate::exit::ExitCode;
use crate::plugin::{Birth, During, Failure};
use crate::protocol::{Command, End, Report, Stage};
use crate::reports::Reports;
use crate::signals::Signals;
use crate::sweep::{reap, sweep};

/// The launcher while there is a plugin.
pub(crate) struct Supervisor {
    control: OwnedFd,
    signals: Signals,
    null: File,
    reports: Reports,
    inbox: Inbox<Command>,
    plugin: Pid,
    /// The pipe on which a failed exec is told; none once that is settled.
    outcome: Option<OwnedFd>,
    /// The plugin, for the host; gone once it is sent.
    pidfd: Option<OwnedFd>,
}

/// Why the plugin's life is over.
enum Cause {
    /// It ended by itself.
    Ended(WaitStatus),
    /// It never ran.
    Failed(Failure),
    /// It has to end, and the launcher's exit code says why.
    Must(ExitCode),
}

impl Supervisor {
    /// Takes over a process that was just made. `null` is `/dev/null`, open for
    /// writing.
    pub(crate) fn new(control: OwnedFd, signals: Signals, null: File, birth: Birth) -> Self {
        Self {
            control,
            signals,
            null,
            reports: Reports::default(),
            inbox: Inbox::new(),
            plugin: birth.pid,
            outcome: Some(birth.outcome),
            pidfd: None,
        }
    }

    /// Stays until nothing is left of the plugin.
    pub(crate) fn stay(mut self) -> ExitCode {
        // The process is this one's child and not reaped, so its id is its own.
        let cause = match pidfd_open(self.plugin, PidfdFlags::empty()).during(Stage::Setup) {
            Ok(pidfd) => {
                self.pidfd = Some(pidfd);
                self.watch()
            }
            Err(failure) => Cause::Failed(failure),
        };
        self.finish(cause)
    }

    fn watch(&mut self) -> Cause {
        loop {
            let Ok((signalled, spoken)) = self.wait() else {
                return Cause::Must(ExitCode::Broken);
            };
            // First of all, so that "started" comes before whatever came of it.
            if let Err(failure) = self.settle() {
                return Cause::Failed(failure);
            }
            if signalled {
                let taken = self.signals.take();
                let mut end = None;
                reap(|pid, status| {
                    if pid == self.plugin {
                        end = Some(status);
                    }
                });
                if let Some(status) = end {
                    // It may have ended after the look at the pipe above.
                    return match self.settle() {
                        Ok(()) => Cause::Ended(status),
                        Err(failure) => Cause::Failed(failure),
                    };
                }
                if taken.terminate {
                    return Cause::Must(ExitCode::Terminated);
                }
            }
            if spoken {
                self.reports.flush(&self.control);
                if let Some(code) = self.listen() {
                    return Cause::Must(code);
                }
            }
        }
    }

    /// Waits until something happens: whether there are signals, and whether
    /// the host spoke, left, or made room for reports.
    fn wait(&self) -> io::Result<(bool, bool)> {
        let mut control = PollFlags::IN;
        control.set(PollFlags::OUT, self.reports.waiting());
        let signals = PollFd::new(&self.signals, PollFlags::IN);
        let mut fds = [
            signals.clone(),
            PollFd::new(&self.control, control),
            self.outcome.as_ref().map_or(signals, |pipe| PollFd::new(pipe, PollFlags::IN)),
        ];
        match poll(&mut fds, None) {
            Ok(_) => Ok((!fds[0].revents().is_empty(), !fds[1].revents().is_empty())),
            Err(Errno::INTR) => Ok((false, false)),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Looks whether the program runs by now, and reports it.
    fn settle(&mut self) -> Result<(), Failure> {
        let Some(outcome) = &self.outcome else {
            return Ok(());
        };
        let mut bytes = [0; Failure::SIZE];
        match rustix::io::read(outcome, &mut bytes) {
            Ok(0) => {}
            Ok(length) => {
                // Our own child wrote it in one piece, so it can be read.
                let unreadable = Failure { stage: Stage::Setup, errno: libc::EPROTO };
                return Err(Failure::from_bytes(&bytes[..length]).unwrap_or(unreadable));
            }
            Err(Errno::AGAIN | Errno::INTR) => return Ok(()),
            Err(errno) => return Err(errno).during(Stage::Setup),
        }
        self.outcome = None;
        let started = Report::Started { pid: self.plugin.as_raw_pid().unsigned_abs() };
        let pidfd = self.pidfd.take();
        self.reports.push(&self.control, &started, pidfd);
        // From here on the pipes are the plugin's alone. Where that fails, which
        // two open descriptors give no cause for, they end with the launcher.
        let _ = dup2_stdout(&self.null);
        let _ = dup2_stderr(&self.null);
        Ok(())
    }

    /// Reads the control socket; the exit code when the plugin has to end.
    fn listen(&mut self) -> Option<ExitCode> {
        match self.inbox.receive(&self.control) {
            Ok(Received::Message(Command::Kill, _)) => Some(ExitCode::Done),
            Ok(Received::Pending) => None,
            Ok(Received::Closed) | Err(ChannelError::Io(_) | ChannelError::Truncated { .. }) => {
                Some(ExitCode::HostGone)
            }
            Err(_) => Some(ExitCode::Command),
        }
    }

    /// Reports how it ended, and kills whatever there is.
    fn finish(mut self, cause: Cause) -> ExitCode {
        let code = match cause {
            Cause::Ended(status) => {
                self.report_end(status);
                ExitCode::Done
            }
            Cause::Failed(failure) => {
                let report = Report::ExecFailed { stage: failure.stage, errno: failure.errno };
                sweep(self.plugin, &self.signals);
                self.reports.push(&self.control, &report, None);
                self.reports.finish(&self.control);
                return match failure.stage {
                    Stage::Setup | Stage::Fork => ExitCode::Setup,
                    _ => ExitCode::Exec,
                };
            }
            Cause::Must(code) => code,
        };
        let swept = sweep(self.plugin, &self.signals);
        if let Some(status) = swept.plugin {
            self.report_end(status);
        }
        let report = Report::Swept { killed: swept.killed, left: swept.left };
        self.reports.push(&self.control, &report, None);
        self.reports.finish(&self.control);
        if swept.left > 0 { ExitCode::Left } else { code }
    }

    fn report_end(&mut self, status: WaitStatus) {
        let end = match (status.exit_status(), status.terminating_signal()) {
            (Some(code), _) => End::Code(code),
            (None, signal) => End::Signal {
                // Only ended processes are reaped: it was a code or a signal.
                signal: signal.unwrap_or(0),
                core: libc::WCOREDUMP(status.as_raw()),
            },
        };
        self.reports.push(&self.control, &Report::Exited { end }, None);
    }
}
