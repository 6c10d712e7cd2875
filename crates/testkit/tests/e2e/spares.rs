//! A second copy that stands ready, and methods that are not called for a while.

use std::time::Duration;

use outrigger::helloworld::Greeter as _;
use outrigger::{CallOptions, EventKind, GatewayError, Generation, Unavailable};
use outrigger_testkit::{census, e2e, kit::Kit, load::Load};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::{greeter, kill, status, stop, wait_for};

fn with_spare() -> Kit {
    let mut kit = Kit::with("ok");
    kit.set("/providers/helloworld/spare", json!(1));
    kit
}

/// Processes of the fixture itself.
fn running() -> usize {
    census::descendants().iter().filter(|it| it.command.contains("fixture")).count()
}

e2e! {
    async fn a_death_swaps_to_the_spare_and_calls_that_come_after_do_not_fail() {
        let kit = with_spare();
        let host = kit.start().await;
        wait_for(&host, |now| now.spare == Some(Generation(2))).await;
        assert_eq!(running(), 2);
        let load = Load::start(&greeter(&host), 4);
        load.progress(50).await;
        kill(status(&host).pid);
        let now = wait_for(&host, |now| now.generation == Some(Generation(2))).await;
        assert_eq!(now.crashes.len(), 1);
        load.progress(50).await;
        let outcome = load.finish().await;
        // Those that were under way are lost, and those that were sent to what was
        // dead already; nobody found that nothing serves.
        let nobody = |error: &GatewayError| matches!(error, GatewayError::Unavailable(Unavailable::Down { .. }));
        assert!(!outcome.failed.iter().any(nobody), "{:?}", outcome.failed);
        assert_eq!(outcome.wrong, 0);
        wait_for(&host, |now| now.spare == Some(Generation(3))).await;
        stop(host).await;
        kit.assert_clean();
    }

    async fn a_reload_replaces_the_spare_too_and_a_stop_ends_both() {
        let mut kit = with_spare();
        let host = kit.start().await;
        wait_for(&host, |now| now.spare.is_some()).await;
        kit.set("/providers/helloworld/config", json!({ "language": "de" }));
        assert_eq!(host.reload("helloworld").await.unwrap(), Generation(3));
        wait_for(&host, |now| now.spare == Some(Generation(4))).await;
        kill(status(&host).pid);
        // On probation it is the old settings that come back.
        wait_for(&host, |now| now.generation == Some(Generation(5))).await;
        assert_eq!(greeter(&host).greeting("x").await.unwrap(), "Hello x!");
        // One that is still being launched is given up, and none that goes.
        wait_for(&host, |now| now.spare == Some(Generation(6))).await;
        kit.set("/providers/helloworld/spare", json!(0));
        let mut events = host.events();
        host.reload("helloworld").await.unwrap();
        let mut gone = 0;
        while gone < 2 {
            gone += usize::from(matches!(events.recv().await.unwrap().kind, EventKind::Gone { .. }));
        }
        assert_eq!((running(), status(&host).spare), (1, None));
        stop(host).await;
        kit.assert_clean();
    }

    async fn a_spare_that_hangs_is_replaced_before_it_is_needed() {
        let mut kit = with_spare();
        kit.set("/timeouts", json!({
            "healthInterval": "100ms", "healthTimeout": "200ms", "healthMisses": 2,
        }));
        let host = kit.start().await;
        wait_for(&host, |now| now.spare == Some(Generation(2))).await;
        let serving = status(&host).pid;
        let spare = census::descendants()
            .into_iter()
            .find(|it| it.command.contains("fixture") && u32::try_from(it.pid).ok() != serving)
            .unwrap();
        kill_process(Pid::from_raw(spare.pid).unwrap(), Signal::STOP).unwrap();
        wait_for(&host, |now| now.spare == Some(Generation(3))).await;
        assert_eq!(status(&host).generation, Some(Generation(1)));
        stop(host).await;
        kit.assert_clean();
    }

    async fn a_spare_where_two_may_not_run_is_an_error_of_the_settings() {
        let mut kit = with_spare();
        kit.set("/providers/helloworld/reload", json!("exclusive"));
        let error = kit.builder().register().unwrap_err().to_string();
        assert!(error.contains("spare") && error.contains("exclusive"), "{error}");
        kit.set("/providers/helloworld/spare", json!(2));
        let error = kit.builder().register().unwrap_err().to_string();
        assert!(error.contains("give 0 or 1"), "{error}");
    }

    async fn a_method_that_hangs_is_not_called_for_a_while_and_then_tried_again() {
        let mut kit = Kit::with("hang-on-call");
        kit.set("/timeouts/call", json!("200ms"));
        kit.set("/calls", json!({ "outlier": { "failures": 3, "close": "500ms" } }));
        let host = kit.start().await;
        let handle = greeter(&host);
        for _ in 0..3 {
            assert_eq!(handle.greeting("hang").await.unwrap_err().outcome(), "deadline");
        }
        let error = handle.greeting("x").await.unwrap_err();
        let GatewayError::Unavailable(Unavailable::Tripped { method: "Greeting", failures: 3, .. }) =
            &error
        else {
            panic!("{error}")
        };
        assert!(error.was_not_sent());
        // Another handle is told the same.
        assert_eq!(greeter(&host).greeting("x").await.unwrap_err().outcome(), "unavailable");
        assert_eq!(status(&host).generation, Some(Generation(1)), "its health is good");
        let mut ticks = tokio::time::interval(Duration::from_millis(50));
        while handle.greeting("x").await.is_err() {
            ticks.tick().await;
        }
        // One answer is enough.
        assert_eq!(handle.greeting("x").await.unwrap(), "Hello x!");
        stop(host).await;
    }

    async fn a_caller_without_patience_closes_nothing_to_others() {
        let mut kit = Kit::with("slow-call");
        kit.set("/calls", json!({ "outlier": { "failures": 2 } }));
        let host = kit.start().await;
        let handle = greeter(&host);
        let hasty = CallOptions { deadline: Some(Duration::from_millis(20)) };
        for _ in 0..5 {
            let error = handle.greeting_with("sleep:5000", hasty).await.unwrap_err();
            assert_eq!(error.outcome(), "deadline");
        }
        assert_eq!(handle.greeting("x").await.unwrap(), "Hello x!");
        stop(host).await;
    }

    async fn an_idempotent_call_that_was_lost_is_made_again_where_settings_say_so() {
        for (retries, answered) in [(0, false), (1, true)] {
            let mut kit = Kit::with("slow-call");
            kit.set("/providers/helloworld/spare", json!(1));
            kit.set("/calls", json!({ "retries": retries }));
            let host = kit.start().await;
            wait_for(&host, |now| now.spare.is_some()).await;
            let handle = greeter(&host);
            let call = tokio::spawn(async move { handle.greeting("sleep:500").await });
            outrigger_testkit::harness::eventually("it is under way", || {
                host.in_flight("helloworld") == Some(1)
            })
            .await;
            kill(status(&host).pid);
            match call.await.unwrap() {
                Ok(answer) => assert!(answered && answer == "Hello sleep:500!", "{answer}"),
                Err(error) => assert!(!answered && error.was_lost(), "{error}"),
            }
            stop(host).await;
        }
    }

    async fn a_crash_report_names_the_methods_whose_calls_were_lost() {
        let kit = Kit::with("hang-on-call");
        let host = kit.start().await;
        let handle = greeter(&host);
        let calls: Vec<_> = (0..3)
            .map(|_| {
                let handle = handle.clone();
                tokio::spawn(async move { handle.greeting("hang").await })
            })
            .collect();
        outrigger_testkit::harness::eventually("all are under way", || {
            host.in_flight("helloworld") == Some(3)
        })
        .await;
        kill(status(&host).pid);
        for call in calls {
            assert_eq!(call.await.unwrap().unwrap_err().outcome(), "unavailable");
        }
        let now = wait_for(&host, |now| !now.crashes.is_empty()).await;
        let crash = now.crashes.iter().next().unwrap().clone();
        assert_eq!((crash.calls, crash.lost.by_method()), (3, vec![("Greeting".to_owned(), 3)]));
        assert!(crash.to_string().contains("3 calls ended with it (3 Greeting)"), "{crash}");
        stop(host).await;
    }
}
