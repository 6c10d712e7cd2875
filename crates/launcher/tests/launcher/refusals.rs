//! Specs that the launcher does not run: it says why to its host and to
//! standard error, and exits with a code of its own.

use std::os::fd::OwnedFd;
use std::process::Stdio;

use outrigger_launcher::{Exec, ExitCode, MAX_SPEC, PROTOCOL_VERSION, Report, Spec};
use rustix::fs::SealFlags;
use rustix::net::{SendFlags, Shutdown, send, shutdown};

use crate::harness::{Launcher, launcher_path, memfd, path, program};

fn header(version: u8, length: usize) -> Vec<u8> {
    let length = u32::try_from(length).unwrap().to_le_bytes();
    [&b"ORL"[..], &[version], &length].concat()
}

/// What a launcher says to these bytes, after which the host says no more.
fn refusal_of(bytes: &[u8]) -> String {
    let launcher = Launcher::start();
    send(launcher.control(), bytes, SendFlags::empty()).unwrap();
    shutdown(launcher.control(), Shutdown::Write).unwrap();
    refusal(launcher)
}

fn refusal_of_spec(spec: Spec, memfd: Option<&OwnedFd>) -> String {
    let launcher = Launcher::start();
    launcher.send_with(spec, memfd);
    refusal(launcher)
}

/// The same words must reach the host and standard error.
fn refusal(mut launcher: Launcher) -> String {
    let (Report::Refused { message }, None) = launcher.report() else {
        panic!("not refused");
    };
    assert_eq!(launcher.complaint(), format!("outrigger-launcher: {message}\n"));
    assert_eq!(launcher.code(), Some(ExitCode::Spec.code()));
    message
}

#[track_caller]
fn says(message: &str, words: &str) {
    assert!(message.contains(words), "{message:?} lacks {words:?}");
}

#[test]
fn garbage_is_refused() {
    says(&refusal_of(b"{\"argv\": []}"), "no message");
    let mut body = header(PROTOCOL_VERSION, 9);
    body.extend(b"not json!");
    says(&refusal_of(&body), "cannot be read");
}

#[test]
fn a_refusal_quotes_no_value_of_the_spec() {
    let text = br#"{"exec": "memfd", "argv": "secret", "env": [], "cwd": "/"}"#;
    let mut body = header(PROTOCOL_VERSION, text.len());
    body.extend(text);
    let message = refusal_of(&body);
    says(&message, "Data error at column");
    assert!(!message.contains("secret"), "{message}");
}

#[test]
fn a_field_that_this_version_does_not_know_is_refused() {
    let text = br#"{"exec": {"path": "/bin/true"}, "argv": ["true"], "env": [], "cwd": "/", "core_dumps": false, "jail": 1}"#;
    let mut body = header(PROTOCOL_VERSION, text.len());
    body.extend(text);
    says(&refusal_of(&body), "cannot be read");
}

#[test]
fn another_version_is_refused_by_its_number() {
    says(&refusal_of(&header(9, 2)), "version 9");
}

#[test]
fn a_spec_that_is_too_large_is_refused_before_it_is_read() {
    let message = refusal_of(&header(PROTOCOL_VERSION, MAX_SPEC + 1));
    says(&message, "1048577 bytes is over the limit of 1048576");
}

#[test]
fn a_truncated_spec_is_refused() {
    let mut body = header(PROTOCOL_VERSION, 100);
    body.extend(b"{\"exec\"");
    says(&refusal_of(&body), "closed after 15 bytes");
    says(&refusal_of(b"OR"), "closed after 2 bytes");
}

#[test]
fn a_host_that_leaves_before_the_spec_ends_the_launcher() {
    let mut launcher = Launcher::start();
    drop(launcher.control.take());
    says(&launcher.complaint(), "the control socket was closed");
    assert_eq!(launcher.code(), Some(ExitCode::Spec.code()));
}

#[test]
fn a_memfd_that_can_still_change_is_refused() {
    let spec = Spec::new(Exec::Memfd, ["plugin"], "/");
    for seals in [SealFlags::empty(), SealFlags::WRITE, SealFlags::GROW | SealFlags::SHRINK] {
        let unsealed = memfd(b"#!", seals);
        says(&refusal_of_spec(spec.clone(), Some(&unsealed)), "sealed");
    }
    let (_reader, pipe) = std::io::pipe().unwrap();
    says(&refusal_of_spec(spec, Some(&pipe.into())), "sealed");
}

#[test]
fn a_descriptor_comes_with_a_memfd_spec_and_with_no_other() {
    let spec = Spec::new(Exec::Memfd, ["plugin"], "/");
    says(&refusal_of_spec(spec, None), "no descriptor");
    let stray = memfd(b"", SealFlags::empty());
    says(&refusal_of_spec(path(&["/bin/true"]), Some(&stray)), "names a path");
}

#[test]
fn a_spec_that_no_program_can_be_started_with_is_refused() {
    let none: [&str; 0] = [];
    let exec = Exec::Path("/bin/true".into());
    says(&refusal_of_spec(Spec::new(exec.clone(), none, "/"), None), "argument list is empty");
    says(
        &refusal_of_spec(Spec::new(exec.clone(), ["a\0b"], "/"), None),
        "argument 0 holds a zero byte",
    );
    says(
        &refusal_of_spec(Spec::new(exec.clone(), ["true"], "here"), None),
        "working directory \"here\" is not an absolute path",
    );
    let spec = Spec::new(exec, ["true"], "/").with_env("A=B", "c");
    says(&refusal_of_spec(spec, None), "\"A=B\"");
}

#[test]
fn by_hand_there_is_nothing_to_do_with_it() {
    let output = program(&[launcher_path()]).stdin(Stdio::null()).output().unwrap();
    assert_eq!(output.status.code(), Some(ExitCode::NoControl.code()));
    says(&String::from_utf8(output.stderr).unwrap(), "by hand");
}
