//! The launcher: the small program between host and plugin.
//!
//! It holds the plugin's whole process tree, runs exactly the bytes that the
//! host verified, and kills everything when the host is gone. This library is
//! both sides of that: [`hook`] and [`run`] *are* the launcher, and [`Spec`],
//! [`send_spec`], [`Inbox`] and their neighbours are what a host uses to talk
//! to one.
//!
//! # How a host starts a plugin
//!
//! 1. [`control_pair`] makes a connected pair of sockets. The launcher is
//!    spawned with one end as its standard input (and that end is then dropped
//!    in the host), and with the pipes for the plugin's output as its standard
//!    output and error. Its `argv[0]` is [`ARGV0`].
//! 2. [`send_spec`] sends the [`Spec`], with the sealed memfd if there is one.
//! 3. The host reads [`Report`]s with an [`Inbox`]: one of
//!    [`Report::Refused`], [`Report::ExecFailed`] or [`Report::Started`]; after
//!    `Started`, when the plugin's life is over, [`Report::Exited`] and
//!    [`Report::Swept`].
//! 4. [`send_command`] with [`Command::Kill`] ends the tree. So does closing
//!    the socket, and so does the host's death, however it comes: the socket
//!    is control channel and lifeline in one.
//!
//! # What the launcher cannot do
//!
//! When the launcher itself is killed with `SIGKILL`, the kernel kills the
//! plugin (parent-death signal), but not the processes that the plugin
//! started: those need a PID namespace, which the sandbox brings where the
//! machine allows one.

#[cfg(not(all(target_os = "linux", target_arch = "x86_64", target_pointer_width = "64")))]
compile_error!(
    "outrigger-launcher is built and tested on Linux x86-64 only. Elsewhere these are missing: \
     holding a process tree (child subreaper, parent-death signal, /proc/<pid>/task/*/children), \
     process descriptors (pidfd), running verified bytes (sealed memfd, execveat), and a \
     system-call table for the sandbox."
);

mod channel;
mod deadline;
mod exit;
mod plugin;
mod proc;
mod protocol;
mod reports;
mod run;
mod signals;
mod supervise;
mod sweep;
mod sys;
mod text;

pub use channel::{
    ChannelError, Inbox, Outgoing, Received, Sent, control_pair, recv_report, send_command,
    send_spec,
};
pub use exit::ExitCode;
pub use protocol::{
    Command, End, Exec, MAX_COMMAND, MAX_REPORT, MAX_SPEC, Message, PROTOCOL_VERSION, Report, Spec,
    SpecError, Stage,
};
pub use run::{hook, hook_installed, run};
pub use sweep::SWEEP_DEADLINE;
pub use sys::landlock_abi;
pub use text::ByteString;

/// The exact `argv[0]` with which a host starts a launcher. [`hook`] tells by
/// it whether an embedder's executable was started as the node or as the
/// launcher.
pub const ARGV0: &str = "outrigger-launcher";
