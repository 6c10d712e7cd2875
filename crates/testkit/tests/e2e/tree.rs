//! Nothing survives: not the plugin, not what it started, whoever dies first.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};

use outrigger::Containment;
use outrigger::helloworld::Greeter as _;
use outrigger_testkit::census::{descendants_of, files, lives};
use outrigger_testkit::harness::eventually;
use outrigger_testkit::{artifacts, e2e, kit::Kit};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::{greeter, status, stop, wait_for};

fn kill(pid: u32, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}

/// `outrigger run` on a kit, and what its line of readiness says.
fn run_command(kit: &Kit) -> (Child, Output, Value) {
    let mut child = Command::new(artifacts::command())
        .args(["run", "--plugins.skipverify", "--json", "--plugins"])
        .arg(kit.settings_url())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .process_group(0)
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let ready = read_line(&mut output);
    (child, output, ready)
}

fn read_line(output: &mut Output) -> Value {
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    serde_json::from_str(&line).unwrap()
}

type Output = BufReader<std::process::ChildStdout>;

/// The plugin processes below a host.
fn plugins_below(pid: u32) -> Vec<i32> {
    let below = descendants_of(pid).into_iter();
    below.filter(|it| it.command.contains("fixture-plugin")).map(|it| it.pid).collect()
}

