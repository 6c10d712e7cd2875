//! Hosts of other people. What they get wrong is known, and stands in the book
//! where it says `Go:`; a change of it is news.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use outrigger_testkit::artifacts;

use crate::{check, text};

/// The programs print a report and exit with 0 whatever came of it.
const WRAPPER: &str = r#"#!/bin/sh
# A host by its report: HOST [FLAGS] PLUGIN
report=$("$@")
status=$?
printf '%s\n' "$report"
[ "$status" -eq 0 ] || exit "$status"
case $report in
*'"failed":{}'* | *'"failed": {}'*) exit 0 ;;
esac
exit 1
"#;

/// What every go-plugin up to 1.8.0 gets wrong.
const GO: [&str; 7] = [
    "health-checks-have-a-deadline",
    "held-pipes-do-not-delay-the-host",
    "inherited-variables-are-not-handed-on",
    "records-that-are-none-are-borne",
    "shutdown-has-a-deadline",
    "standard-output-is-read-as-bytes",
    "stopped-plugin-is-ended",
];

/// Checks a program that reports, and expects these failures.
fn known(program: &str, flags: &[&str], host_flags: &[&str], fails: &[&str]) {
    let Some(program) = artifacts::foreign(program) else { return };
    let directory = tempfile::tempdir().unwrap();
    let wrapper: PathBuf = directory.path().join("host");
    std::fs::write(&wrapper, WRAPPER).unwrap();
    std::fs::set_permissions(&wrapper, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = vec![text(&wrapper), text(&program)];
    command.extend(host_flags);
    check(flags, &command).fails(fails);
}

#[test]
fn the_newest_go_plugin_fails_the_cases_that_the_book_says() {
    let fails = [&GO[..], &["other-network-is-named"]].concat();
    known("interop-go-1.8.0", &[], &["host", "-steps", "ping,greeting,echo"], &fails);
}
