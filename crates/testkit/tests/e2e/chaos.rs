//! Plugins that are disturbed on purpose.

use std::time::Duration;

use outrigger::helloworld::Greeter as _;
use outrigger::{
    CallOptions, Chaos, EventKind, GatewayError, Generation, HostError, PluginHost, PluginState,
    Unavailable,
};
use outrigger_testkit::harness::eventually;
use outrigger_testkit::{e2e, kit::Kit};
use serde_json::json;
use tokio::time::Instant;

use crate::{greeter, status, stop, wait_for};

const LONG: Duration = Duration::from_secs(60);

async fn start(kit: &Kit) -> PluginHost {
    kit.builder().allow_chaos().register().unwrap().start().await.unwrap()
}

/// Whether the kernel has stopped a process.
fn is_frozen(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    stat.rsplit(") ").next().unwrap().starts_with('T')
}

async fn took(host: &PluginHost) -> Duration {
    let began = Instant::now();
    greeter(host).greeting("x").await.unwrap();
    began.elapsed()
}

e2e! {
    async fn one_that_is_killed_on_purpose_comes_back_like_any_other() {
        let kit = Kit::with("ok");
        let host = start(&kit).await;
        let mut events = host.events();
        host.chaos("helloworld", Chaos::Kill).await.unwrap();
        loop {
            if let EventKind::Crashed(generation, reason) = events.recv().await.unwrap().kind {
                assert_eq!(generation, Generation(1));
                assert!(reason.contains("signal 9"), "{reason}");
                break;
            }
        }
        wait_for(&host, |now| now.generation == Some(Generation(2))).await;
        host.stop_plugin("helloworld").await.unwrap();
        let error = host.chaos("helloworld", Chaos::Kill).await.unwrap_err();
        assert!(matches!(error, HostError::NotServing { .. }), "{error}");
        stop(host).await;
        kit.assert_clean();
    }

    async fn one_that_is_frozen_goes_on_after_its_time_or_when_somebody_says_so() {
        let mut kit = Kit::with("ok");
        kit.set("/timeouts/healthTimeout", json!("20s"));
        let host = start(&kit).await;
        let pid = status(&host).pid.unwrap();
        host.chaos("helloworld", Chaos::Freeze { lasts: Duration::from_millis(600) }).await.unwrap();
        eventually("it stops", || is_frozen(pid)).await;
        assert!(took(&host).await > Duration::from_millis(200));
        assert!(!is_frozen(pid));
        host.chaos("helloworld", Chaos::Freeze { lasts: LONG }).await.unwrap();
        eventually("it stops again", || is_frozen(pid)).await;
        host.chaos("helloworld", Chaos::None).await.unwrap();
        eventually("it goes on", || !is_frozen(pid)).await;
        assert_eq!(status(&host).generation, Some(Generation(1)));
        host.chaos("helloworld", Chaos::Freeze { lasts: LONG }).await.unwrap();
        stop(host).await;
        kit.assert_clean();
    }

    async fn one_that_is_frozen_for_long_is_found_to_hang_and_is_replaced() {
        let mut kit = Kit::with("ok");
        kit.set("/timeouts/healthInterval", json!("100ms"));
        kit.set("/timeouts/healthTimeout", json!("100ms"));
        let host = start(&kit).await;
        host.chaos("helloworld", Chaos::Freeze { lasts: LONG }).await.unwrap();
        wait_for(&host, |now| now.generation == Some(Generation(2))).await;
        assert!(took(&host).await < Duration::from_secs(2));
        stop(host).await;
        kit.assert_clean();
    }

    async fn slow_calls_wait_within_their_deadlines_until_it_is_over() {
        let kit = Kit::with("ok");
        let host = start(&kit).await;
        let by = Duration::from_millis(400);
        host.chaos("helloworld", Chaos::Slow { by, lasts: LONG }).await.unwrap();
        assert!(took(&host).await >= by);
        // No reload ends it.
        host.reload("helloworld").await.unwrap();
        assert!(took(&host).await >= by);
        let hasty = CallOptions { deadline: Some(Duration::from_millis(50)) };
        let error = greeter(&host).greeting_with("x", hasty).await.unwrap_err();
        assert!(matches!(error, GatewayError::DeadlineExceeded { .. }), "{error}");
        host.chaos("helloworld", Chaos::None).await.unwrap();
        assert!(took(&host).await < by);
        let lasts = Duration::from_millis(100);
        host.chaos("helloworld", Chaos::Slow { by: LONG, lasts }).await.unwrap();
        let over = async { while greeter(&host).greeting_with("x", hasty).await.is_err() {} };
        tokio::time::timeout(Duration::from_secs(10), over).await.expect("it ends by itself");
        stop(host).await;
    }

    async fn a_share_of_calls_fails_and_does_not_reach_the_plugin() {
        let kit = Kit::with("ok");
        let host = start(&kit).await;
        let lasts = LONG;
        host.chaos("helloworld", Chaos::Errors { share: 0.25, lasts }).await.unwrap();
        let (mut failed, handle) = (0, greeter(&host));
        for _ in 0..100 {
            match handle.greeting("x").await {
                Ok(_) => {}
                Err(error) => {
                    assert!(error.was_not_sent(), "{error}");
                    let disturbed = GatewayError::Unavailable(Unavailable::Disturbed {
                        instance: status(&host).instance,
                    });
                    assert_eq!(error.to_string(), disturbed.to_string());
                    failed += 1;
                }
            }
        }
        assert_eq!(failed, 25);
        // The plugin is none the worse for it.
        assert_eq!((status(&host).state, status(&host).failures), (PluginState::Ready, 0));
        host.chaos("helloworld", Chaos::Errors { share: 1.0, lasts }).await.unwrap();
        handle.greeting("x").await.unwrap_err();
        host.chaos("helloworld", Chaos::None).await.unwrap();
        handle.greeting("x").await.unwrap();
        stop(host).await;
    }

    async fn chaos_is_refused_where_it_is_not_allowed_or_too_much() {
        let kit = Kit::with("ok");
        let host = kit.start().await;
        for chaos in [Chaos::Kill, Chaos::None] {
            let error = host.chaos("helloworld", chaos).await.unwrap_err();
            assert!(matches!(error, HostError::ChaosNotAllowed), "{error}");
            assert!(error.to_string().contains("--allow-chaos"), "{error}");
        }
        stop(host).await;
        let host = start(&kit).await;
        let long = Chaos::Freeze { lasts: LONG * 2 };
        let error = host.chaos("helloworld", long).await.unwrap_err().to_string();
        assert!(error.contains("`helloworld`") && error.contains("60s at most"), "{error}");
        let error = host.chaos("absent", Chaos::Kill).await.unwrap_err();
        assert!(matches!(error, HostError::UnknownInstance { .. }), "{error}");
        assert_eq!(status(&host).generation, Some(Generation(1)));
        stop(host).await;
    }
}
