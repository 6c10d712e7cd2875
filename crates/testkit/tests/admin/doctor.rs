//! `outrigger doctor`, and what else the command says of itself.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Output, Stdio};

use outrigger_testkit::kit::{Kit, VERSION};
use outrigger_testkit::{artifacts, e2e};
use serde_json::{Value, json};

use crate::running::Running;

fn outrigger(arguments: &[&str]) -> Output {
    let mut command = Command::new(artifacts::command());
    command.args(arguments).stdin(Stdio::null()).output().unwrap()
}

/// What a check found, by its name, and whether any failed.
fn examine(kit: &Kit, flags: &[&str]) -> (bool, impl Fn(&str) -> (String, String) + use<>) {
    let url = kit.settings_url();
    let first = ["doctor", "--json", "--plugins", &url];
    let output = outrigger(&[first.as_slice(), flags].concat());
    let failed = output.status.code() == Some(1);
    let checks: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!("{error}: {output:?}");
    });
    let find = move |name: &str| {
        let found = checks.as_array().unwrap().iter().find(|check| check["name"] == name);
        let check = found.unwrap_or_else(|| panic!("no {name} in {checks:#}"));
        let text = format!("{} -> {}", check["seen"], check["remedy"]);
        (check["result"].as_str().unwrap().to_owned(), text)
    };
    (failed, find)
}

const LOCAL: [&str; 1] = ["--plugins.localverify"];

fn zip(kit: &Kit, name: &str) -> std::path::PathBuf {
    kit.base_dir().join(format!("{name}-{VERSION}-linux-amd64.zip"))
}

/// A fixture that is signed.
fn signed() -> Kit {
    let kit = Kit::with("ok");
    kit.sign(&zip(&kit, "fixture-helloworld"));
    kit
}