e2e! {
    async fn a_stop_takes_a_grandchild_in_its_own_session_along() {
        let kit = Kit::with("daemon-grandchild");
        let host = kit.start().await;
        let grandchild: u32 = greeter(&host).greeting("grandchild").await.unwrap().parse().unwrap();
        assert!(lives(grandchild));
        stop(host).await;
        assert!(!lives(grandchild));
        kit.assert_clean();
    }

    /// It must not wait for the pipe's end, which the grandchild delays.
    async fn a_plugin_whose_grandchild_holds_standard_error_is_seen_dead_at_once() {
        let kit = Kit::with("grandchild");
        let host = kit.start().await;
        let grandchild: u32 = greeter(&host).greeting("grandchild").await.unwrap().parse().unwrap();
        let before = status(&host);
        kill(before.pid.unwrap(), Signal::KILL);
        wait_for(&host, |now| now.generation > before.generation).await;
        eventually("the grandchild dies with its plugin", || !lives(grandchild)).await;
        stop(host).await;
        kit.assert_clean();
    }

    async fn a_host_killed_with_sigkill_leaves_no_plugin_and_no_grandchild() {
        let kit = Kit::with("daemon-grandchild");
        let (mut command, _output, ready) = run_command(&kit);
        let plugin = u32::try_from(ready["plugins"][0]["pid"].as_u64().unwrap()).unwrap();
        assert!(lives(plugin));
        let below = descendants_of(command.id());
        assert!(below.iter().any(|process| process.command.contains("sleep 600")), "{below:#?}");
        command.kill().unwrap();
        command.wait().unwrap();
        for process in below {
            let pid = u32::try_from(process.pid).unwrap();
            eventually(&format!("{} dies with the host", process.command), || !lives(pid)).await;
        }
    }

    async fn the_command_stops_on_sigterm_and_leaves_nothing() {
        let kit = Kit::with("ok");
        let (mut command, _output, ready) = run_command(&kit);
        assert_eq!(ready["event"], "ready");
        assert_eq!(ready["plugins"][0]["state"], "ready");
        kill(command.id(), Signal::TERM);
        assert!(command.wait().unwrap().success());
        kit.assert_clean();
    }

    async fn a_plugin_that_ignores_every_request_to_stop_is_killed() {
        let mut kit = Kit::with("ignore-shutdown");
        kit.set("/timeouts", serde_json::json!({
            "shutdown": "200ms", "terminate": "200ms", "kill": "500ms",
        }));
        let host = kit.start().await;
        let pid = status(&host).pid.unwrap();
        stop(host).await;
        assert!(!lives(pid));
        kit.assert_clean();
    }

    async fn a_plugin_that_is_stopped_by_sigstop_is_killed_by_a_stop() {
        let mut kit = Kit::with("ok");
        kit.set("/timeouts", serde_json::json!({
            "shutdown": "200ms", "terminate": "200ms", "kill": "500ms", "healthInterval": "10s",
        }));
        let host = kit.start().await;
        let pid = status(&host).pid.unwrap();
        kill(pid, Signal::STOP);
        stop(host).await;
        assert!(!lives(pid));
        kit.assert_clean();
    }

    async fn a_host_that_is_dropped_without_a_stop_kills_its_plugins() {
        let kit = Kit::with("daemon-grandchild");
        let host = kit.start().await;
        let pid = status(&host).pid.unwrap();
        let handle = greeter(&host);
        tokio::task::spawn_blocking(move || drop(host)).await.unwrap();
        eventually("the plugin dies with the host", || !lives(pid)).await;
        eventually("its files go with it", || files(&kit.run_dir()).is_empty()).await;
        let error = handle.greeting("x").await.unwrap_err();
        assert!(error.was_not_sent(), "{error}");
    }

    async fn sighup_takes_up_what_differs_and_a_closed_output_ends_nothing() {
        let mut kit = Kit::with("ok");
        let (mut command, mut output, ready) = run_command(&kit);
        assert_eq!(ready["plugins"][0]["generation"], 1);
        kill(command.id(), Signal::HUP);
        let reloaded = read_line(&mut output);
        assert_eq!(reloaded["event"], "reloaded");
        assert_eq!(reloaded["unchanged"], json!(["helloworld"]));
        assert_eq!(reloaded["plugins"][0]["generation"], 1);
        kit.set("/providers/helloworld/config", json!({ "language": "de" }));
        kit.add_fixture("second", "ok");
        kill(command.id(), Signal::HUP);
        let reloaded = read_line(&mut output);
        assert_eq!(reloaded["failed"], json!([]), "{reloaded}");
        assert_eq!(reloaded["changed"], json!(["helloworld"]));
        assert_eq!(reloaded["added"], json!(["second"]));
        assert_eq!(reloaded["plugins"][0]["generation"], 2);
        kit.set("/providers", json!({}));
        kit.provide("helloworld", "fixture-helloworld");
        kill(command.id(), Signal::HUP);
        let reloaded = read_line(&mut output);
        assert_eq!(reloaded["removed"], json!(["second"]));
        assert_eq!(reloaded["plugins"].as_array().unwrap().len(), 1);
        drop(output);
        kit.set("/providers/helloworld/config", json!({ "language": "de" }));
        let before = plugins_below(command.id());
        kill(command.id(), Signal::HUP);
        let replaced = || {
            let now = plugins_below(command.id());
            now.len() == 1 && now != before
        };
        eventually("a second reload", replaced).await;
        kill(command.id(), Signal::TERM);
        assert!(command.wait().unwrap().success());
        kit.assert_clean();
    }

    async fn a_stop_during_the_start_leaves_nothing() {
        let kit = Kit::with("init-hangs");
        let mut command = Command::new(artifacts::command())
            .args(["run", "--plugins.skipverify", "--plugins"])
            .arg(kit.settings_url())
            .stdin(Stdio::null())
            .process_group(0)
            .spawn()
            .unwrap();
        let pid = command.id();
        eventually("the plugin runs", || !plugins_below(pid).is_empty()).await;
        kill(pid, Signal::TERM);
        assert_eq!(command.wait().unwrap().code(), Some(1));
        kit.assert_clean();
    }

    async fn without_a_launcher_the_host_runs_and_says_so() {
        let mut kit = Kit::with("grandchild");
        kit.without_launcher();
        let host = kit.start().await;
        let before = status(&host);
        assert_eq!(before.containment, Some(Containment::Child));
        let grandchild: u32 = greeter(&host).greeting("grandchild").await.unwrap().parse().unwrap();
        kill(before.pid.unwrap(), Signal::KILL);
        wait_for(&host, |now| now.generation > before.generation).await;
        eventually("what it left in its group is killed", || !lives(grandchild)).await;
        assert_eq!(greeter(&host).greeting("x").await.unwrap(), "Hello x!");
        stop(host).await;
        kit.assert_clean();
    }
}
