//! The hook in an embedder's executable, which this test is: it starts itself
//! again in the ways in which a host and a user would. It has a `main` of its
//! own, because a test harness runs tests on threads.
#![expect(clippy::unwrap_used, reason = "a test fails by its panic")]
#![expect(clippy::print_stdout, reason = "it is its own test harness")]

use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use outrigger_launcher::{
    ARGV0, End, Exec, ExitCode, Inbox, Report, Spec, control_pair, send_spec,
};

/// Set for a process that is the embedder's and not the test's.
const EMBEDDER: &str = "OUTRIGGER_HOOK_EMBEDDER";
/// Its value when a thread comes before the hook.
const THREADED: &str = "threaded";

const LIMIT: Duration = Duration::from_secs(25);

fn main() {
    let embedder = std::env::var(EMBEDDER).ok();
    if embedder.as_deref() == Some(THREADED) {
        std::thread::spawn(std::thread::park);
    }
    outrigger_launcher::hook();
    if embedder.is_some() {
        println!("the hook returned");
        return;
    }
    let tests: [(&str, fn()); 5] = [
        ("hook_becomes_the_launcher", hook_becomes_the_launcher),
        ("hook_returns_when_argv0_differs", hook_returns_when_argv0_differs),
        ("hook_returns_without_a_control_socket", hook_returns_without_a_control_socket),
        ("hook_refuses_with_more_than_one_thread", hook_refuses_with_more_than_one_thread),
        (
            "threads_are_the_embedders_own_when_it_is_no_launcher",
            threads_are_the_embedders_own_when_it_is_no_launcher,
        ),
    ];
    let filter = std::env::args().skip(1).find(|word| !word.starts_with('-'));
    for (name, test) in tests {
        if filter.as_ref().is_none_or(|filter| name.contains(filter)) {
            test();
            println!("test {name} ... ok");
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a test may start processes itself")]
fn embedder(argv0: &str, kind: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.arg0(argv0).env(EMBEDDER, kind);
    command
}

fn run(mut command: Command, stdin: impl Into<Stdio>) -> Output {
    command.stdin(stdin).output().unwrap()
}

fn returned(output: &Output) -> bool {
    output.status.success() && output.stdout == b"the hook returned\n"
}

/// The launcher's end of a control socket whose host has left already, so that
/// a launcher that starts by mistake ends too.
fn socket() -> OwnedFd {
    control_pair().unwrap().1
}

fn hook_becomes_the_launcher() {
    let (host, launcher) = control_pair().unwrap();
    let mut process =
        embedder(ARGV0, "plain").stdin(launcher).stdout(Stdio::null()).spawn().unwrap();
    let exec = Exec::Path("/bin/sh".into());
    let spec = Spec::new(exec, ["sh", "-c", "exit 5"], "/");
    send_spec(&host, &spec, None, LIMIT).unwrap();
    let mut inbox = Inbox::<Report>::new();
    let (started, pidfd) = inbox.receive_within(&host, LIMIT).unwrap();
    assert!(matches!(started, Report::Started { .. }) && pidfd.is_some());
    let (exited, _) = inbox.receive_within(&host, LIMIT).unwrap();
    let end = End::Code(5);
    assert_eq!(exited, Report::Exited { end });
    assert_eq!(process.wait().unwrap().code(), Some(0));
}

fn hook_returns_when_argv0_differs() {
    for argv0 in ["node", "", "/usr/bin/outrigger-launcher"] {
        assert!(returned(&run(embedder(argv0, "plain"), socket())));
    }
}

fn hook_returns_without_a_control_socket() {
    assert!(returned(&run(embedder(ARGV0, "plain"), Stdio::null())));
}

fn hook_refuses_with_more_than_one_thread() {
    let output = run(embedder(ARGV0, THREADED), socket());
    assert_eq!(output.status.code(), Some(ExitCode::Threads.code()));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("2 threads"), "{message}");
    assert!(message.contains("first line of a plain `fn main`"));
    assert!(output.stdout.is_empty());
}

fn threads_are_the_embedders_own_when_it_is_no_launcher() {
    assert!(returned(&run(embedder("node", THREADED), socket())));
}
