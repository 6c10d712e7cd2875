//! Plugins that lack something, or do things in another way: they run.

use std::time::Duration;

use outrigger::Generation;
use outrigger::helloworld::Greeter as _;
use outrigger_testkit::{e2e, kit::Kit, load::Load};
use serde_json::json;

use crate::{greeter, status, stop};

/// Starts a scenario, calls it, and stops it; nothing may be left.
async fn runs(scenario: &str) {
    let mut kit = Kit::with(scenario);
    kit.set("/timeouts/healthInterval", json!("50ms"));
    let host = kit.start().await;
    for _ in 0..20 {
        assert_eq!(greeter(&host).greeting("x").await.unwrap(), "Hello x!");
    }
    assert_eq!(status(&host).generation, Some(Generation(1)), "{scenario}");
    stop(host).await;
    kit.assert_clean();
}

/// Health checks go on while a plugin does this; none may blame it.
async fn serves_through(scenario: &str) {
    let mut kit = Kit::with(scenario);
    kit.set("/timeouts", json!({ "healthInterval": "50ms", "call": "10s" }));
    let host = kit.start().await;
    let load = Load::start(&greeter(&host), 2);
    tokio::time::timeout(Duration::from_secs(20), load.progress(500)).await.unwrap();
    let outcome = load.finish().await;
    assert!(outcome.failed.is_empty(), "{:?}", outcome.failed);
    assert_eq!(status(&host).generation, Some(Generation(1)), "{scenario}");
    stop(host).await;
    kit.assert_clean();
}

e2e! {
    async fn a_plugin_that_prints_a_banner_first_runs() {
        runs("banner 20").await;
    }

    async fn a_plugin_on_tcp_runs() {
        runs("tcp").await;
    }

    async fn a_plugin_that_puts_its_socket_into_the_temporary_directory_runs() {
        runs("old-socket-dir").await;
    }

    async fn a_plugin_without_a_health_service_runs() {
        runs("no-health").await;
    }

    async fn a_plugin_without_a_controller_runs_and_is_stopped_by_sigterm() {
        runs("no-controller").await;
    }

    async fn a_plugin_without_a_stdio_service_runs() {
        runs("no-stdio").await;
    }

    /// As for every go-plugin host: what it says of itself is its own affair.
    async fn a_plugin_that_says_it_does_not_serve_runs() {
        runs("not-serving").await;
    }

    async fn a_plugin_that_takes_its_time_to_shake_hands_runs() {
        runs("slow-handshake 300").await;
    }

    async fn a_plugin_that_takes_its_time_to_initialise_runs() {
        runs("slow-init 300").await;
    }

    async fn a_flood_on_standard_error_stops_no_call() {
        serves_through("flood-stderr").await;
    }

    async fn a_flood_on_standard_output_stops_no_call() {
        serves_through("flood-stdout").await;
    }

    async fn a_flood_through_the_stdio_service_stops_no_call() {
        serves_through("stdio-flood").await;
    }

    async fn a_reply_of_three_mebibytes_arrives_whole() {
        let kit = Kit::with("big-reply");
        let host = kit.start().await;
        let size = 3 * 1024 * 1024;
        let reply = greeter(&host).greeting(&format!("big:{size}")).await.unwrap();
        assert_eq!(reply.len(), size);
        stop(host).await;
    }

    async fn a_reply_over_the_limit_fails_that_call_and_no_other() {
        let mut kit = Kit::with("big-reply");
        kit.set("/providers/helloworld/largestMessage", json!("4MiB"));
        let host = kit.start().await;
        let handle = greeter(&host);
        let error = handle.greeting("big:6000000").await.unwrap_err();
        assert_eq!(error.outcome(), "refused", "{error}");
        assert_eq!(handle.greeting("x").await.unwrap(), "Hello x!");
        stop(host).await;
    }
}
