//! `outrigger check` as a person or a script uses it.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use outrigger_testkit::artifacts;
use serde_json::Value;

const WRONG: &str = env!("CARGO_BIN_EXE_outrigger-wrong-plugin");

fn check(arguments: &[&str]) -> Output {
    let mut command = Command::new(artifacts::command());
    command.arg("check").args(arguments).stdin(Stdio::null()).output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn error(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A directory whose metadata starts the wrong plugin with an argument.
fn distribution(parameter: &str) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    std::fs::copy(WRONG, directory.path().join("plugin")).unwrap();
    let metadata = serde_json::json!({
        "name": "wrong", "version": "1.0.0", "entrypoint": "plugin", "parameters": [parameter],
    });
    let path = directory.path().join("plugin-meta.json");
    std::fs::write(path, metadata.to_string()).unwrap();
    directory
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn json_names_subject_and_cases_and_the_status_says_that_all_held() {
    let output = check(&["--only", "2", "--json", WRONG]);
    assert_eq!(output.status.code(), Some(0), "{}", error(&output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["subject"], WRONG);
    let cases = report["cases"].as_array().unwrap();
    assert!(cases.len() > 10);
    for case in cases {
        for key in ["name", "rule", "strength", "result", "expected", "seen"] {
            assert!(case[key].is_string(), "{key} of {case}");
        }
        assert_eq!(case["result"], "pass", "{case}");
    }
}

#[test]
fn a_failure_says_what_was_expected_and_seen_and_where_the_rule_stands() {
    let output = check(&[WRONG, "core-2", "--only", "line-core-version,2.9"]);
    assert_eq!(output.status.code(), Some(1), "{}", error(&output));
    let table = out(&output);
    assert!(table.contains("2.5   line-core-version  FAIL"), "{table}");
    assert!(table.contains("expected  field 1 is `1`"), "{table}");
    assert!(table.contains("seen      `2`"), "{table}");
    assert!(table.contains("docs/wire/02-handshake-line.md, 2.5"), "{table}");
    assert!(table.ends_with("1 passed, 0 noted, 1 failed, 0 not applicable\n"), "{table}");
    assert_eq!(error(&output), "error: 1 case failed\n");
}

#[test]
fn advice_that_is_not_followed_fails_a_strict_check_alone() {
    let noted = check(&[WRONG, "status-1", "--only", "9.5"]);
    assert_eq!(noted.status.code(), Some(0), "{}", error(&noted));
    assert!(out(&noted).contains("it ended with status 1"), "{}", out(&noted));
    let strict = check(&[WRONG, "status-1", "--only", "9.5", "--strict"]);
    assert_eq!(strict.status.code(), Some(1));
}

#[test]
fn a_directory_is_started_by_its_metadata() {
    let directory = distribution("core-2");
    let output = check(&[text(directory.path()), "--only", "2.5,2.7"]);
    assert_eq!(output.status.code(), Some(1), "{}", error(&output));
    assert!(out(&output).contains("line-core-version  FAIL"), "{}", out(&output));
}

#[test]
fn a_distribution_is_unpacked_and_said_to_be_unverified() {
    let directory = distribution("core-2");
    let target = tempfile::tempdir().unwrap();
    let packed = Command::new(artifacts::command())
        .args(["pack", "--json", "--level", "0", "--output", text(target.path())])
        .arg(directory.path())
        .output()
        .unwrap();
    let packed: Value = serde_json::from_slice(&packed.stdout).unwrap();
    let output = check(&[packed["path"].as_str().unwrap(), "--only", "2.5,2.7"]);
    assert_eq!(output.status.code(), Some(1), "{}", error(&output));
    assert!(error(&output).contains("was not verified"), "{}", error(&output));
    assert!(out(&output).contains("line-core-version  FAIL"), "{}", out(&output));
}

#[test]
fn what_cannot_be_checked_is_told_apart_with_status_2() {
    let rows: [(&[&str], &str); 3] = [
        (&[WRONG, "--only", "no-such-case"], "no-such-case"),
        (&[WRONG, "--cookie", "KEY"], "KEY=VALUE"),
        (&[], "<FILE>"),
    ];
    for (arguments, expected) in rows {
        let output = check(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(error(&output).contains(expected), "{arguments:?}: {}", error(&output));
    }
}

#[test]
fn a_program_that_is_no_plugin_fails_one_case_and_is_quoted() {
    let output = check(&["/bin/ls", "--", "/nonexistent"]);
    assert_eq!(output.status.code(), Some(1));
    let table = out(&output);
    assert!(table.contains("line-comes"), "{table}");
    assert!(table.contains("/nonexistent"), "{table}");
    assert!(
        table.contains(" 0 passed, 0 noted, 1 failed,") || table.contains("\n0 passed"),
        "{table}"
    );
}

#[test]
fn another_cookie_is_for_another_host() {
    let output = check(&["--cookie", "OTHER_COOKIE=hello", "--only", "2.1", WRONG]);
    assert_eq!(output.status.code(), Some(1));
    assert!(out(&output).contains("not to be run by hand"), "{}", out(&output));
}

#[test]
fn the_list_has_every_case_and_what_it_needs() {
    let listed = out(&check(&["--list"]));
    assert_eq!(listed.lines().count(), outrigger_conformance::plugin::cases().count());
    assert!(listed.contains("mux-ping-answered"), "{listed}");
    let listed: Value = serde_json::from_str(&out(&check(&["--list", "--json"]))).unwrap();
    assert!(listed["cases"].as_array().unwrap().len() > 100);
}
