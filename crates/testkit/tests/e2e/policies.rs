//! How plugins are kept alive and how much is asked of them, as settings say.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use outrigger::helloworld::{Greeter as _, Handle};
use outrigger::{EventKind, GatewayError, Generation, HostEvent, PluginState, Unavailable};
use outrigger_testkit::harness::eventually;
use outrigger_testkit::{artifacts, e2e, kit::Kit, load::Load};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use tokio::sync::broadcast::Receiver;

use crate::{greeter, kill, status, stop, wait_for};

/// Waits for the next event that `pick` takes.
async fn next<T>(events: &mut Receiver<HostEvent>, pick: impl Fn(&HostEvent) -> Option<T>) -> T {
    loop {
        if let Some(found) = pick(&events.recv().await.unwrap()) {
            return found;
        }
    }
}

e2e! {
    async fn a_generation_that_dies_on_probation_is_rolled_back_by_itself() {
        let kit = Kit::with("ok");
        let host = kit.start().await;
        let mut events = host.events();
        kit.pack_fixture("fixture-helloworld", "exit-after-ready 700");
        assert_eq!(host.reload("helloworld").await.unwrap(), Generation(2));
        let back = next(&mut events, |event| match event.kind {
            EventKind::RolledBack(generation) => Some(generation),
            _ => None,
        });
        assert_eq!(back.await, Generation(2));
        let now = wait_for(&host, |now| now.generation == Some(Generation(3))).await;
        assert_eq!(greeter(&host).greeting("x").await.unwrap(), "Hello x!");
        // It is the old one, which does not end.
        assert_eq!(now.crashes.len(), 1);
        let crash = now.crashes.iter().next().unwrap();
        assert_eq!(crash.generation, Generation(2));
        assert!(crash.reason.contains("exit code 3"), "{crash}");
        tokio::time::timeout(Duration::from_secs(2), wait_for(&host, |now| now.failures > 1))
            .await
            .expect_err("what came back stays");
        stop(host).await;
        kit.assert_clean();
    }

    async fn without_probation_a_bad_generation_is_restarted_like_any_other() {
        let mut kit = Kit::with("ok");
        kit.set("/timeouts/probation", json!("0s"));
        let host = kit.start().await;
        kit.pack_fixture("fixture-helloworld", "exit-after-ready 300");
        host.reload("helloworld").await.unwrap();
        wait_for(&host, |now| now.failures >= 2).await;
        stop(host).await;
        kit.assert_clean();
    }

    async fn calls_over_the_bound_wait_and_those_over_the_queue_are_refused() {
        let mut kit = Kit::with("slow-call");
        kit.set("/providers/helloworld/calls", json!({ "inFlight": 2, "queue": 1 }));
        let host = kit.start().await;
        let handle = greeter(&host);
        let call = |ms: u32| {
            let handle = handle.clone();
            tokio::spawn(async move { handle.greeting(&format!("sleep:{ms}")).await })
        };
        // Whichever comes last finds no place.
        let calls = [call(700), call(700), call(700), call(700)];
        let mut errors = Vec::new();
        for call in calls {
            errors.extend(call.await.unwrap().err());
        }
        let [error] = errors.as_slice() else { panic!("{errors:?}") };
        assert!(
            matches!(
                error,
                GatewayError::Unavailable(Unavailable::Busy { in_flight: 2, queue: 1, .. })
            ),
            "{error}"
        );
        assert!(error.was_not_sent());
        assert_eq!(handle.greeting("x").await.unwrap(), "Hello x!");
        stop(host).await;
    }

    async fn calls_wait_out_a_death_where_settings_say_so() {
        let mut kit = Kit::with("ok");
        kit.set("/calls/wait", json!("5s"));
        let host = kit.start().await;
        let load = Load::start(&greeter(&host), 4);
        load.progress(50).await;
        kill(status(&host).pid);
        wait_for(&host, |now| now.generation == Some(Generation(2))).await;
        load.progress(50).await;
        let outcome = load.finish().await;
        // Those that were under way are lost, and none that came after.
        let lost = outcome.failed.iter().all(|error| !error.was_not_sent());
        assert!(lost && outcome.failed.len() <= 4, "{:?}", outcome.failed);
        assert_eq!(outcome.wrong, 0);
        stop(host).await;
    }

    async fn plugins_start_after_those_they_name_and_stop_before_them() {
        let mut kit = Kit::with("slow-init 300");
        kit.add_fixture("after", "ok");
        kit.add_fixture("early", "ok");
        kit.set("/providers/after/after", json!(["helloworld"]));
        kit.set("/providers/helloworld/after", json!(["early"]));
        let host = kit.start().await;
        let mut events = host.events();
        let pids: Vec<_> = ["early", "helloworld", "after"]
            .map(|name| host.watch(name).unwrap().borrow().pid.unwrap())
            .into();
        assert!(pids.is_sorted(), "started in another order: {pids:?}");
        stop(host).await;
        let mut gone = Vec::new();
        while let Ok(event) = events.recv().await {
            if event.kind == EventKind::State(PluginState::Stopped) {
                gone.push(event.instance.to_string());
            }
        }
        assert_eq!(gone, ["after", "helloworld", "early"]);
        kit.assert_clean();
    }

    async fn a_circle_of_plugins_is_refused_with_its_place() {
        let mut kit = Kit::with("ok");
        kit.add_fixture("other", "ok");
        kit.set("/providers/other/after", json!(["helloworld"]));
        kit.set("/providers/helloworld/after", json!(["other"]));
        let error = kit.builder().register().unwrap_err().to_string();
        assert!(error.contains("after") && error.contains("break the circle"), "{error}");
        kit.set("/providers/helloworld/after", json!(["absent"]));
        let error = kit.builder().register().unwrap_err().to_string();
        assert!(error.contains("`absent` is no configured instance"), "{error}");
    }

    async fn with_rest_for_one_those_that_come_after_are_replaced_too() {
        let mut kit = Kit::with("ok");
        for instance in ["after", "last", "other"] {
            kit.add_fixture(instance, "ok");
        }
        kit.set("/providers/helloworld/restart", json!({ "strategy": "rest-for-one" }));
        kit.set("/providers/after/after", json!(["helloworld"]));
        kit.set("/providers/last/after", json!(["after"]));
        let host = kit.start().await;
        let mut events = host.events();
        kill(status(&host).pid);
        let mut ready = Vec::new();
        while ready.len() < 3 {
            let instance = next(&mut events, |event| match event.kind {
                EventKind::Ready(Generation(2)) => Some(event.instance.to_string()),
                _ => None,
            });
            ready.push(instance.await);
        }
        assert_eq!(ready, ["helloworld", "after", "last"]);
        let other = host.watch("other").unwrap().borrow().generation;
        assert_eq!(other, Some(Generation(1)));
        // The death of one that says nothing takes nobody along.
        kill(host.watch("after").unwrap().borrow().pid);
        let again = next(&mut events, |event| match event.kind {
            EventKind::Ready(generation) => Some((event.instance.to_string(), generation)),
            _ => None,
        });
        assert_eq!(again.await, ("after".to_owned(), Generation(3)));
        stop(host).await;
        kit.assert_clean();
    }

    async fn a_crash_report_says_how_it_ended_and_what_ended_with_it() {
        let kit = Kit::with("crash-on-call");
        let host = kit.start().await;
        let handle = greeter(&host);
        assert!(status(&host).crashes.is_empty());
        handle.greeting("crash").await.unwrap_err();
        let now = wait_for(&host, |now| now.generation == Some(Generation(2))).await;
        let crash = now.crashes.iter().next_back().unwrap();
        assert_eq!((crash.generation, crash.calls), (Generation(1), 1));
        assert!(crash.pid.is_some() && !crash.out_of_memory);
        assert!(crash.status.unwrap().to_string().contains("signal 6"), "{crash}");
        for generation in 2..=4_u64 {
            kill(status(&host).pid);
            wait_for(&host, |now| now.generation == Some(Generation(generation + 1))).await;
        }
        let kept: Vec<u64> = status(&host).crashes.iter().map(|crash| crash.generation.0).collect();
        assert_eq!(kept, [1, 2, 3, 4]);
        let handle: Handle = host.gateway("helloworld").unwrap();
        assert_eq!(handle.greeting("x").await.unwrap(), "Hello x!");
        stop(host).await;
    }

    async fn what_a_killed_host_left_is_swept_by_the_next_one_and_a_running_one_keeps_its_own() {
        let kit = Kit::with("ok");
        let run = || {
            let mut child = Command::new(artifacts::command())
                .args(["run", "--json", "--plugins.skipverify", "--plugins", &kit.settings_url()])
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let mut line = String::new();
            BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
            assert!(line.contains("ready"), "{line}");
            child
        };
        let hosts = || {
            let entries = std::fs::read_dir(kit.run_dir()).unwrap().flatten();
            entries.filter(|it| it.file_name().as_encoded_bytes().starts_with(b"h")).count()
        };
        let (mut killed, mut alive) = (run(), run());
        killed.kill().unwrap();
        killed.wait().unwrap();
        assert_eq!(hosts(), 2);
        let host = kit.start().await;
        eventually("what was left is gone", || hosts() == 2).await;
        assert_eq!(greeter(&host).greeting("x").await.unwrap(), "Hello x!");
        stop(host).await;
        assert_eq!(hosts(), 1, "the other host's is kept");
        let pid = Pid::from_raw(alive.id().try_into().unwrap()).unwrap();
        kill_process(pid, Signal::TERM).unwrap();
        assert!(alive.wait().unwrap().success());
        // What is left is the killed one's admin socket, for the next that has one.
        assert_eq!(hosts(), 0);
        assert_eq!(outrigger_testkit::census::files(&kit.run_dir()), ["admin.sock"]);
    }
}
