//! From a checked spec to the plugin's process: everything between fork and
//! exec happens here, in the order in which it must.

use std::convert::Infallible;
use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::event::poll;
use rustix::fs::{Mode, SealFlags, fcntl_get_seals};
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{
    Pid, Resource, Rlimit, Signal, chdir, getpid, getppid, set_parent_process_death_signal,
    setpgid, setrlimit, umask,
};

use crate::deadline::timespec;
use crate::exit::ExitCode;
use crate::protocol::{Exec, Spec, SpecError, Stage};
use crate::sys::{self, CStrings, Fork, OneThread};
use crate::text::ByteString;

/// Waits between tries when the program's file is open for writing, in
/// milliseconds: whoever forked while it was written holds it until its own
/// exec. After them the error stands.
const BUSY_WAITS: [u64; 6] = [1, 2, 4, 8, 16, 32];

/// The seals without which a memfd's bytes could change after they were
/// verified.
const SEALS: SealFlags = SealFlags::WRITE.union(SealFlags::GROW).union(SealFlags::SHRINK);

/// A step that failed on the way to the running plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) stage: Stage,
    pub(crate) errno: i32,
}

impl Failure {
    /// How many bytes a failure is on the pipe between child and parent.
    pub(crate) const SIZE: usize = 5;

    fn to_bytes(self) -> [u8; Self::SIZE] {
        let [e0, e1, e2, e3] = self.errno.to_le_bytes();
        [self.stage as u8, e0, e1, e2, e3]
    }

    /// The failure that the child wrote; none when it is no failure at all.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let [stage, errno @ ..] = bytes else {
            return None;
        };
        Some(Self {
            stage: Stage::from_byte(*stage)?,
            errno: i32::from_le_bytes(errno.try_into().ok()?),
        })
    }
}

/// Gives an error the name of the step in which it came up.
pub(crate) trait During<T> {
    fn during(self, stage: Stage) -> Result<T, Failure>;
}

impl<T, E: Into<io::Error>> During<T> for Result<T, E> {
    fn during(self, stage: Stage) -> Result<T, Failure> {
        self.map_err(|error| Failure {
            stage,
            // All errors here come from system calls, so they have a number.
            errno: error.into().raw_os_error().unwrap_or(libc::EIO),
        })
    }
}

/// A spec in the form that the system calls take, made before the fork.
pub(crate) struct Program {
    source: Source,
    argv: CStrings,
    env: CStrings,
    cwd: CString,
    core_dumps: bool,
}

enum Source {
    Memfd(OwnedFd),
    Path(CString),
}

impl Program {
    /// Checks a spec and the descriptor that came with it.
    ///
    /// # Errors
    ///
    /// [`SpecError`] says why it cannot be run.
    pub(crate) fn new(spec: Spec, descriptor: Option<OwnedFd>) -> Result<Self, SpecError> {
        spec.check()?;
        let source = match (spec.exec, descriptor) {
            (Exec::Memfd, Some(memfd)) => {
                require_seals(memfd.as_fd())?;
                Source::Memfd(memfd)
            }
            (Exec::Memfd, None) => return Err(SpecError::NoDescriptor),
            (Exec::Path(_), Some(_)) => return Err(SpecError::StrayDescriptor),
            (Exec::Path(path), None) => Source::Path(c_string(path)?),
        };
        let argv: Result<_, _> = spec.argv.into_iter().map(c_string).collect();
        let env: Result<_, _> = spec.env.into_iter().map(assignment).collect();
        Ok(Self {
            source,
            argv: CStrings::new(argv?),
            env: CStrings::new(env?),
            cwd: c_string(spec.cwd)?,
            core_dumps: spec.core_dumps,
        })
    }
}

fn require_seals(memfd: BorrowedFd<'_>) -> Result<(), SpecError> {
    // A descriptor that is no memfd has no seals and answers with an error.
    match fcntl_get_seals(memfd) {
        Ok(seals) if seals.contains(SEALS) => Ok(()),
        _ => Err(SpecError::Unsealed),
    }
}