e2e! {
    async fn a_host_s_surroundings_that_are_well_pass_every_check() {
        let kit = signed();
        let host = Running::on(&kit, &[]);
        let (failed, find) = examine(&kit, &LOCAL);
        for name in [
            "settings", "register", "clock", "entropy", "pidfd", "subreaper", "memfd", "proc", "launcher",
            "run-dir", "base-dir", "key", "host", "helloworld-config", "helloworld-distribution",
            "helloworld-signature", "helloworld-metadata", "helloworld-entry-point",
        ] {
            let (result, text) = find(name);
            assert_eq!(result, "ok", "{name}: {text}");
        }
        assert!(!failed);
        host.ends();
        kit.assert_clean();
    }

    async fn settings_keys_and_signatures_that_are_wrong_are_told_with_what_to_do() {
        let mut kit = signed();
        // Another publisher's key.
        let ours = std::fs::read(kit.base_dir().join("gpg.key")).unwrap();
        kit.sign(&{
            kit.pack_fixture("other", "ok");
            zip(&kit, "other")
        });
        let (failed, find) = examine(&kit, &LOCAL);
        let (result, text) = find("helloworld-signature");
        assert!(failed && result == "failed" && text.contains("key that made it"), "{text}");
        assert_eq!(find("key").0, "ok");

        std::fs::write(kit.base_dir().join("gpg.key"), "no key").unwrap();
        let (result, text) = examine(&kit, &LOCAL).1("key");
        assert!(result == "failed" && text.contains("public key"), "{text}");

        std::fs::write(kit.base_dir().join("gpg.key"), ours).unwrap();
        assert!(!examine(&kit, &LOCAL).0);
        kit.set("/providers/helloworld/version", json!("9.9.9"));
        let (result, text) = examine(&kit, &LOCAL).1("helloworld-distribution");
        assert!(result == "failed" && text.contains("9.9.9"), "{text}");

        std::fs::write(kit.settings_file(), "{ \"baseDir\": 7 }").unwrap();
        let (result, text) = examine(&kit, &LOCAL).1("settings");
        assert!(result == "failed" && text.contains("baseDir"), "{text}");
    }

    async fn a_zip_of_another_machine_or_name_and_a_run_directory_of_others_fail() {
        let mut kit = Kit::new();
        let mut program = std::fs::read(artifacts::launcher()).unwrap();
        program.truncate(4096);
        let path = kit.pack("foreign", &[("run", &program, 0o755)], json!({ "entrypoint": "run" }));
        kit.provide("helloworld", "foreign");
        // The first bytes are stored as they are: the machine becomes AArch64.
        let mut bytes = std::fs::read(&path).unwrap();
        let at = bytes.windows(4).position(|part| part == b"\x7fELF").unwrap();
        assert_eq!(bytes[at + 18], 62);
        bytes[at + 18] = 183;
        std::fs::write(&path, bytes).unwrap();
        let skip = ["--plugins.skipverify"];
        let (failed, find) = examine(&kit, &skip);
        let (result, text) = find("helloworld-entry-point");
        assert!(failed && result == "failed" && text.contains("linux/arm64"), "{text}");
        assert_eq!(find("helloworld-signature").0, "warning");

        kit.pack_fixture("fixture", "ok");
        std::fs::rename(zip(&kit, "fixture"), zip(&kit, "renamed")).unwrap();
        kit.provide("helloworld", "renamed");
        let (result, text) = examine(&kit, &skip).1("helloworld-metadata");
        assert!(result == "failed" && text.contains("fixture"), "{text}");

        let script = [("run", &b"#!/usr/bin/env no-such-interpreter\n"[..], 0o755)];
        kit.pack("script", &script, json!({ "entrypoint": "run" }));
        kit.provide("helloworld", "script");
        let (result, text) = examine(&kit, &skip).1("helloworld-entry-point");
        assert!(result == "failed" && text.contains("no-such-interpreter"), "{text}");

        std::fs::create_dir(kit.run_dir()).unwrap();
        std::fs::set_permissions(kit.run_dir(), std::fs::Permissions::from_mode(0o777)).unwrap();
        let (result, text) = examine(&kit, &skip).1("run-dir");
        assert!(result == "failed" && text.contains("777"), "{text}");
        kit.set("/runDir", json!(kit.path().join("x".repeat(80))));
        let (result, text) = examine(&kit, &skip).1("run-dir");
        assert!(result == "failed" && text.contains("90"), "{text}");
        kit.set("/launcher", json!("/nonexistent/launcher"));
        assert_eq!(examine(&kit, &skip).1("launcher").0, "failed");
    }

    async fn without_settings_the_machine_and_the_paths_are_looked_at() {
        let kit = Kit::new();
        let absent = kit.path().join("absent").display().to_string();
        let output = outrigger(&["doctor", &absent]);
        assert_eq!(output.status.code(), Some(1));
        let table = String::from_utf8_lossy(&output.stdout);
        assert!(table.contains("FAILED") && table.contains("pidfd") && table.contains(&absent), "{table}");
        assert!(!table.contains('\u{1b}'), "nobody sees colours here");
    }

    async fn an_error_is_a_json_object_on_standard_error_where_json_is_asked_for() {
        let kit = Kit::with("ok");
        let host = Running::on(&kit, &[]);
        let absent = kit.path().join("absent.sock").display().to_string();
        for (output, status, kind) in [
            (host.outrigger(&["reload", "absent", "--json"]), 5, "no-instance"),
            (host.outrigger(&["logs", "absent", "--json"]), 5, "no-instance"),
            (host.outrigger(&["crashes", "absent", "--json"]), 5, "no-instance"),
            (host.outrigger(&["start", "absent", "--json"]), 5, "no-instance"),
            (outrigger(&["status", "--json", "--socket", &absent]), 3, "no-host"),
            (outrigger(&["events", "--json", "--socket", &absent]), 3, "no-host"),
            (outrigger(&["pack", &absent, "--json"]), 1, "failed"),
            (outrigger(&["run", "--log-format", "json", "--plugins.skipverify"]), 2, "usage"),
        ] {
            assert_eq!(output.status.code(), Some(status), "{output:?}");
            assert!(output.stdout.is_empty(), "{output:?}");
            let text = String::from_utf8(output.stderr).unwrap();
            let error: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
            assert_eq!((&error["error"]["status"], &error["error"]["kind"]), (&json!(status), &json!(kind)));
            assert!(error["error"]["message"].is_string());
        }
        assert_eq!(host.json(&["stop", "helloworld", "--json"])["instance"], "helloworld");
        assert_eq!(host.json(&["start", "helloworld", "--json"])["generation"], 2);
        host.ends();
    }

    async fn with_json_logs_each_line_on_standard_error_is_an_object() {
        let kit = Kit::with("flood-stderr");
        let url = kit.settings_url();
        let arguments = ["run", "--json", "--log-format", "json", "--plugins.skipverify", "--plugins", &url];
        let mut child = Command::new(artifacts::command())
            .args(arguments)
            .env("OUTRIGGER_LOG", "info,outrigger::plugin=trace")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let stderr = BufReader::new(child.stderr.take().unwrap());
        // A pipe that nobody reads would stop the host.
        let (sender, lines) = std::sync::mpsc::channel::<Value>();
        let reader = std::thread::spawn(move || {
            for line in stderr.lines().map(Result::unwrap) {
                let line: Value = serde_json::from_str(&line).unwrap();
                assert!(line["level"].is_string() && line["fields"].is_object(), "{line}");
                sender.send(line).unwrap();
            }
        });
        let ready = stdout.lines().next().unwrap().unwrap();
        assert!(ready.contains("\"ready\""), "{ready}");
        let next = || lines.recv_timeout(std::time::Duration::from_secs(15)).unwrap();
        while next()["target"] != "outrigger::plugin" {}
        let pid = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        // Until the host has closed it.
        while lines.recv().is_ok() {}
        reader.join().unwrap();
        assert!(child.wait().unwrap().success());
    }
}

#[test]
fn completions_are_ones_that_bash_takes_and_have_every_subcommand() {
    let help = String::from_utf8(outrigger(&["--help"]).stdout).unwrap();
    let commands = help.split("Commands:").nth(1).unwrap().split("Options:").next().unwrap();
    let names: Vec<&str> = commands
        .lines()
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(names.len() > 20, "{names:?}");
    let bash = outrigger(&["completions", "bash"]).stdout;
    let directory = tempfile::tempdir().unwrap();
    let script = directory.path().join("outrigger");
    std::fs::write(&script, &bash).unwrap();
    let checked = Command::new("bash").arg("-n").arg(&script).output().unwrap();
    assert!(checked.status.success(), "{checked:?}");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let text = String::from_utf8(outrigger(&["completions", shell]).stdout).unwrap();
        for name in &names {
            assert!(text.contains(name), "{shell}: {name}");
        }
    }
    let pages = directory.path().join("man1");
    std::fs::create_dir(&pages).unwrap();
    let written = outrigger(&["man", pages.to_str().unwrap()]);
    assert!(written.status.success(), "{written:?}");
    for name in names.iter().filter(|name| **name != "help") {
        assert!(pages.join(format!("outrigger-{name}.1")).exists(), "{name}");
    }
}
