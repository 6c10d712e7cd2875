//! What happens when a plugin dies or hangs.

use std::time::Duration;

use outrigger::helloworld::Greeter as _;
use outrigger::{CallOptions, EventKind, GatewayError, Generation, PluginState, Unavailable};
use outrigger_testkit::{e2e, kit::Kit};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::{greeter, status, stop, wait_for};

fn signal(pid: Option<u32>, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(pid.unwrap()).unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}

e2e! {
    async fn a_killed_plugin_comes_back_by_itself() {
        let kit = Kit::with("ok");
        let host = kit.start().await;
        let mut events = host.events();
        signal(status(&host).pid, Signal::KILL);
        let back = wait_for(&host, |now| now.generation == Some(Generation(2))).await;
        assert_eq!(back.failures, 1);
        let last_error = back.last_error.unwrap();
        assert!(last_error.contains("signal 9"), "{last_error}");
        assert_eq!(greeter(&host).greeting("x").await.unwrap(), "Hello x!");
        let died = loop {
            if let EventKind::Crashed(generation, reason) = events.recv().await.unwrap().kind {
                break (generation, reason);
            }
        };
        assert_eq!(died.0, Generation(1));
        assert!(died.1.contains("signal 9"), "{}", died.1);
        stop(host).await;
        kit.assert_clean();
    }

    async fn a_call_during_which_the_plugin_dies_says_so_and_that_it_was_sent() {
        let kit = Kit::with("crash-on-call");
        let host = kit.start().await;
        let error = greeter(&host).greeting("crash").await.unwrap_err();
        assert!(!error.was_not_sent());
        let GatewayError::Unavailable(Unavailable::Ended { generation, reason, .. }) = error else {
            panic!("{error}");
        };
        assert_eq!(generation, Generation(1));
        assert!(reason.contains("signal 6"), "{reason}");
        wait_for(&host, |now| now.generation == Some(Generation(2))).await;
        stop(host).await;
    }

    async fn a_call_that_is_never_answered_ends_at_its_deadline() {
        let mut kit = Kit::with("hang-on-call");
        kit.set("/timeouts/call", json!("300ms"));
        let host = kit.start().await;
        let error = greeter(&host).greeting("hang").await.unwrap_err();
        assert_eq!(error.outcome(), "deadline", "{error}");
        // The plugin itself is not to blame for one slow call.
        let patient = CallOptions { deadline: Some(Duration::from_secs(10)) };
        let answer = greeter(&host).greeting_with("x", patient).await;
        assert_eq!(answer.unwrap(), "Hello x!");
        assert_eq!(status(&host).generation, Some(Generation(1)));
        stop(host).await;
    }

    async fn a_plugin_that_hangs_is_killed_and_replaced() {
        let mut kit = Kit::with("ok");
        kit.set("/timeouts", json!({
            "healthInterval": "100ms", "healthTimeout": "200ms", "healthMisses": 2,
        }));
        let host = kit.start().await;
        signal(status(&host).pid, Signal::STOP);
        let back = wait_for(&host, |now| now.generation == Some(Generation(2))).await;
        assert!(back.last_error.unwrap().contains("it hangs"));
        assert_eq!(greeter(&host).greeting("x").await.unwrap(), "Hello x!");
        stop(host).await;
        kit.assert_clean();
    }

    async fn while_nothing_serves_calls_fail_at_once_with_the_reason() {
        let mut kit = Kit::with("exit-after-ready 500");
        kit.set("/timeouts/call", json!("20s"));
        let host = kit.start().await;
        let handle = greeter(&host);
        // It dies again and again, until the restart waits for half a minute.
        wait_for(&host, |now| now.state == PluginState::CircuitOpen).await;
        let called = tokio::time::timeout(Duration::from_secs(5), handle.greeting("x")).await;
        let error = called.expect("no call waits while nothing serves").unwrap_err();
        assert_eq!(error.outcome(), "unavailable", "{error}");
        assert!(error.to_string().contains("exit code 3"), "{error}");
        stop(host).await;
        kit.assert_clean();
    }

    async fn a_plugin_that_keeps_dying_ends_in_an_open_circuit() {
        let kit = Kit::with("exit-after-ready 500");
        let host = kit.start().await;
        let open = wait_for(&host, |now| now.state == PluginState::CircuitOpen).await;
        assert_eq!(open.failures, 5);
        stop(host).await;
        kit.assert_clean();
    }

    async fn a_plugin_that_is_not_required_does_not_keep_the_node_from_starting() {
        let mut kit = Kit::with("ok");
        kit.add_fixture("optional", "exit-before-handshake 5");
        kit.set("/providers/optional/required", json!(false));
        let host = kit.start().await;
        assert_eq!(greeter(&host).greeting("x").await.unwrap(), "Hello x!");
        let optional = host.watch("optional").unwrap().borrow().clone();
        assert!(optional.last_error.unwrap().contains("exit code 5"));
        stop(host).await;
        kit.assert_clean();
    }
}
