//! The launcher beside a running plugin: ends, signals, and a host that is slow
//! or gone.

use std::fs;
use std::os::fd::AsFd;

use outrigger_launcher::{End, ExitCode, Report, control_pair};
use rustix::io::Errno;
use rustix::net::{SendFlags, send};
use rustix::process::{Signal, pidfd_send_signal};

use crate::harness::{Launcher, launcher_path, path, program, shell, until, wait_for_end};

const KILLED: End = End::Signal { signal: libc::SIGKILL, core: false };

#[test]
fn the_exit_code_is_reported() {
    for code in [0, 1, 255] {
        let mut launcher = Launcher::with_script(&format!("exit {code}"));
        assert_eq!(launcher.ended(), (End::Code(code), 0));
        assert_eq!(launcher.code(), Some(ExitCode::Done.code()));
    }
}

#[test]
fn the_signal_that_ended_the_plugin_is_reported() {
    for signal in [libc::SIGTERM, libc::SIGKILL, libc::SIGSEGV] {
        let mut launcher = Launcher::with_script(&format!("kill -{signal} $$"));
        let end = End::Signal { signal, core: false };
        assert_eq!(launcher.ended(), (end, 0));
    }
}

#[test]
fn the_pidfd_is_the_plugins() {
    let mut launcher = Launcher::start();
    launcher.send(path(&["/bin/sleep", "300"]));
    let (_pid, pidfd) = launcher.started();
    pidfd_send_signal(&pidfd, Signal::KILL).unwrap();
    wait_for_end(&pidfd);
    assert_eq!(launcher.ended(), (KILLED, 0));
}

#[test]
fn a_kill_command_ends_plugin_and_launcher() {
    let mut launcher = Launcher::with_script("exec sleep 300");
    launcher.kill();
    assert_eq!(launcher.ended(), (KILLED, 0));
    assert_eq!(launcher.code(), Some(ExitCode::Done.code()));
}

#[test]
fn a_stopped_plugin_is_killed_too() {
    let mut launcher = Launcher::start();
    launcher.send(shell("sleep 300 & echo; wait"));
    let (_pid, pidfd) = launcher.started();
    launcher.line();
    pidfd_send_signal(&pidfd, Signal::STOP).unwrap();
    launcher.kill();
    assert_eq!(launcher.ended(), (KILLED, 1));
}

#[test]
fn closing_the_socket_ends_plugin_and_launcher() {
    let mut launcher = Launcher::start();
    launcher.send(path(&["/bin/sleep", "300"]));
    let (_pid, pidfd) = launcher.started();
    drop(launcher.control.take());
    wait_for_end(&pidfd);
    assert_eq!(launcher.code(), Some(ExitCode::HostGone.code()));
}

#[test]
fn the_output_belongs_to_the_plugin_alone() {
    // Once the plugin has closed its ends the pipes end, though it lives on.
    let mut launcher = Launcher::with_script("exec >/dev/null 2>/dev/null sleep 300");
    assert_eq!(launcher.text(), "");
    assert_eq!(launcher.complaint(), "");
    launcher.kill();
    assert_eq!(launcher.ended(), (KILLED, 0));
}

#[test]
fn orphans_that_end_are_reaped_while_the_plugin_lives() {
    let mut launcher = Launcher::with_script("(sleep 300 & echo $!); exec sleep 300");
    let orphan = launcher.line_as_process();
    pidfd_send_signal(&orphan, Signal::KILL).unwrap();
    // Only a reaped process takes no signal at all; a zombie still would.
    until(|| pidfd_send_signal(&orphan, Signal::KILL) == Err(Errno::SRCH));
    launcher.kill();
    assert_eq!(launcher.ended(), (KILLED, 0));
}

#[test]
fn a_host_that_does_not_read_cannot_hold_the_launcher() {
    let (host, other) = control_pair().unwrap();
    // The launcher's end is full before the launcher has it.
    loop {
        match send(&other, &[0; 4096], SendFlags::DONTWAIT) {
            Ok(_) => {}
            Err(Errno::AGAIN) => break,
            Err(errno) => panic!("{errno}"),
        }
    }
    let mut launcher = Launcher::start_as(program(&[launcher_path()]), (host, other));
    launcher.send(shell("sleep 300 & echo up"));
    assert_eq!(launcher.text(), "up\n", "the pipe ends with its last holder");
    assert_eq!(launcher.code(), Some(ExitCode::Done.code()));
}

#[test]
fn a_request_to_terminate_kills_the_tree() {
    let mut launcher = Launcher::with_script("sleep 300 & echo; wait");
    launcher.line();
    launcher.signal(Signal::TERM);
    assert_eq!(launcher.ended(), (KILLED, 1));
    assert_eq!(launcher.code(), Some(ExitCode::Terminated.code()));
}

#[test]
fn a_request_to_terminate_is_heard_before_the_spec() {
    let mut launcher = Launcher::start();
    let status = format!("/proc/{}/status", launcher.process.id());
    let holds_signals = |line: &str| line.starts_with("SigBlk:\tf");
    until(|| fs::read_to_string(&status).is_ok_and(|text| text.lines().any(holds_signals)));
    launcher.signal(Signal::TERM);
    assert_eq!(launcher.code(), Some(ExitCode::Terminated.code()));
}

#[test]
fn signals_of_the_terminal_and_of_strangers_are_ignored() {
    let mut launcher = Launcher::with_script("exec sleep 300");
    for signal in [
        Signal::INT,
        Signal::HUP,
        Signal::QUIT,
        Signal::USR1,
        Signal::USR2,
        Signal::TSTP,
        Signal::PIPE,
    ] {
        launcher.signal(signal);
    }
    launcher.kill();
    assert_eq!(launcher.ended(), (KILLED, 0));
    assert_eq!(launcher.code(), Some(ExitCode::Done.code()));
}

#[test]
fn the_plugin_dies_with_a_launcher_that_is_killed() {
    let mut launcher = Launcher::start();
    launcher.send(path(&["/bin/sleep", "300"]));
    let (_pid, pidfd) = launcher.started();
    launcher.signal(Signal::KILL);
    wait_for_end(&pidfd);
    assert_eq!(launcher.code(), None);
}

#[test]
fn something_that_is_no_command_ends_plugin_and_launcher() {
    let mut launcher = Launcher::with_script("exec sleep 300");
    send(launcher.control().as_fd(), b"no command", SendFlags::empty()).unwrap();
    assert_eq!(launcher.ended(), (KILLED, 0));
    assert_eq!(launcher.code(), Some(ExitCode::Command.code()));
}

#[test]
fn a_kill_that_comes_with_the_spec_leaves_nothing() {
    let mut launcher = Launcher::start();
    launcher.send(path(&["/bin/sleep", "300"]));
    launcher.kill();
    // Whether the program ran by then is a matter of luck; its end is not.
    let (mut report, _) = launcher.report();
    if matches!(report, Report::Started { .. }) {
        (report, _) = launcher.report();
    }
    assert_eq!(report, Report::Exited { end: KILLED });
    assert_eq!(launcher.code(), Some(ExitCode::Done.code()));
}
