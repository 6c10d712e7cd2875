//! The launcher's start: from `main` to a plugin's process.

use std::env;
use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::fcntl_dupfd_cloexec;
use rustix::net::sockopt::{socket_domain, socket_type};
use rustix::net::{AddressFamily, SocketType};
use rustix::process::{chdir, set_child_subreaper, setsid};
use rustix::stdio::{dup2_stdin, stderr, stdin};

use crate::ARGV0;
use crate::channel::{ChannelError, Inbox, Received};
use crate::deadline::timespec;
use crate::exit::ExitCode;
use crate::plugin::{self, During, Failure, Program};
use crate::protocol::{MAX_REPORT, Report, Spec, SpecError, Stage};
use crate::reports::Reports;
use crate::signals::Signals;
use crate::supervise::Supervisor;
use crate::sys::{self, OneThread};

/// Turns an embedder's executable into the launcher, when it was started as
/// one. It must be the first line of a plain `fn main`, before any runtime or
/// thread:
///
/// ```no_run
/// outrigger_launcher::hook();
/// // The node starts here.
/// ```
///
/// Returns at once unless `argv[0]` is exactly [`ARGV0`] and standard input is
/// a Unix stream socket; otherwise it never returns, as [`run`]. With more than
/// one thread it prints what is wrong to standard error and exits with
/// [`ExitCode::Threads`]: a process with threads cannot be forked safely.
pub fn hook() {
    if env::args_os().next().as_deref() == Some(OsStr::new(ARGV0)) && controlled() {
        run();
    }
    // Started as a launcher, this program would get this far with the threads
    // that it has now; with more than one it would refuse.
    INSTALLED.store(OneThread::prove().is_ok(), Ordering::Relaxed);
}

static INSTALLED: AtomicBool = AtomicBool::new(false);

/// Whether this executable can be its own launcher: its `main` called [`hook`]
/// before any other thread ran.
#[must_use]
pub fn hook_installed() -> bool {
    INSTALLED.load(Ordering::Relaxed)
}

/// The launcher: holds one plugin's process tree from the spec on standard
/// input to the last of its processes, and exits with an [`ExitCode`].
pub fn run() -> ! {
    sys::exit_now(launch().code())
}

fn launch() -> ExitCode {
    let proof = match OneThread::prove() {
        Ok(proof) => proof,
        Err(Some(threads)) => {
            complain(&format!(
                "{threads} threads run already, and only a process with one can become a \
                 launcher. Call outrigger_launcher::hook() as the first line of a plain `fn main`, \
                 before any runtime such as #[tokio::main], or ship the outrigger-launcher program \
                 beside the executable"
            ));
            return ExitCode::Threads;
        }
        Err(None) => {
            complain("/proc/self/task cannot be read; the launcher needs /proc to be mounted");
            return ExitCode::Threads;
        }
    };
    if !controlled() {
        complain(
            "a host starts this program to hold a plugin, with its control socket as standard \
             input; by hand there is nothing to do with it",
        );
        return ExitCode::NoControl;
    }
    match Ready::new() {
        Ok(ready) => ready.launch(&proof),
        Err(error) => {
            complain(&format!("cannot prepare to start a plugin: {error}"));
            ExitCode::Setup
        }
    }
}

/// Whether standard input can be a host's control socket.
fn controlled() -> bool {
    matches!(socket_domain(stdin()), Ok(AddressFamily::UNIX))
        && matches!(socket_type(stdin()), Ok(SocketType::STREAM))
}

/// A launcher that can hear its host and its signals, and has no spec yet.
struct Ready {
    control: OwnedFd,
    signals: Signals,
    null: File,
}

impl Ready {
    fn new() -> io::Result<Self> {
        let signals = Signals::hold()?;
        let control = fcntl_dupfd_cloexec(stdin(), 3)?;
        // One file for both directions: the plugin's standard input from now
        // on, and this process's own output once the plugin has the pipes.
        let null = File::options().read(true).write(true).open("/dev/null")?;
        dup2_stdin(&null)?;
        Ok(Self { control, signals, null })
    }

    fn launch(self, proof: &OneThread) -> ExitCode {
        let program = match self.await_spec() {
            Ok(Some((spec, descriptor))) => match Program::new(spec, descriptor) {
                Ok(program) => program,
                Err(error) => return self.refuse(&Refusal::Spec(error)),
            },
            Ok(None) => return ExitCode::Terminated,
            Err(error) => return self.refuse(&Refusal::Channel(error)),
        };
        // The sockets and pipes that come later are made close-on-exec.
        let birth = prepare().and_then(|()| plugin::start(&program, proof));
        // The memfd and the environment with its secrets are the plugin's now.
        drop(program);
        match birth {
            Ok(birth) => Supervisor::new(self.control, self.signals, self.null, birth).stay(),
            Err(Failure { stage, errno }) => {
                self.say(&Report::ExecFailed { stage, errno });
                ExitCode::Setup
            }
        }
    }

    /// Waits for the spec as long as the host lives; none when told to
    /// terminate meanwhile.
    fn await_spec(&self) -> Result<Option<(Spec, Option<OwnedFd>)>, ChannelError> {
        let mut inbox = Inbox::<Spec>::new();
        loop {
            match inbox.receive(&self.control)? {
                Received::Message(spec, descriptor) => return Ok(Some((spec, descriptor))),
                Received::Closed => return Err(ChannelError::Closed),
                Received::Pending => {}
            }
            let mut ready = [
                PollFd::new(&self.control, PollFlags::IN),
                PollFd::new(&self.signals, PollFlags::IN),
            ];
            // An interrupted wait only means a needless look.
            let _ = poll(&mut ready, None);
            if self.signals.take().terminate {
                return Ok(None);
            }
        }
    }

    /// Tells host and log why there will be no plugin.
    fn refuse(&self, why: &Refusal) -> ExitCode {
        let mut message = format!("the spec of the plugin is refused: {why}");
        // What it quotes comes from the spec, and escapes make it longer.
        let end = message.floor_char_boundary(MAX_REPORT / 8);
        message.truncate(end);
        complain(&message);
        self.say(&Report::Refused { message });
        ExitCode::Spec
    }

    fn say(&self, report: &Report) {
        let mut reports = Reports::default();
        reports.push(&self.control, report, None);
        reports.finish(&self.control);
    }
}

/// Why a spec is not run.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error(transparent)]
    Channel(ChannelError),
    #[error(transparent)]
    Spec(SpecError),
}

/// Makes this process one that can hold a tree: every orphan below it becomes
/// its child, no terminal reaches it, no descriptor crosses an exec, and it
/// keeps no directory busy.
fn prepare() -> Result<(), Failure> {
    set_child_subreaper(Some(rustix::process::getpid())).during(Stage::Setup)?;
    // Refused only to the leader of a process group, which a host may have made
    // of this process: then it has been taken from the terminal already.
    let _ = setsid();
    sys::close_others_on_exec().during(Stage::Setup)?;
    chdir("/").during(Stage::Setup)
}

/// Writes one line to standard error, unless nobody reads it.
fn complain(message: &str) {
    let mut room = [PollFd::from_borrowed_fd(stderr(), PollFlags::OUT)];
    let patience = timespec(Duration::from_millis(100));
    if matches!(poll(&mut room, Some(&patience)), Ok(1..)) {
        // There is nowhere left to complain about a complaint.
        let _ = rustix::io::write(stderr(), format!("{ARGV0}: {message}\n").as_bytes());
    }
}
