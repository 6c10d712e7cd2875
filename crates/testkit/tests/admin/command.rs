//! Through the command, over the Unix socket.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use outrigger_testkit::harness::eventually;
use outrigger_testkit::{artifacts, e2e, kit::Kit};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::running::Running;

fn error(output: &std::process::Output) -> String {
    error_of(output, 1)
}

fn error_of(output: &std::process::Output, status: i32) -> String {
    assert_eq!(output.status.code(), Some(status));
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let line = text.lines().find(|line| line.starts_with("error: "));
    line.unwrap_or_else(|| panic!("no error in {text}")).to_owned()
}

fn kill(pid: &Value) {
    let pid = Pid::from_raw(i32::try_from(pid.as_i64().unwrap()).unwrap()).unwrap();
    kill_process(pid, Signal::KILL).unwrap();
}

e2e! {
    async fn a_host_that_does_not_answer_is_waited_for_no_longer_than_was_asked_for() {
        let kit = Kit::with("ok");
        let host = Running::on(&kit, &[]);
        host.0.signal(Signal::STOP);
        for asked in [["status", "--timeout=100ms"], ["events", "--timeout=100ms"]] {
            let late = error_of(&host.outrigger(&asked), 3);
            assert!(late.contains("not answered within 100ms"), "{late}");
        }
        host.0.signal(Signal::CONT);
        host.ends();
    }

    async fn status_reload_stop_and_start_do_what_they_say() {
        let mut kit = Kit::with("ok");
        kit.add_fixture("other", "ok");
        let host = Running::on(&kit, &[]);
        let status = host.json(&["status", "--json"]);
        assert_eq!(status[0]["instance"], "helloworld");
        assert_eq!((&status[0]["state"], &status[0]["generation"]), (&json!("ready"), &json!(1)));
        assert!(status[0]["startMs"]["handshake"].as_f64().unwrap() > 0.0);
        let table = String::from_utf8(host.outrigger(&["status"]).stdout).unwrap();
        assert!(table.starts_with("INSTANCE") && table.contains("helloworld"), "{table}");

        let tried = host.json(&["reload", "helloworld", "--dry-run", "--json"]);
        assert_eq!((&tried["launched"], &tried["appVersion"]), (&json!(true), &json!(1)));
        let reloaded = host.outrigger(&["reload", "helloworld", "--reason", "a test"]);
        let said = String::from_utf8(reloaded.stdout).unwrap();
        assert_eq!(said, "helloworld: generation 3 serves\n");

        kit.pack_fixture("fixture-helloworld", "exit-before-handshake 9");
        let refused = error(&host.outrigger(&["reload", "helloworld"]));
        assert!(refused.contains("plugin `helloworld`") && refused.contains("exit code 9"), "{refused}");
        let some = error(&host.outrigger(&["reload", "--all"]));
        assert!(some.contains("1 of 2 plugins were not reloaded"), "{some}");
        let unknown = error_of(&host.outrigger(&["reload", "absent"]), 5);
        assert!(unknown.contains("absent") && unknown.contains("`helloworld`"), "{unknown}");

        assert!(host.outrigger(&["stop", "other"]).status.success());
        let status = host.json(&["status", "--json"]);
        assert_eq!((&status[1]["state"], &status[1]["pid"]), (&json!("stopped"), &Value::Null));
        assert!(host.outrigger(&["start", "other"]).status.success());
        assert_eq!(host.json(&["status", "--json"])[1]["state"], "ready");
        host.ends();
        kit.assert_clean();
    }

    async fn crashes_logs_and_events_tell_of_a_death() {
        let kit = Kit::with("flood-stderr");
        let host = Running::on(&kit, &[]);
        let mut events = Command::new(artifacts::command())
            .args(["events", "--json", "--socket", &host.socket()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(events.stdout.take().unwrap()).lines();
        let mut next = || -> Value { serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap() };
        let now = next();
        assert_eq!((&now["event"], &now["data"]["state"]), (&json!("status"), &json!("ready")));
        kill(&now["data"]["pid"]);
        let mut seen = Vec::new();
        while seen.last().is_none_or(|kind: &String| kind != "ready") {
            seen.push(next()["data"]["kind"].as_str().unwrap().to_owned());
        }
        assert!(seen.contains(&"crashed".to_owned()), "{seen:?}");
        events.kill().unwrap();
        events.wait().unwrap();
        let crashes = host.json(&["crashes", "helloworld", "--json"]);
        assert_eq!(crashes[0]["generation"], 1);
        assert!(crashes[0]["status"].as_str().unwrap().contains("signal 9"), "{crashes}");
        let logs = host.outrigger(&["logs", "helloworld", "-n", "3", "--json"]);
        let logs = String::from_utf8(logs.stdout).unwrap();
        assert_eq!(logs.lines().count(), 3, "{logs}");
        assert!(logs.contains("nobody asked it to"), "{logs}");
        let mut follow = Command::new(artifacts::command())
            .args(["logs", "helloworld", "-f", "--socket", &host.socket()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(follow.stdout.take().unwrap()).lines();
        assert_eq!(lines.take(500).filter(Result::is_ok).count(), 500);
        follow.kill().unwrap();
        follow.wait().unwrap();
        host.ends();
    }

    async fn a_host_that_is_not_there_is_an_error_that_says_what_to_do() {
        let kit = Kit::new();
        let absent = kit.path().join("admin.sock").display().to_string();
        let output = Command::new(artifacts::command())
            .args(["status", "--socket", &absent])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = error_of(&output, 3);
        assert!(text.contains(&absent) && text.contains("outrigger run"), "{text}");
    }

    async fn two_hosts_of_one_run_directory_have_a_socket_each_and_a_killed_one_leaves_it_free() {
        let kit = Kit::with("ok");
        let (mut first, second) = (Running::on(&kit, &[]), Running::on(&kit, &[]));
        assert_ne!(first.socket(), second.socket());
        for host in [&first, &second] {
            assert_eq!(host.json(&["status", "--json"])[0]["state"], "ready");
        }
        first.0.kill();
        let third = Running::on(&kit, &[]);
        assert_eq!(third.socket(), first.socket());
        assert_eq!(third.json(&["status", "--json"])[0]["state"], "ready");
        second.ends();
        third.ends();
        eventually("what the killed one left is swept", || {
            std::fs::read_dir(kit.run_dir()).unwrap().count() == 0
        })
        .await;
    }

    async fn each_line_of_the_log_is_a_json_object_where_that_is_asked_for() {
        let kit = Kit::with("flood-stderr");
        let mut command = Command::new(artifacts::command());
        let url = kit.settings_url();
        command.args(["run", "--json", "--log-format", "json", "--plugins.skipverify"]);
        command.args(["--plugins", &url]).env("OUTRIGGER_LOG", "info,outrigger::plugin=trace");
        let log = kit.path().join("log");
        command.stderr(std::fs::File::create(&log).unwrap());
        let host = outrigger_testkit::hosted::Hosted::start(command);
        let plugin_s = |text: &str| text.lines().filter(|line| line.contains("outrigger::plugin")).count();
        eventually("the plugin logs", || {
            plugin_s(&std::fs::read_to_string(&log).unwrap()) > 10
        }).await;
        host.stop();
        let text = std::fs::read_to_string(&log).unwrap();
        for line in text.lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            assert!(line["timestamp"].is_string() && line["level"].is_string(), "{line}");
            if line["target"] != "outrigger::plugin" {
                continue;
            }
            assert_eq!((&line["fields"]["plugin"], &line["fields"]["interface"]), (&json!("helloworld"), &json!("helloworld")));
            assert_eq!((&line["fields"]["version"], &line["fields"]["generation"]), (&json!("1.0.0"), &json!(1)), "{line}");
            assert!(line["fields"]["message"].is_string() && line["fields"]["fields"].is_string(), "{line}");
        }
    }
}
