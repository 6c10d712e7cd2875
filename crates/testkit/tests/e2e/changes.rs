//! Dry runs, reloads of all, settings that are watched, and what a plugin says at its
//! end.

use std::time::Duration;

use outrigger::helloworld::Greeter as _;
use outrigger::{EventKind, Generation, PluginState, Stopped, WatchSettings};
use outrigger_testkit::{census, e2e, kit::Kit, load::Load};
use serde_json::json;

use crate::{greeter, status, stop, wait_for};

/// Quick, for tests.
fn quickly() -> WatchSettings {
    WatchSettings::default().every(Duration::from_millis(20)).settle(Duration::from_millis(100))
}

e2e! {
    async fn a_dry_run_launches_and_throws_away_and_what_serves_does_not_notice() {
        let kit = Kit::with("ok");
        let host = kit.start().await;
        let (before, load) = (status(&host), Load::start(&greeter(&host), 4));
        load.progress(50).await;
        let found = host.dry_run("helloworld").await.unwrap();
        assert!(found.launched && found.app_version == Some(1), "{found:?}");
        assert!(found.timings.handshake > Duration::ZERO && found.timings.verify > Duration::ZERO);
        load.progress(50).await;
        let now = status(&host);
        assert_eq!((now.generation, now.pid, now.state), (before.generation, before.pid, PluginState::Ready));
        assert!(load.finish().await.failed.is_empty());
        // What comes after has a number of its own.
        assert_eq!(host.reload("helloworld").await.unwrap(), Generation(3));
        stop(host).await;
        kit.assert_clean();
    }

    async fn a_dry_run_says_why_a_reload_would_fail() {
        let mut kit = Kit::with("ok");
        let host = kit.start().await;
        kit.pack_fixture("fixture-helloworld", "exit-before-handshake 9");
        let error = host.dry_run("helloworld").await.unwrap_err().to_string();
        assert!(error.contains("exit code 9"), "{error}");
        kit.pack_fixture("fixture-helloworld", "reject-config");
        let error = host.dry_run("helloworld").await.unwrap_err().to_string();
        assert!(error.contains("takes no config"), "{error}");
        kit.set("/providers/helloworld/version", json!("9.9.9"));
        let error = host.dry_run("helloworld").await.unwrap_err().to_string();
        assert!(error.contains("9.9.9"), "{error}");
        let now = status(&host);
        assert_eq!((now.generation, now.failures), (Some(Generation(1)), 0));
        assert_eq!(greeter(&host).greeting("x").await.unwrap(), "Hello x!");
        assert!(host.dry_run("absent").await.is_err());
        stop(host).await;
        kit.assert_clean();
    }

    async fn a_dry_run_of_an_exclusive_plugin_launches_nothing() {
        let mut kit = Kit::with("ok");
        kit.set("/providers/helloworld/reload", json!("exclusive"));
        let host = kit.start().await;
        let before = census::descendants().len();
        let found = host.dry_run("helloworld").await.unwrap();
        assert!(!found.launched && found.app_version.is_none());
        assert_eq!(census::descendants().len(), before);
        stop(host).await;
        kit.assert_clean();
    }

    async fn a_stop_ends_a_dry_run_that_hangs() {
        let kit = Kit::with("ok");
        let host = std::sync::Arc::new(kit.start().await);
        kit.pack_fixture("fixture-helloworld", "init-hangs");
        let dry_run = tokio::spawn({
            let host = host.clone();
            async move { host.dry_run("helloworld").await.unwrap_err().to_string() }
        });
        outrigger_testkit::harness::eventually("two run", || {
            census::descendants().iter().filter(|it| it.command.contains("fixture")).count() == 2
        })
        .await;
        let busy = host.dry_run("helloworld").await.unwrap_err().to_string();
        assert!(busy.contains("a dry run of it is under way"), "{busy}");
        let stopping = host.manager().send(outrigger::manager::messages::StopAll);
        stopping.await.unwrap();
        let error = dry_run.await.unwrap();
        assert!(error.contains("stopped"), "{error}");
        assert!(census::descendants().is_empty(), "{:?}", census::descendants());
        stop(std::sync::Arc::into_inner(host).unwrap()).await;
        kit.assert_clean();
    }

    async fn all_are_reloaded_in_the_order_of_their_start_and_one_that_fails_stays() {
        let mut kit = Kit::with("ok");
        for instance in ["early", "bad"] {
            kit.add_fixture(instance, "ok");
        }
        kit.set("/providers/helloworld/after", json!(["early"]));
        let host = kit.start().await;
        kit.pack_fixture("fixture-bad", "exit-before-handshake 9");
        let mut all = host.reload_all().await.unwrap();
        all.sort_by_key(|reloaded| reloaded.outcome.is_err());
        let shown: Vec<_> = all
            .iter()
            .map(|reloaded| (reloaded.instance.as_str(), reloaded.outcome.as_ref().ok().copied()))
            .collect();
        let second = Some(Generation(2));
        assert_eq!(shown, [("early", second), ("helloworld", second), ("bad", None)]);
        let bad = host.watch("bad").unwrap().borrow().clone();
        assert_eq!((bad.generation, bad.state), (Some(Generation(1)), PluginState::Ready));
        stop(host).await;
        kit.assert_clean();
    }

    async fn settings_that_changed_and_settled_are_taken_up_by_themselves() {
        let mut kit = Kit::with("ok");
        let registered = kit.builder().watch_settings(quickly()).register().unwrap();
        let host = registered.start().await.unwrap();
        let mut events = host.events();
        // Half-written first, as by an editor.
        let whole = std::fs::read_to_string(kit.settings_file()).unwrap();
        std::fs::write(kit.settings_file(), &whole[..whole.len() / 2]).unwrap();
        kit.set("/providers/helloworld/config", json!({ "language": "de" }));
        wait_for(&host, |now| now.generation == Some(Generation(2))).await;
        assert_eq!(greeter(&host).greeting("x").await.unwrap(), "Hallo x!");
        // Gone, and put in place by a rename.
        let other = kit.path().join("other.json");
        std::fs::rename(kit.settings_file(), &other).unwrap();
        kit.add_fixture("second", "ok");
        loop {
            let event = events.recv().await.unwrap();
            if event.instance.as_str() == "second" && matches!(event.kind, EventKind::Ready(_)) {
                break;
            }
        }
        // Written again with the same in it: nothing happens.
        let same = std::fs::read(kit.settings_file()).unwrap();
        std::fs::write(kit.settings_file(), same).unwrap();
        let quiet = wait_for(&host, |now| now.generation > Some(Generation(2)));
        let quiet = tokio::time::timeout(Duration::from_millis(500), quiet).await;
        quiet.expect_err("what did not change is left alone");
        stop(host).await;
        kit.assert_clean();
    }

    async fn broken_settings_that_are_watched_change_nothing() {
        let kit = Kit::with("ok");
        let registered = kit.builder().watch_settings(quickly()).register().unwrap();
        let host = registered.start().await.unwrap();
        let whole = std::fs::read_to_string(kit.settings_file()).unwrap();
        std::fs::write(kit.settings_file(), "{ \"providers\": 7 }").unwrap();
        let changed = wait_for(&host, |now| now.generation != Some(Generation(1)));
        let changed = tokio::time::timeout(Duration::from_millis(600), changed).await;
        changed.expect_err("the plugin goes on");
        std::fs::write(kit.settings_file(), whole.replace("\"en\"", "\"es\"")).unwrap();
        wait_for(&host, |now| now.generation == Some(Generation(2))).await;
        assert_eq!(greeter(&host).greeting("x").await.unwrap(), "Hola x!");
        stop(host).await;
        kit.assert_clean();
    }

    async fn what_a_plugin_s_shutdown_hook_said_is_reported() {
        let mut kit = Kit::with("failing-hook");
        kit.add_fixture("other", "ok");
        let host = kit.start().await;
        let mut events = host.events();
        stop(host).await;
        let mut ends = Vec::new();
        while let Ok(event) = events.recv().await {
            if let EventKind::Gone { how, hook, .. } = event.kind {
                ends.push((event.instance.to_string(), how, hook.map(|text| text.to_string())));
            }
        }
        ends.sort_by(|one, two| one.0.cmp(&two.0));
        let complaint = Some("the ledger is not closed".to_owned());
        assert_eq!(
            ends,
            [
                ("helloworld".to_owned(), Stopped::Graceful, complaint),
                ("other".to_owned(), Stopped::Graceful, None),
            ]
        );
        kit.assert_clean();
    }
}
