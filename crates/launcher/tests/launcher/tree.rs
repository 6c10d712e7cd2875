//! Nothing of a plugin's tree outlives it, whatever shape the tree has.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use outrigger_launcher::{End, ExitCode, SWEEP_DEADLINE};
use rustix::process::{Signal, pidfd_send_signal};

use crate::harness::{Launcher, now, path, program, wait_for_end};

#[test]
fn grandchild_that_holds_the_pipes_is_killed_when_the_plugin_exits() {
    let mut launcher = Launcher::with_script("sleep 300 & echo up; exit 3");
    assert_eq!(launcher.ended(), (End::Code(3), 1));
    assert_eq!(launcher.text(), "up\n", "the pipe ends with its last holder");
    assert_eq!(launcher.code(), Some(ExitCode::Done.code()));
}

#[test]
fn killing_the_host_takes_a_grandchild_in_its_own_session() {
    // Twice orphaned and in a session of its own.
    let script = "(setsid sh -c 'echo $$; exec sleep 300' &); exec sleep 300";
    let mut launcher = Launcher::with_script(script);
    let grandchild = launcher.line_as_process();
    // From here on another process is the host: it alone holds the socket.
    let control = launcher.control.take().unwrap();
    let mut host = program(&["/bin/sleep", "300"]).stdin(control).spawn().unwrap();
    let killed = now();
    host.kill().unwrap();
    host.wait().unwrap();
    wait_for_end(&grandchild);
    assert_eq!(launcher.code(), Some(ExitCode::HostGone.code()));
    assert!(killed.elapsed() < SWEEP_DEADLINE);
}

#[test]
fn children_that_the_plugin_never_reaps_go_with_it() {
    // A shell that execs has forgotten its children: they stay zombies.
    let mut launcher = Launcher::with_script("true & echo $$; exec sleep 300");
    let plugin: u32 = launcher.line().parse().unwrap();
    let zombie = || {
        let children = format!("/proc/{plugin}/task/{plugin}/children");
        let children = fs::read_to_string(children).unwrap_or_default();
        children.split_whitespace().any(|child| {
            let stat = fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
            stat.contains(") Z ")
        })
    };
    crate::harness::until(zombie);
    launcher.kill();
    launcher.ended();
    assert_eq!(launcher.census(), Vec::<String>::new());
}

#[test]
fn a_stopped_grandchild_is_killed() {
    let mut launcher = Launcher::with_script("sleep 300 & echo $!; wait");
    let grandchild = launcher.line_as_process();
    pidfd_send_signal(&grandchild, Signal::STOP).unwrap();
    launcher.kill();
    let (_, killed) = launcher.ended();
    assert_eq!(killed, 1);
}

#[test]
fn a_fork_bomb_of_two_hundred_processes_is_killed() {
    // A full binary tree of 127 shells, each with a sleep: 254 processes, half
    // of them in sessions of their own.
    let script = "\
        bomb() { \
            if [ $1 -gt 0 ]; then bomb $(($1 - 1)) & bomb $(($1 - 1)) & fi; \
            setsid sleep 300 & \
            echo up; wait; \
        }; bomb 6";
    let mut launcher = Launcher::with_script(script);
    for _ in 0..127 {
        assert_eq!(launcher.line(), "up");
    }
    let started = now();
    launcher.kill();
    let (_, killed) = launcher.ended();
    // 127 shells less the plugin, and their sleeps.
    assert_eq!(killed, 253);
    assert!(started.elapsed() < SWEEP_DEADLINE);
    assert_eq!(launcher.code(), Some(ExitCode::Done.code()));
}

#[test]
fn a_bomb_that_is_still_growing_is_killed() {
    // It is bounded, in case it is not.
    let script = "\
        i=0; while [ $i -lt 1000 ]; do i=$((i + 1)); setsid sleep 300 & \
        [ $i -eq 50 ] && echo up; done; wait";
    let mut launcher = Launcher::with_script(script);
    assert_eq!(launcher.line(), "up");
    launcher.kill();
    let (_, killed) = launcher.ended();
    assert!(killed >= 49, "{killed}");
    assert_eq!(launcher.code(), Some(ExitCode::Done.code()));
}

#[test]
fn a_chain_of_processes_that_each_start_the_next_and_exit_is_caught() {
    let directory = tempfile::tempdir().unwrap();
    let link = directory.path().join("link");
    fs::write(&link, "#!/bin/sh\necho link\nsetsid \"$0\" &\n").unwrap();
    fs::set_permissions(&link, Permissions::from_mode(0o755)).unwrap();
    let mut launcher = Launcher::start();
    launcher.send(path(&[link.to_str().unwrap()]));
    launcher.started();
    // The plugin itself is the first link, so its end begins the sweep.
    let (end, killed) = launcher.ended();
    assert_eq!(end, End::Code(0));
    assert!(killed >= 1, "{killed}");
    assert_eq!(launcher.code(), Some(ExitCode::Done.code()));
}

#[test]
fn a_chain_a_hundred_processes_deep_is_killed() {
    let script = "\
        deep() { \
            if [ $1 -gt 0 ]; then deep $(($1 - 1)) & else sleep 300 & fi; \
            echo; wait; \
        }; deep 100";
    let mut launcher = Launcher::with_script(script);
    for _ in 0..101 {
        launcher.line();
    }
    launcher.kill();
    assert_eq!(launcher.ended().1, 101);
    assert_eq!(launcher.code(), Some(ExitCode::Done.code()));
}
