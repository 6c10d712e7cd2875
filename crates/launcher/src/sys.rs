//! The system calls that have no safe wrapper: signals, `fork`, the two forms
//! of exec, `close_range` and the immediate exit.
#![expect(
    unsafe_code,
    reason = "these system calls have no safe wrapper; each use proves its own soundness"
)]

use std::ffi::{CStr, CString, c_char, c_int};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr;

use rustix::process::Pid;

use crate::proc;

/// The highest signal number of Linux.
const LAST_SIGNAL: c_int = 64;

/// Proof that this process has one thread, so that a child made by [`fork`] may
/// do whatever its parent may. The crate starts no threads, so the proof stays
/// true.
#[derive(Debug)]
pub(crate) struct OneThread(());

impl OneThread {
    /// Counts the threads.
    ///
    /// # Errors
    ///
    /// The number of threads when there are several; none when `/proc` does not
    /// tell.
    pub(crate) fn prove() -> Result<Self, Option<usize>> {
        match proc::threads() {
            Ok(1) => Ok(Self(())),
            Ok(several) => Err(Some(several)),
            Err(_) => Err(None),
        }
    }
}

/// The version of Landlock that the kernel speaks; none if it has none, or if it is
/// switched off.
#[must_use]
pub fn landlock_abi() -> Option<u32> {
    const VERSION: u32 = 1;
    // SAFETY: with this flag the call reads no memory and makes nothing.
    let abi = unsafe {
        libc::syscall(libc::SYS_landlock_create_ruleset, ptr::null::<u8>(), 0_usize, VERSION)
    };
    u32::try_from(abi).ok().filter(|abi| *abi > 0)
}

/// A null-terminated array of C strings, as exec takes it.
pub(crate) struct CStrings {
    /// Points into `strings`, and ends with a null pointer.
    pointers: Vec<*const c_char>,
    /// Never touched again; it owns what `pointers` points at.
    _strings: Vec<CString>,
}

impl CStrings {
    pub(crate) fn new(strings: Vec<CString>) -> Self {
        let pointers = strings.iter().map(|string| string.as_ptr()).chain([ptr::null()]).collect();
        Self { pointers, _strings: strings }
    }
}

/// The two sides of a fork.
pub(crate) enum Fork {
    /// The child's id, in the parent.
    Parent(Pid),
    /// The child.
    Child,
}

/// Makes a child process, a copy of this one.
///
/// # Errors
///
/// The system's: `EAGAIN` at a limit of processes, `ENOMEM`.
pub(crate) fn fork(_proof: &OneThread) -> io::Result<Fork> {
    // SAFETY: this process has one thread, by the argument. So no lock can be
    // held by a thread that the child lacks, and the child may call anything.
    let pid = unsafe { libc::fork() };
    match Pid::from_raw(checked(pid)?) {
        Some(child) => Ok(Fork::Parent(child)),
        None => Ok(Fork::Child),
    }
}

/// Replaces this process by the program in a descriptor; returns only the
/// error.
pub(crate) fn exec_descriptor(
    program: BorrowedFd<'_>,
    argv: &CStrings,
    env: &CStrings,
) -> io::Error {
    // SAFETY: the path is a C string; both arrays end with a null pointer, and
    // what they point at lives as long as the borrows. execveat only reads.
    unsafe {
        libc::syscall(
            libc::SYS_execveat,
            program.as_raw_fd(),
            c"".as_ptr(),
            argv.pointers.as_ptr(),
            env.pointers.as_ptr(),
            libc::AT_EMPTY_PATH,
        );
    }
    io::Error::last_os_error()
}

/// Replaces this process by the program at a path; returns only the error.
pub(crate) fn exec_path(path: &CStr, argv: &CStrings, env: &CStrings) -> io::Error {
    // SAFETY: as in `exec_descriptor`.
    unsafe { libc::execve(path.as_ptr(), argv.pointers.as_ptr(), env.pointers.as_ptr()) };
    io::Error::last_os_error()
}

/// Ends this process at once: no destructors, no exit handlers, which in an
/// embedder's executable could be anybody's.
pub(crate) fn exit_now(code: c_int) -> ! {
    // SAFETY: ending the process has no precondition.
    unsafe { libc::_exit(code) }
}

