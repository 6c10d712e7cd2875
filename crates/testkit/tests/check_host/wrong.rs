//! A host that is wrong on purpose.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::thread;

use outrigger_testkit::artifacts;
use outrigger_testkit::wrong_host::{WRONGS, Wrong};

use crate::{Checked, check, text};

/// Checks that run at the same time: most of one is waiting.
const AT_ONCE: usize = 4;

/// Cases that every wrong host is held to beside its own, one of each kind.
const OTHERS: [&str; 10] = [
    "another-certificate-is-refused",
    "broker-stream-is-opened-once",
    "certificate-names-localhost",
    "cookie-is-set",
    "exit-without-a-line-fails-at-once",
    "line-may-end-with-crlf",
    "not-serving-is-alive",
    "odd-lines-of-the-log-are-borne",
    "plugin-is-asked-first",
    "version-that-was-not-offered-is-refused",
];

fn checked(wrong: Option<&Wrong>, flags: &[&str]) -> Checked {
    let host = artifacts::wrong_host();
    let mut command = vec![text(&host)];
    if let Some(wrong) = wrong {
        command.extend(["--wrong", wrong.name]);
    }
    check(&[&["--versions", "1,3"], flags].concat(), &command)
}

#[test]
fn a_small_host_that_is_right_fails_nothing() {
    checked(None, &[]).fails(&[]);
}

#[test]
fn each_wrong_of_a_host_fails_its_own_cases_and_no_others() {
    let waiting = Mutex::new(WRONGS.iter());
    let failures = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let Some(wrong) = waiting.lock().unwrap().next() else { return };
                    let only = [wrong.fails, &OTHERS].concat().join(",");
                    let checked = checked(Some(wrong), &["--only", &only]);
                    let expected: BTreeSet<&str> = wrong.fails.iter().copied().collect();
                    if checked.named("fail") != expected {
                        let seen = checked.explained("fail");
                        failures.lock().unwrap().push(format!("{}: {seen}", wrong.name));
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn a_host_that_does_not_host_is_told_so_and_not_judged() {
    let output = std::process::Command::new(artifacts::command())
        .args(["check", "--host", "--json", "--", "true"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("it did not start the plugin"), "{error}");
    assert!(output.stdout.is_empty());
}
