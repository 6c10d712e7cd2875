//! Reload: under load, with changed settings, to something bad, exclusively.

use std::time::Duration;

use outrigger::helloworld::Greeter as _;
use outrigger::{EventKind, Generation, PluginState};
use outrigger_testkit::{e2e, kit::Kit, load::Load};
use serde_json::json;

use crate::{greeter, status, stop, wait_for};

e2e! {
    async fn twenty_reloads_under_load_lose_no_call() {
        let kit = Kit::with("ok");
        let host = kit.start().await;
        let load = Load::start(&greeter(&host), 8);
        for n in 2..22 {
            load.progress(20).await;
            assert_eq!(host.reload("helloworld").await.unwrap(), Generation(n));
        }
        let outcome = load.finish().await;
        assert!(outcome.failed.is_empty(), "{:?}", outcome.failed);
        assert_eq!(outcome.wrong, 0);
        assert!(outcome.answered >= 400);
        stop(host).await;
        kit.assert_clean();
    }

    async fn a_reload_reads_the_settings_anew() {
        let mut kit = Kit::with("ok");
        let host = kit.start().await;
        let greeter = greeter(&host);
        assert_eq!(greeter.greeting("x").await.unwrap(), "Hello x!");
        kit.set("/providers/helloworld/config", json!({ "language": "de" }));
        host.reload("HelloWorld").await.unwrap();
        assert_eq!(greeter.greeting("x").await.unwrap(), "Hallo x!");
        stop(host).await;
    }

    async fn a_reload_to_a_bad_generation_leaves_the_old_one_serving() {
        let bad = [
            ("reject-config", "this fixture takes no config"),
            ("exit-before-handshake 7", "exit code 7"),
            ("crash-before-handshake", "signal 6"),
            ("garbage-line", "no handshake line"),
            ("wrong-app-version", "application protocol version 7"),
            ("wrong-cert", "identity mismatch"),
            ("init-panics", "its initialisation failed"),
            ("netrpc", "net/rpc"),
        ];
        let mut kit = Kit::with("ok");
        kit.set("/timeouts/start", json!("1s"));
        let host = kit.start().await;
        let load = Load::start(&greeter(&host), 4);
        for (scenario, reason) in bad {
            load.progress(20).await;
            kit.pack_fixture("fixture-helloworld", scenario);
            let error = host.reload("helloworld").await.unwrap_err().to_string();
            assert!(error.starts_with("plugin `helloworld`: "), "{scenario}: {error}");
            assert!(error.contains(reason), "{scenario}: {error}");
            let status = status(&host);
            assert_eq!(status.state, PluginState::Ready, "{scenario}");
            assert_eq!(status.generation, Some(Generation(1)), "{scenario}");
        }
        let outcome = load.finish().await;
        assert!(outcome.failed.is_empty(), "{:?}", outcome.failed);
        stop(host).await;
        kit.assert_clean();
    }

    async fn a_reload_to_settings_that_are_half_written_leaves_the_old_ones_in_force() {
        let kit = Kit::with("ok");
        let host = kit.start().await;
        std::fs::write(kit.settings_file(), "{\n  \"providers\": {\n    \"helloworld\": {").unwrap();
        let error = host.reload("helloworld").await.unwrap_err().to_string();
        assert!(error.contains("line 3"), "{error}");
        assert_eq!(greeter(&host).greeting("x").await.unwrap(), "Hello x!");
        stop(host).await;
    }

    async fn a_reload_of_an_unknown_instance_names_those_that_there_are() {
        let kit = Kit::with("ok");
        let host = kit.start().await;
        let error = host.reload("account").await.unwrap_err().to_string();
        assert_eq!(error, "no such plugin provider: account; configured are `helloworld`");
        stop(host).await;
    }

    async fn in_an_exclusive_reload_calls_wait_and_no_two_generations_live_at_once() {
        let mut kit = Kit::with("ok");
        kit.set("/providers/helloworld/reload", json!("exclusive"));
        kit.set("/timeouts/reloadQueue", json!("20s"));
        kit.set("/timeouts/call", json!("20s"));
        let host = kit.start().await;
        let first = status(&host).pid.unwrap();
        let load = Load::start(&greeter(&host), 8);
        load.progress(50).await;
        let mut events = host.events();
        host.reload("helloworld").await.unwrap();
        // The first one is gone before the second one is launched.
        let mut order = Vec::new();
        while order.len() < 3 {
            match events.recv().await.unwrap().kind {
                EventKind::State(PluginState::Switching) => order.push("switching"),
                EventKind::Gone { generation: Generation(1), .. } => order.push("gone"),
                EventKind::State(PluginState::Starting) => order.push("starting"),
                _ => {}
            }
        }
        assert_eq!(order, ["switching", "gone", "starting"]);
        assert!(!outrigger_testkit::census::lives(first));
        load.progress(50).await;
        let outcome = load.finish().await;
        assert!(outcome.failed.is_empty(), "{:?}", outcome.failed);
        stop(host).await;
        kit.assert_clean();
    }

    async fn an_exclusive_reload_that_fails_brings_the_old_version_back() {
        let mut kit = Kit::with("ok");
        kit.set("/providers/helloworld/reload", json!("exclusive"));
        kit.set("/timeouts/reloadQueue", json!("20s"));
        let host = kit.start().await;
        kit.pack_fixture("fixture-helloworld", "exit-before-handshake 9");
        let error = host.reload("helloworld").await.unwrap_err().to_string();
        assert!(error.contains("exit code 9"), "{error}");
        wait_for(&host, |now| now.state == PluginState::Ready).await;
        assert_eq!(greeter(&host).greeting("x").await.unwrap(), "Hello x!");
        stop(host).await;
        kit.assert_clean();
    }

    async fn reloads_asked_for_at_once_share_a_generation() {
        let kit = Kit::with("ok");
        let host = std::sync::Arc::new(kit.start().await);
        let reloads: Vec<_> = (0..50)
            .map(|_| {
                let host = host.clone();
                tokio::spawn(async move { host.reload("helloworld").await.unwrap() })
            })
            .collect();
        let mut last = Generation(1);
        for reload in reloads {
            last = last.max(reload.await.unwrap());
        }
        // One that ran when others were asked for, and few that began after.
        assert!(last <= Generation(10), "{last} generations for fifty requests");
        stop(std::sync::Arc::into_inner(host).unwrap()).await;
    }

    async fn a_call_that_outlasts_the_drain_is_cut_off_with_the_reason() {
        let mut kit = Kit::with("hang-on-call");
        kit.set("/timeouts", json!({ "drain": "200ms", "call": "20s" }));
        let host = kit.start().await;
        let handle = greeter(&host);
        let mut hanging = std::pin::pin!(handle.greeting("hang"));
        // Under way once it was polled and another one after it is answered.
        tokio::select! {
            biased;
            answer = &mut hanging => panic!("it was answered: {answer:?}"),
            greeting = handle.greeting("x") => drop(greeting.unwrap()),
        }
        let (reloaded, cut) = tokio::join!(
            host.reload("helloworld"),
            tokio::time::timeout(Duration::from_secs(10), &mut hanging),
        );
        reloaded.unwrap();
        let error = cut.unwrap().unwrap_err();
        assert_eq!(error.outcome(), "unavailable", "{error}");
        assert!(!error.was_not_sent());
        stop(host).await;
    }
}
