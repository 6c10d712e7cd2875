//! One cell: the host's command line, what it is to do, and what it must have
//! seen.

use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use outrigger_testkit::artifacts;
use serde_json::Value;

use crate::cell::{Broker, Cell, Host, Plugin, Release, Tls};

/// A program and its first arguments; `None` where its language is missing.
fn host_command(host: Host) -> Option<Vec<String>> {
    let command = |path: PathBuf, arguments: &[&str]| {
        let path = path.display().to_string();
        std::iter::once(path).chain(arguments.iter().map(|a| (*a).to_owned())).collect()
    };
    match host {
        Host::Ours => Some(command(artifacts::interop_host(), &[])),
        Host::Go(release) => Some(command(go(release)?, &["host"])),
        Host::PythonPlugin => {
            Some(command(artifacts::foreign("python-plugin-host")?, &["-primed"]))
        }
    }
}

fn plugin_command(plugin: Plugin) -> Option<Vec<String>> {
    let (path, first) = match plugin {
        Plugin::Ours => (artifacts::interop_plugin(), None),
        Plugin::Go(release) => (go(release)?, Some("plugin")),
        Plugin::Python => (artifacts::foreign("interop-python")?, None),
        Plugin::Node => (artifacts::foreign("interop-node")?, None),
        Plugin::Java => (artifacts::foreign("interop-java")?, None),
    };
    Some(std::iter::once(path.display().to_string()).chain(first.map(str::to_owned)).collect())
}

fn go(release: Release) -> Option<PathBuf> {
    artifacts::foreign(&format!("interop-go-{release}"))
}

/// go-plugin before 1.4.4 cannot dial back under AutoMTLS, and its host does
/// not ask a plugin that dials for a certificate.
fn dials_back(cell: &Cell) -> bool {
    let old = |release| release == Release::V1_0_1;
    let old_plugin = matches!(cell.plugin, Plugin::Go(release) if old(release));
    cell.tls == Tls::Plain || !old_plugin
}

/// Whether what the plugin prints comes through the stdio stream: in go-plugin
/// since 1.1.0 on both sides; python-plugin never opens it.
fn carries_prints(cell: &Cell) -> bool {
    !matches!(cell.host, Host::Go(Release::V1_0_1) | Host::PythonPlugin)
        && cell.plugin != Plugin::Go(Release::V1_0_1)
}

/// What the host is to do, in order.
fn steps(cell: &Cell) -> Vec<&'static str> {
    let mut steps = vec!["ping", "greeting", "echo", "stream", "large", "calls"];
    steps.extend(["print", "log", "describe"]);
    if cell.broker != Broker::Without {
        if dials_back(cell) {
            steps.extend(["call-host", "offer", "both-twice"]);
        } else {
            steps.push("offer");
        }
    }
    steps
}

/// Runs a cell; what is wrong with what came of it, or nothing. `None` where a
/// language is missing.
pub(crate) fn run(cell: &Cell) -> Option<Vec<String>> {
    let (mut command, plugin) = (host_command(cell.host)?, plugin_command(cell.plugin)?);
    if cell.tls == Tls::Plain {
        command.push("-plain".to_owned());
    }
    if cell.broker == Broker::Multiplexed {
        command.push("-mux".to_owned());
    }
    command.extend(["-steps".to_owned(), steps(cell).join(",")]);
    command.extend(plugin);
    let output = Command::new(&command[0])
        .args(&command[1..])
        .stdin(Stdio::null())
        .process_group(0)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let report = text.lines().last().and_then(|line| serde_json::from_str(line).ok());
    let Some(report) = report else {
        let error = String::from_utf8_lossy(&output.stderr);
        return Some(vec![format!("no report ({}): {text}{error}", output.status)]);
    };
    Some(held_against(cell, &report))
}

/// What of a report is not as it must be.
fn held_against(cell: &Cell, report: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut must = |what: &str, holds: bool| {
        if !holds {
            wrong.push(what.to_owned());
        }
    };
    let failed = report["failed"].as_object().is_some_and(serde_json::Map::is_empty);
    must(&format!("failed: {}", report["failed"]), failed);
    let done = &report["done"];
    for step in steps(cell) {
        must(&format!("`{step}` was not done"), done[step].is_string());
    }
    must("the greeting", done["greeting"].as_str().is_some_and(|g| g.starts_with("Hallo ")));
    must("it was killed", report["forced_kill"] == false);
    must("it did not end", report["exited"] == true);
    if let Some(described) = done["describe"].as_str() {
        let (tls, broker) = (cell.tls == Tls::Auto, cell.broker == Broker::Multiplexed);
        let expected = format!("version 1, mutual TLS {tls}, multiplexed {broker}");
        must(&format!("it describes itself as `{described}`"), described == expected);
    }
    for (step, answer) in [("call-host", "host:question"), ("offer", "plugin:question")] {
        if let Some(seen) = done[step].as_str() {
            must(&format!("`{step}` answered `{seen}`"), seen == answer);
        }
    }
    if done["print"].is_string() && carries_prints(cell) {
        let printed = |key: &str, text| report[key].as_str().is_some_and(|t| t.contains(text));
        must("what it printed", printed("sync_stdout", "to stdout"));
    }
    if done["log"].is_string() {
        let lines = report["log"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let record = lines
            .into_iter()
            .any(|line: &str| line.contains("a record") && line.to_lowercase().contains("warn"));
        must("its log record at level warn", record);
    }
    if !wrong.is_empty() {
        wrong.push(format!("the report: {report}"));
    }
    wrong
}
