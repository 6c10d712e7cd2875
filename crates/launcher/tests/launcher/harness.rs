//! A host in a few lines, with a deadline on every wait and a census of
//! processes at the end.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, Command as Process, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use outrigger_launcher::{
    Command, End, Exec, Inbox, Report, Spec, control_pair, send_command, send_spec,
};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// The longest that any one wait may take.
pub(crate) const LIMIT: Duration = Duration::from_secs(25);

/// The variable by which a census knows the processes of one test.
const MARK: &str = "OUTRIGGER_LAUNCHER_TEST";

/// A launcher, and the host's side of it.
pub(crate) struct Launcher {
    pub(crate) process: Child,
    /// The host's end; dropped when the host goes away.
    pub(crate) control: Option<OwnedFd>,
    inbox: Inbox<Report>,
    pub(crate) mark: String,
}

impl Launcher {
    /// Starts a launcher that waits for its spec.
    pub(crate) fn start() -> Self {
        Self::start_as(program(&[launcher_path()]), control_pair().unwrap())
    }

    /// Starts a launcher by way of a shell, which first does as it is told.
    pub(crate) fn start_after(preparation: &str) -> Self {
        let script = format!("{preparation}; exec \"$0\"");
        Self::start_as(
            program(&["/bin/sh", "-c", &script, launcher_path()]),
            control_pair().unwrap(),
        )
    }

    pub(crate) fn start_as(mut program: Process, (host, launcher): (OwnedFd, OwnedFd)) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let process =
            program.stdin(launcher).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        Self {
            process,
            control: Some(host),
            inbox: Inbox::new(),
            mark: format!("{}-{count}", std::process::id()),
        }
    }

    /// Starts a launcher with a shell script as its plugin, and waits until the
    /// script runs.
    pub(crate) fn with_script(script: &str) -> Self {
        let mut launcher = Self::start();
        launcher.send(shell(script));
        launcher.started();
        launcher
    }

    /// Sends a spec for a path, with the census's mark in its environment.
    pub(crate) fn send(&self, spec: Spec) {
        self.send_with(spec, None);
    }

    pub(crate) fn send_with(&self, spec: Spec, memfd: Option<&OwnedFd>) {
        let spec = spec.with_env(MARK, self.mark.as_str());
        send_spec(self.control(), &spec, memfd.map(AsFd::as_fd), LIMIT).unwrap();
    }

    pub(crate) fn control(&self) -> &OwnedFd {
        self.control.as_ref().expect("the host is still there")
    }

    pub(crate) fn kill(&self) {
        send_command(self.control(), Command::Kill, LIMIT).unwrap();
    }

    pub(crate) fn report(&mut self) -> (Report, Option<OwnedFd>) {
        let control = self.control.as_ref().expect("the host is still there");
        self.inbox.receive_within(control, LIMIT).unwrap()
    }

    /// The next report must be that the plugin runs.
    pub(crate) fn started(&mut self) -> (Pid, OwnedFd) {
        match self.report() {
            (Report::Started { pid }, Some(pidfd)) => {
                (Pid::from_raw(pid.try_into().unwrap()).unwrap(), pidfd)
            }
            other => panic!("not started: {other:?}"),
        }
    }

    /// The next two reports must be the plugin's end and the sweep's result;
    /// how the plugin ended and how many others were killed.
    pub(crate) fn ended(&mut self) -> (End, u32) {
        let (Report::Exited { end }, None) = self.report() else {
            panic!("not exited");
        };
        let (Report::Swept { killed, left: 0 }, None) = self.report() else {
            panic!("not swept");
        };
        (end, killed)
    }

    /// The next line of the plugin's output, without its end.
    pub(crate) fn line(&mut self) -> String {
        let stdout = self.process.stdout.as_mut().unwrap();
        let mut line = Vec::new();
        loop {
            let mut byte = [0];
            assert_eq!(read(stdout, &mut byte), 1, "the output ended early");
            if byte[0] == b'\n' {
                return String::from_utf8(line).unwrap();
            }
            line.push(byte[0]);
        }
    }

    /// The next line of the plugin's output as a process id, held by a pidfd.
    pub(crate) fn line_as_process(&mut self) -> OwnedFd {
        let pid = Pid::from_raw(self.line().parse().unwrap()).unwrap();
        pidfd_open(pid, PidfdFlags::empty()).unwrap()
    }

    /// All that the plugin wrote, to the end of the pipe.
    pub(crate) fn output(&mut self) -> Vec<u8> {
        read_all(self.process.stdout.as_mut().unwrap())
    }

    pub(crate) fn text(&mut self) -> String {
        String::from_utf8(self.output()).unwrap()
    }

    /// All that was written to standard error.
    pub(crate) fn complaint(&mut self) -> String {
        String::from_utf8(read_all(self.process.stderr.as_mut().unwrap())).unwrap()
    }

    /// Sends a signal to the launcher itself.
    pub(crate) fn signal(&self, signal: Signal) {
        let pidfd = pidfd_open(Pid::from_child(&self.process), PidfdFlags::empty()).unwrap();
        pidfd_send_signal(pidfd, signal).unwrap();
    }

    /// Waits for the launcher's end; its exit code, or none for a signal.
    pub(crate) fn code(&mut self) -> Option<i32> {
        // Once waited for, the id may be somebody else's.
        if let Some(status) = self.process.try_wait().unwrap() {
            return status.code();
        }
        let pidfd = pidfd_open(Pid::from_child(&self.process), PidfdFlags::empty()).unwrap();
        wait_for_end(&pidfd);
        self.process.wait().unwrap().code()
    }

    /// The processes that carry this launcher's mark.
    pub(crate) fn census(&self) -> Vec<String> {
        let mark = format!("{MARK}={}\0", self.mark);
        let marked = |environment: &[u8]| {
            environment.windows(mark.len()).any(|window| window == mark.as_bytes())
        };
        fs::read_dir("/proc")
            .unwrap()
            .flatten()
            .filter(|entry| fs::read(entry.path().join("environ")).is_ok_and(|all| marked(&all)))
            .map(|entry| entry.file_name().into_string().unwrap())
            .collect()
    }
}

