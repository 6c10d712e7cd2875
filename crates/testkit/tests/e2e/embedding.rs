//! The host inside other programs: runtimes, actors, more than one at a time.

use std::time::Duration;

use actix::Actor as _;
use outrigger::helloworld::{Greeter as _, GreeterActor, Greeting, Handle};
use outrigger::manager::messages::{
    ApplySettings, DryRunReload, Follow, GetLink, GetStatus, ReloadAll, ReloadPlugin, StartPlugin,
    StopPlugin, Subscribe,
};
use outrigger::{EventKind, Gateway as _, Generation, InstanceName};
use outrigger_testkit::{e2e, kit::Kit};
use tokio_util::sync::CancellationToken;

use crate::{greeter, stop};

e2e! {
    async fn a_host_can_be_started_twice_and_two_can_run_at_once() {
        let (one, two) = (Kit::with("ok"), Kit::with("ok"));
        let (first, second) = (one.start().await, two.start().await);
        assert_eq!(greeter(&first).greeting("1").await.unwrap(), "Hello 1!");
        assert_eq!(greeter(&second).greeting("2").await.unwrap(), "Hello 2!");
        stop(first).await;
        assert_eq!(greeter(&second).greeting("2").await.unwrap(), "Hello 2!");
        let third = one.start().await;
        assert_eq!(greeter(&third).greeting("3").await.unwrap(), "Hello 3!");
        stop(second).await;
        stop(third).await;
    }

    async fn the_same_calls_go_as_messages_between_actors() {
        let kit = Kit::with("ok");
        let host = kit.start().await;
        let (handle, manager) = (greeter(&host), host.manager());
        let node_of_actors = move || {
            actix::System::new().block_on(async move {
                let gateway = GreeterActor::new(handle).start();
                let greeting = gateway.send(Greeting { message: "actor".into() });
                assert_eq!(greeting.await.unwrap().unwrap(), "Hello actor!");
                let instance = InstanceName::parse("helloworld").unwrap();
                let mut events = manager.send(Subscribe).await.unwrap();
                let reload = manager.send(ReloadPlugin { instance: instance.clone() });
                assert_eq!(reload.await.unwrap().unwrap(), Generation(2));
                while events.recv().await.unwrap().kind != EventKind::Ready(Generation(2)) {}
                let statuses = manager.send(GetStatus).await.unwrap();
                assert_eq!(statuses[0].generation, Some(Generation(2)));
                let link = manager.send(GetLink { instance }).await.unwrap().unwrap();
                let greeting = Handle::from_link(link).greeting("link").await;
                assert_eq!(greeting.unwrap(), "Hello link!");
            });
        };
        tokio::task::spawn_blocking(node_of_actors).await.unwrap();
        stop(host).await;
    }

    async fn whatever_is_done_to_a_host_can_be_asked_for_by_message() {
        let kit = Kit::with("ok");
        let host = kit.start().await;
        let manager = host.manager();
        let node_of_actors = move || {
            actix::System::new().block_on(async move {
                let instance = InstanceName::parse("helloworld").unwrap();
                let one = || instance.clone();
                let (status, mut events) = manager.send(Follow).await.unwrap();
                assert_eq!(status[0].generation, Some(Generation(1)));
                let tried = manager.send(DryRunReload { instance: one() }).await.unwrap().unwrap();
                assert!(tried.launched);
                let all = manager.send(ReloadAll).await.unwrap().unwrap();
                let reloaded = *all[0].outcome.as_ref().unwrap();
                assert!(manager.send(ApplySettings { dry_run: true }).await.unwrap().is_ok());
                manager.send(StopPlugin { instance: one() }).await.unwrap().unwrap();
                let started = manager.send(StartPlugin { instance: one() }).await.unwrap();
                let mut ready = async |generation| {
                    while events.recv().await.unwrap().kind != EventKind::Ready(generation) {}
                };
                ready(reloaded).await;
                ready(started.unwrap()).await;
            });
        };
        tokio::task::spawn_blocking(node_of_actors).await.unwrap();
        stop(host).await;
    }

    async fn a_gateway_actor_refuses_more_calls_than_it_may_have_under_way() {
        let mut kit = Kit::with("hang-on-call");
        kit.set("/timeouts/call", serde_json::json!("20s"));
        let host = kit.start().await;
        let handle = greeter(&host);
        let node_of_actors = move || {
            actix::System::new().block_on(async move {
                let gateway = GreeterActor::new(handle).start();
                let hang = || gateway.send(Greeting { message: "hang".into() });
                let calls: Vec<_> = (0..1_024).map(|_| actix::spawn(hang())).collect();
                // Handled after all of those.
                let refused = loop {
                    match tokio::time::timeout(Duration::from_millis(200), hang()).await {
                        Ok(answer) => break answer.unwrap().unwrap_err(),
                        Err(_) => continue,
                    }
                };
                assert_eq!(refused.outcome(), "overloaded", "{refused}");
                calls.iter().for_each(|call| call.abort());
            });
        };
        tokio::task::spawn_blocking(node_of_actors).await.unwrap();
        assert_eq!(greeter(&host).greeting("x").await.unwrap(), "Hello x!");
        host.stop_or(Duration::from_secs(1), CancellationToken::new()).await.unwrap_or_default();
    }

    async fn a_host_works_within_a_runtime_of_one_thread() {
        let node = || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let kit = Kit::with("ok");
                let host = kit.start().await;
                assert_eq!(greeter(&host).greeting("x").await.unwrap(), "Hello x!");
                host.reload("helloworld").await.unwrap();
                assert_eq!(greeter(&host).greeting("x").await.unwrap(), "Hello x!");
                stop(host).await;
                kit.assert_clean();
            });
        };
        tokio::task::spawn_blocking(node).await.unwrap();
    }

    async fn events_tell_a_plugin_s_life_in_order() {
        let kit = Kit::with("ok");
        let host = kit.start().await;
        let mut events = host.events();
        host.reload("helloworld").await.unwrap();
        let ready = loop {
            if let EventKind::Ready(generation) = events.recv().await.unwrap().kind {
                break generation;
            }
        };
        assert_eq!(ready, Generation(2));
        let gone = loop {
            if let EventKind::Gone { generation, .. } = events.recv().await.unwrap().kind {
                break generation;
            }
        };
        assert_eq!(gone, Generation(1));
        stop(host).await;
    }

    async fn a_stop_in_a_hurry_does_not_wait_for_a_hanging_call() {
        let mut kit = Kit::with("hang-on-call");
        kit.set("/timeouts", serde_json::json!({ "drain": "1h", "call": "1h" }));
        let host = kit.start().await;
        let handle = greeter(&host);
        let mut hanging = std::pin::pin!(handle.greeting("hang"));
        tokio::select! {
            biased;
            answer = &mut hanging => panic!("it was answered: {answer:?}"),
            greeting = handle.greeting("x") => drop(greeting.unwrap()),
        }
        let hurry = CancellationToken::new();
        hurry.cancel();
        let (stopped, cut) = tokio::join!(
            host.stop_or(Duration::from_secs(3_600), hurry),
            tokio::time::timeout(Duration::from_secs(10), &mut hanging),
        );
        assert!(stopped.is_err());
        let error = cut.unwrap().unwrap_err();
        assert_eq!(error.outcome(), "unavailable", "{error}");
        assert!(!error.was_not_sent());
        let late = handle.greeting("x").await.unwrap_err();
        assert!(late.was_not_sent() && late.outcome() == "unavailable", "{late}");
        kit.assert_clean();
    }

    async fn a_gateway_of_another_interface_is_refused() {
        struct Other;
        impl outrigger::Gateway for Other {
            const INTERFACE: &'static str = "account";
            fn from_link(_: outrigger::Link) -> Self {
                Self
            }
        }
        let kit = Kit::with("ok");
        let host = kit.start().await;
        let error = host.gateway::<Other>("helloworld").map(drop).unwrap_err().to_string();
        assert_eq!(error, "plugin `helloworld` fills interface `helloworld`, not `account`");
        assert_eq!(Handle::INTERFACE, "helloworld");
        stop(host).await;
    }
}