/// Lets every descriptor from 3 on close when a program is executed.
///
/// # Errors
///
/// The system's: `ENOSYS` or `EINVAL` before Linux 5.11.
pub(crate) fn close_others_on_exec() -> io::Result<()> {
    let flags = libc::CLOSE_RANGE_CLOEXEC;
    // SAFETY: this closes nothing now, so it takes no descriptor from its
    // owner; and none is meant to cross an exec.
    checked(unsafe { libc::syscall(libc::SYS_close_range, 3, u32::MAX, flags) } as c_int)?;
    Ok(())
}

/// Blocks every signal that can be blocked, so that they arrive through
/// [`signal_descriptor`] or not at all, and undoes an inherited `SIGCHLD`
/// ignored, under which the kernel would throw the exit statuses away.
///
/// # Errors
///
/// None that a valid call can give.
pub(crate) fn hold_signals() -> io::Result<()> {
    set_default(libc::SIGCHLD)?;
    set_mask(&signal_set(None))
}

/// Gives every signal its default disposition and blocks none: the state in
/// which a program expects to start.
///
/// # Errors
///
/// None that a valid call can give.
pub(crate) fn reset_signals() -> io::Result<()> {
    for signal in 1..=LAST_SIGNAL {
        // SIGKILL and SIGSTOP have no other disposition: their refusal is right.
        let _ = set_default(signal);
    }
    set_mask(&signal_set(Some(&[])))
}

/// A descriptor, non-blocking and close-on-exec, from which the given blocked
/// signals are read.
///
/// # Errors
///
/// The system's, as when there are no descriptors left.
pub(crate) fn signal_descriptor(signals: &[c_int]) -> io::Result<OwnedFd> {
    let set = signal_set(Some(signals));
    // SAFETY: the set is initialised, and -1 asks for a new descriptor.
    let raw = checked(unsafe {
        libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK)
    })?;
    // SAFETY: the call succeeded, so `raw` is open and nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(raw) })
}

/// Asks the kernel itself: the C library would refuse 32 and 33, which it uses
/// between threads, and which come in ignored from some parents.
fn set_default(signal: c_int) -> io::Result<()> {
    // The kernel's `sigaction` on x86-64: handler (SIG_DFL), flags, restorer
    // and mask, of one word each.
    let action = [0_u64; 4];
    let none = ptr::null_mut::<u64>();
    // SAFETY: the action is of the kernel's form, with the mask's size of 8
    // bytes, and the old one is not asked for. No handler is installed, so
    // nothing can run at a bad moment.
    let result = unsafe {
        libc::syscall(libc::SYS_rt_sigaction, signal, action.as_ptr(), none, size_of::<u64>())
    };
    checked(result as c_int)?;
    Ok(())
}

fn set_mask(set: &libc::sigset_t) -> io::Result<()> {
    // SAFETY: the set is initialised, and the old one is not asked for.
    let error = unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, set, ptr::null_mut()) };
    match error {
        0 => Ok(()),
        errno => Err(io::Error::from_raw_os_error(errno)),
    }
}

/// A set of these signals; of all where none are named.
fn signal_set(signals: Option<&[c_int]>) -> libc::sigset_t {
    let mut set = MaybeUninit::uninit();
    // SAFETY: sigemptyset and sigfillset initialise the set that they are given
    // and cannot fail on a valid pointer; sigaddset then works on an initialised
    // one, and does nothing for a number that is no signal.
    unsafe {
        match signals {
            None => {
                libc::sigfillset(set.as_mut_ptr());
            }
            Some(signals) => {
                libc::sigemptyset(set.as_mut_ptr());
                for signal in signals {
                    libc::sigaddset(set.as_mut_ptr(), *signal);
                }
            }
        }
        set.assume_init()
    }
}

/// The result of a call that returns -1 for an error.
fn checked(result: c_int) -> io::Result<c_int> {
    match result {
        -1 => Err(io::Error::last_os_error()),
        fine => Ok(fine),
    }
}