impl Drop for Launcher {
    fn drop(&mut self) {
        drop(self.control.take());
        if std::thread::panicking() {
            // The lifeline takes the tree; the launcher is reaped at least.
            let _ = self.process.wait();
            return;
        }
        self.code();
        let left = self.census();
        assert!(left.is_empty(), "processes left behind: {left:?}");
    }
}

pub(crate) fn launcher_path() -> &'static str {
    env!("CARGO_BIN_EXE_outrigger-launcher")
}

/// A program with its arguments.
#[expect(clippy::disallowed_methods, reason = "a test may start processes itself")]
pub(crate) fn program(line: &[&str]) -> Process {
    let mut program = Process::new(line[0]);
    program.args(&line[1..]);
    program
}

/// A spec for a program at a path.
pub(crate) fn path(line: &[&str]) -> Spec {
    let exec = Exec::Path(line[0].into());
    Spec::new(exec, line.iter().copied(), "/").with_env("PATH", "/usr/bin:/bin")
}

/// A spec for a shell script.
pub(crate) fn shell(script: &str) -> Spec {
    path(&["/bin/sh", "-c", script])
}

/// A memfd with these bytes and these seals.
pub(crate) fn memfd(bytes: &[u8], seals: SealFlags) -> OwnedFd {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let mut file = File::from(memfd_create("plugin", flags).unwrap());
    file.write_all(bytes).unwrap();
    fcntl_add_seals(&file, seals).unwrap();
    file.into()
}

/// Waits until the process of a pidfd has ended.
pub(crate) fn wait_for_end(pidfd: &OwnedFd) {
    assert!(readable(pidfd, LIMIT), "the process did not end in time");
}

/// Waits until something is true that sends no event.
pub(crate) fn until(what: impl Fn() -> bool) {
    let end = now() + LIMIT;
    while !what() {
        assert!(now() < end, "it did not become true in time");
        let tick = Timespec { tv_sec: 0, tv_nsec: 1_000_000 };
        poll(&mut [], Some(&tick)).unwrap();
    }
}

#[expect(clippy::disallowed_methods, reason = "real processes run on real time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

fn readable(fd: impl AsFd, limit: Duration) -> bool {
    let limit = Timespec::try_from(limit).unwrap();
    poll(&mut [PollFd::new(&fd, PollFlags::IN)], Some(&limit)).unwrap() == 1
}

fn read(source: &mut (impl Read + AsFd), bytes: &mut [u8]) -> usize {
    assert!(readable(&*source, LIMIT), "nothing to read in time");
    source.read(bytes).unwrap()
}

fn read_all(source: &mut (impl Read + AsFd)) -> Vec<u8> {
    let mut all = Vec::new();
    let mut piece = vec![0; 64 << 10];
    loop {
        match read(source, &mut piece) {
            0 => return all,
            count => all.extend_from_slice(&piece[..count]),
        }
    }
}
