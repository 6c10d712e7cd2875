//! The launcher's exit codes.

/// How the launcher itself ended. A host learns the plugin's end from the
/// reports; this tells what became of the launcher where no report could.
///
/// A panic would exit with 101, and a signal has no code at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
pub enum ExitCode {
    /// The plugin ended, or was killed for a command, and nothing of its tree
    /// is left.
    Done = 0,
    /// Standard input is no Unix stream socket: somebody started the launcher
    /// by hand.
    NoControl = 70,
    /// More than one thread runs, so the hook was not the first line of `main`;
    /// or `/proc` does not say how many there are.
    Threads = 71,
    /// The spec did not arrive whole, or cannot be used. A
    /// [`Report::Refused`](crate::Report::Refused) says why.
    Spec = 72,
    /// The launcher could not make itself ready, or not make the plugin's
    /// process. A [`Report::ExecFailed`](crate::Report::ExecFailed) says why.
    Setup = 73,
    /// The plugin's process could not execute the program. A
    /// [`Report::ExecFailed`](crate::Report::ExecFailed) says why.
    Exec = 74,
    /// `SIGTERM` came; nothing of the plugin's tree is left.
    Terminated = 75,
    /// Processes of the plugin's tree outlived the sweep.
    Left = 76,
    /// The host sent something that is no command; nothing of the plugin's tree
    /// is left.
    Command = 77,
    /// The host closed the control socket or died; nothing of the plugin's tree
    /// is left.
    HostGone = 78,
    /// A system call failed that cannot fail while the launcher is sound. What
    /// could be killed of the plugin's tree was killed.
    Broken = 79,
}

impl ExitCode {
    /// The code as the host sees it.
    #[must_use]
    pub const fn code(self) -> i32 {
        self as i32
    }
}