fn c_string(text: ByteString) -> Result<CString, SpecError> {
    CString::new(text.0).map_err(|_| SpecError::Nul("the spec".to_owned()))
}

fn assignment((name, value): (ByteString, ByteString)) -> Result<CString, SpecError> {
    let mut text = name.0;
    text.reserve_exact(value.0.len() + 2);
    text.push(b'=');
    text.extend(value.0);
    c_string(text.into())
}

/// A plugin's process that is on its way to its exec.
pub(crate) struct Birth {
    /// The process, which is this one's child and is reaped by it alone.
    pub(crate) pid: Pid,
    /// Ends without a byte when the program runs, or when the process was
    /// killed before it did; gives a [`Failure`] when the exec failed.
    /// Non-blocking.
    pub(crate) outcome: OwnedFd,
}

/// Makes the plugin's process.
///
/// # Errors
///
/// [`Failure`] while there is no process yet.
pub(crate) fn start(program: &Program, proof: &OneThread) -> Result<Birth, Failure> {
    let (outcome, verdict) =
        pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK).during(Stage::Setup)?;
    let launcher = getpid();
    match sys::fork(proof).during(Stage::Fork)? {
        Fork::Parent(pid) => Ok(Birth { pid, outcome }),
        Fork::Child => {
            let Err(failure) = enter(program, launcher);
            // The pipe is empty and longer than this, so it takes all of it. If
            // the launcher is gone, nobody is left to be told.
            let _ = rustix::io::write(&verdict, &failure.to_bytes());
            sys::exit_now(ExitCode::Exec.code())
        }
    }
}

/// In the child: becomes the plugin.
fn enter(program: &Program, launcher: Pid) -> Result<Infallible, Failure> {
    // First of all, so that nothing later can leave a process without a holder.
    // The launcher may have died before the call: then nobody sends the signal.
    set_parent_process_death_signal(Some(Signal::KILL)).during(Stage::Lifeline)?;
    if getppid() != Some(launcher) {
        return Err(Errno::SRCH).during(Stage::Lifeline);
    }
    // A group of its own: a plugin that signals its whole group, as scripts do
    // with `kill 0`, must not hit its launcher.
    setpgid(None, None).during(Stage::Lifeline)?;
    if !program.core_dumps {
        let none = Rlimit { current: Some(0), maximum: Some(0) };
        setrlimit(Resource::Core, none).during(Stage::Limits)?;
    }
    umask(Mode::RWXG | Mode::RWXO);
    chdir(program.cwd.as_c_str()).during(Stage::Cwd)?;
    sys::reset_signals().during(Stage::Signals)?;
    execute(program)
}

fn execute(program: &Program) -> Result<Infallible, Failure> {
    let mut waits = BUSY_WAITS.into_iter();
    loop {
        let error = match &program.source {
            Source::Memfd(memfd) => {
                sys::exec_descriptor(memfd.as_fd(), &program.argv, &program.env)
            }
            Source::Path(path) => sys::exec_path(path, &program.argv, &program.env),
        };
        match waits.next() {
            Some(wait) if error.raw_os_error() == Some(libc::ETXTBSY) => {
                // A wait that is cut short only means an earlier try.
                let _ = poll(&mut [], Some(&timespec(Duration::from_millis(wait))));
            }
            _ => return Err(error).during(Stage::Exec),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_survives_the_pipe() {
        for stage in [Stage::Setup, Stage::Fork, Stage::Cwd, Stage::Exec] {
            let failure = Failure { stage, errno: libc::ENOENT };
            assert_eq!(Failure::from_bytes(&failure.to_bytes()), Some(failure));
        }
    }

    #[test]
    fn bytes_that_are_no_failure_are_none() {
        for bytes in [&[][..], &[0], &[99, 0, 0, 0, 0], &[0, 1, 2, 3], &[0; 6]] {
            assert_eq!(Failure::from_bytes(bytes), None, "{bytes:?}");
        }
    }
}
