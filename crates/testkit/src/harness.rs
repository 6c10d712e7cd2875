//! A process for each test, and a watchdog over it.
//!
//! [`e2e!`](crate::e2e) makes a test that starts its own executable again for
//! just this test. The child is a subreaper, so whatever a test leaves behind
//! hangs below it and fails it; the parent kills the tree after 30 seconds and
//! prints what it said.

use std::fs::File;
use std::future::Future;
use std::io::{Read as _, Seek as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, kill_process, kill_process_group, pidfd_open,
    set_child_subreaper, waitid,
};

use crate::census::{Descendant, descendants, descendants_of};

/// For one test, from start to clean end.
pub const LIMIT: Duration = Duration::from_secs(30);

/// For what a test's host left to be gone.
const SETTLE: Duration = Duration::from_secs(3);

const CHILD: &str = "OUTRIGGER_E2E_TEST";

/// What of the log a failed test shows; by default `info`.
const LOG: &str = "OUTRIGGER_TEST_LOG";

/// Makes an end-to-end test: `e2e! { async fn name() { … } }`.
#[macro_export]
macro_rules! e2e {
    ($($(#[$doc:meta])* async fn $name:ident() $body:block)*) => {
        $(
            $(#[$doc])*
            #[test]
            fn $name() {
                $crate::harness::run(concat!(module_path!(), "::", stringify!($name)), || async $body);
            }
        )*
    };
}

/// Runs a test in a process of its own.
///
/// # Panics
///
/// When the test fails, does not end in time, or leaves a process behind.
pub fn run<F: Future<Output = ()>>(path: &str, body: impl FnOnce() -> F) {
    // The path starts with the test binary's own name.
    let name = path.split_once("::").map_or(path, |(_, name)| name);
    if std::env::var(CHILD).is_ok_and(|child| child == name) {
        in_child(body);
    } else {
        in_parent(name);
    }
}

fn in_child<F: Future<Output = ()>>(body: impl FnOnce() -> F) {
    set_child_subreaper(Some(rustix::process::getpid())).expect("any process may be a subreaper");
    let _twice = tracing_subscriber::fmt()
        .with_env_filter(std::env::var(LOG).unwrap_or_else(|_| "info".to_owned()))
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .try_init();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(body());
    drop(runtime);
    let left = settled();
    assert!(left.is_empty(), "the test left processes behind: {left:#?}");
}

/// What is left once zombies are reaped and the dying have died.
fn settled() -> Vec<Descendant> {
    let (mut left, mut waited) = (Vec::new(), Duration::ZERO);
    let step = Duration::from_millis(10);
    while waited < SETTLE {
        while let Ok(Some(_)) = waitid(WaitId::All, WaitIdOptions::EXITED | WaitIdOptions::NOHANG) {
        }
        left = descendants();
        if left.is_empty() {
            break;
        }
        // Nothing tells when a foreign process ends; a poll without
        // descriptors is the wait.
        pause(step);
        waited += step;
    }
    left
}

fn pause(duration: Duration) {
    let timeout = Timespec::try_from(duration).expect("a short time");
    let _elapsed = poll(&mut [], Some(&timeout));
}

#[expect(clippy::disallowed_methods, reason = "tests start processes")]
fn in_parent(name: &str) {
    let exe = std::env::current_exe().expect("the system knows this program");
    let mut output = tempfile::tempfile().expect("a temporary file");
    let both = || Stdio::from(output.try_clone().expect("a descriptor"));
    let mut child = Command::new(exe)
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(CHILD, name)
        .stdin(Stdio::null())
        .stdout(both())
        .stderr(both())
        .process_group(0)
        .spawn()
        .expect("this program starts again");
    let ended = wait(&mut child, LIMIT);
    let text = read(&mut output);
    match ended {
        None => {
            kill_tree(child.id());
            let _reaped = child.wait();
            panic!("{name} did not end within {LIMIT:?}; its output:\n{text}");
        }
        Some(status) if !status.success() => {
            // What it started is nobody's now, but for its group.
            if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
                let _gone = kill_process_group(group, Signal::KILL);
            }
            panic!("{name} failed ({status}):\n{text}")
        }
        Some(_) => assert!(text.contains("1 passed"), "{name} did not run:\n{text}"),
    }
}

fn read(output: &mut File) -> String {
    let mut bytes = Vec::new();
    output.rewind().expect("a file can be read again");
    output.read_to_end(&mut bytes).expect("a file can be read");
    let text = String::from_utf8_lossy(&bytes);
    // A flood's log is long; its end says what happened.
    let start = text.char_indices().rev().nth(60_000).map_or(0, |(index, _)| index);
    text[start..].to_owned()
}

/// Waits for a child's end; `None` when it takes longer than `limit`.
///
/// # Panics
///
/// When the system refuses a pidfd.
pub fn wait(child: &mut Child, limit: Duration) -> Option<ExitStatus> {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).expect("a process id");
    let pidfd = pidfd_open(pid, PidfdFlags::empty()).expect("a pidfd of a child");
    let timeout = Timespec::try_from(limit).expect("a short time");
    let mut watched = [PollFd::new(&pidfd, PollFlags::IN)];
    let ready = poll(&mut watched, Some(&timeout)).expect("a poll");
    (ready > 0).then(|| child.wait().expect("a child can be waited for"))
}

/// Kills a process and everything below it.
pub fn kill_tree(root: u32) {
    let root_pid = i32::try_from(root).unwrap_or(-1);
    let below = descendants_of(root).into_iter().map(|descendant| descendant.pid);
    for pid in below.chain([root_pid]).filter_map(Pid::from_raw) {
        let _gone = kill_process(pid, Signal::KILL);
    }
}

/// Waits until something holds, asking every 5 ms: for what nothing can be
/// awaited on, such as the death of a process that is no child.
///
/// # Panics
///
/// When it does not hold within ten seconds.
pub async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let mut ticks = tokio::time::interval(Duration::from_millis(5));
    let waiting = async {
        while !holds() {
            ticks.tick().await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(10), waiting).await;
    assert!(waited.is_ok(), "did not come about within ten seconds: {what}");
}
