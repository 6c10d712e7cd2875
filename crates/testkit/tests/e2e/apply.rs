//! Settings that changed, taken up while the host runs.

use std::time::Duration;

use outrigger::helloworld::{Greeter as _, Handle};
use outrigger::manager::messages::{ApplySettings, StopAll};
use outrigger::{Applied, Generation, HostError, InstanceName, PluginHost, PluginState};
use outrigger_testkit::harness::eventually;
use outrigger_testkit::{e2e, kit::Kit, load::Load};
use serde_json::json;

use crate::{greeter, status, stop, wait_for};

fn generation(host: &PluginHost, instance: &str) -> Option<Generation> {
    host.watch(instance)?.borrow().generation
}

/// Added, removed, changed, unchanged, failed.
fn lists(applied: &Applied) -> [Vec<&str>; 5] {
    let Applied { added, removed, changed, unchanged, failed, .. } = applied;
    let [added, removed, changed, unchanged] = [added, removed, changed, unchanged]
        .map(|names| names.iter().map(InstanceName::as_str).collect());
    let failed = failed.iter().map(|error| error.plugin.as_str()).collect();
    [added, removed, changed, unchanged, failed]
}

e2e! {
    async fn what_settings_add_drop_and_change_is_taken_up_and_the_rest_left_alone() {
        let mut kit = Kit::with("ok");
        for instance in ["gone", "kept"] {
            kit.add_fixture(instance, "ok");
        }
        let host = kit.start().await;
        let load = Load::start(&host.gateway::<Handle>("kept").unwrap(), 4);
        let gone = host.gateway::<Handle>("gone").unwrap();
        assert!(host.gateway::<Handle>("new").is_err());

        kit.set("/providers", json!({}));
        // The zips are packed anew, and their bytes are the same.
        for instance in ["helloworld", "kept", "new"] {
            kit.add_fixture(instance, "ok");
        }
        kit.set("/providers/helloworld/config", json!({ "language": "de" }));
        let planned = host.plan().await.unwrap();
        let expected = [vec!["new"], vec!["gone"], vec!["helloworld"], vec!["kept"], vec![]];
        assert_eq!(lists(&planned), expected);
        assert_eq!(generation(&host, "gone"), Some(Generation(1)), "a plan does nothing");
        assert_eq!(gone.greeting("x").await.unwrap(), "Hello x!");

        load.progress(20).await;
        let applied = host.apply().await.unwrap();
        assert_eq!(lists(&applied), expected);
        load.progress(20).await;
        assert_eq!(greeter(&host).greeting("x").await.unwrap(), "Hallo x!");
        let new = host.gateway::<Handle>("new").unwrap();
        assert_eq!(new.greeting("x").await.unwrap(), "Hello x!");
        assert_eq!(generation(&host, "kept"), Some(Generation(1)));
        let error = gone.greeting("x").await.unwrap_err();
        assert!(error.to_string().contains("the settings do not name it any more"), "{error}");
        let error = host.gateway::<Handle>("gone").unwrap_err();
        assert!(matches!(error, HostError::NotFound { .. }), "{error}");
        let names: Vec<String> = host.status().iter().map(|s| s.instance.to_string()).collect();
        assert_eq!(names, ["helloworld", "kept", "new"]);

        let again = host.apply().await.unwrap();
        assert_eq!(
            lists(&again),
            [vec![], vec![], vec![], vec!["helloworld", "kept", "new"], vec![]]
        );
        let outcome = load.finish().await;
        assert!(outcome.failed.is_empty(), "{:?}", outcome.failed);
        stop(host).await;
        kit.assert_clean();
    }

    async fn a_new_zip_and_a_changed_config_file_are_changes_too() {
        let mut kit = Kit::with("ok");
        let config = kit.path().join("plugin.json");
        std::fs::write(&config, r#"{"language":"en"}"#).unwrap();
        kit.set("/providers/helloworld/config", json!(format!("file://{}", config.display())));
        let host = kit.start().await;
        assert_eq!(lists(&host.apply().await.unwrap())[3], ["helloworld"]);

        std::fs::write(&config, r#"{"language":"de"}"#).unwrap();
        assert_eq!(lists(&host.apply().await.unwrap())[2], ["helloworld"]);
        assert_eq!(greeter(&host).greeting("x").await.unwrap(), "Hallo x!");

        kit.pack_fixture("fixture-helloworld", "slow-init 1");
        assert_eq!(lists(&host.apply().await.unwrap())[2], ["helloworld"]);
        assert_eq!(generation(&host, "helloworld"), Some(Generation(3)));

        // One that is gone is no reason to end what was verified.
        for zip in std::fs::read_dir(kit.base_dir()).unwrap() {
            std::fs::remove_file(zip.unwrap().path()).unwrap();
        }
        assert_eq!(lists(&host.apply().await.unwrap())[3], ["helloworld"]);
        stop(host).await;
        kit.assert_clean();
    }

    async fn what_cannot_be_taken_up_is_told_apart_and_harms_nothing_else() {
        let mut kit = Kit::with("ok");
        kit.add_fixture("other", "ok");
        let host = kit.start().await;
        kit.set("/providers/helloworld/version", json!("2.0.0"));
        kit.set("/providers/other/config", json!({ "language": "de" }));
        kit.provide("new", "nowhere");
        kit.set("/providers/new/interface", json!("helloworld"));
        let applied = host.apply().await.unwrap();
        assert_eq!(
            lists(&applied),
            [vec![], vec![], vec!["other"], vec![], vec!["helloworld", "new"]]
        );
        for error in &applied.failed {
            assert!(error.to_string().contains("no distribution of plugin"), "{error}");
        }
        assert_eq!(status(&host).state, PluginState::Ready);
        assert_eq!(generation(&host, "helloworld"), Some(Generation(1)));

        // What failed is tried again, and what is new now was known before.
        kit.set("/providers/helloworld/version", json!("1.0.0"));
        kit.pack_fixture("nowhere", "ok");
        let applied = host.apply().await.unwrap();
        assert_eq!(
            lists(&applied),
            [vec![], vec![], vec!["new"], vec!["helloworld", "other"], vec![]]
        );
        stop(host).await;
        kit.assert_clean();
    }

    async fn settings_that_cannot_be_used_change_nothing() {
        let mut kit = Kit::with("ok");
        let host = kit.start().await;
        kit.set("/providers/helloworld/config", json!({ "language": "de" }));
        kit.provide("x", "fixture-helloworld");
        kit.provide("account", "fixture-helloworld");
        let error = host.apply().await.unwrap_err().to_string();
        assert!(error.starts_with("plugin: [account x] is not supported;"), "{error}");
        std::fs::write(kit.settings_file(), "{").unwrap();
        let error = host.apply().await.unwrap_err().to_string();
        assert!(error.starts_with("plugins: unable to parse settings due to "), "{error}");
        assert_eq!(generation(&host, "helloworld"), Some(Generation(1)));
        assert_eq!(greeter(&host).greeting("x").await.unwrap(), "Hello x!");
        stop(host).await;
        kit.assert_clean();
    }

    async fn applications_and_reloads_asked_for_at_once_run_one_after_the_other() {
        let mut kit = Kit::with("ok");
        kit.add_fixture("second", "ok");
        let host = kit.start().await;
        kit.set("/providers", json!({}));
        kit.add_fixture("helloworld", "ok");
        kit.set("/providers/helloworld/config", json!({ "language": "de" }));
        let (one, reload, two, gone) = tokio::join!(
            host.apply(),
            host.reload("helloworld"),
            host.apply(),
            host.reload("second"),
        );
        let removed = [one.unwrap(), two.unwrap()].map(|applied| applied.removed.len());
        assert_eq!(removed, [1, 0]);
        reload.unwrap();
        assert!(matches!(gone, Err(HostError::UnknownInstance { .. })), "{gone:?}");
        assert_eq!(greeter(&host).greeting("x").await.unwrap(), "Hallo x!");
        assert_eq!(host.status().len(), 1);
        stop(host).await;
        kit.assert_clean();
    }

    async fn a_stop_during_an_application_stops_what_it_adds_too() {
        let mut kit = Kit::with("ok");
        let host = kit.start().await;
        kit.add_fixture("stuck", "init-hangs");
        let manager = host.manager();
        let applying = tokio::spawn(async move {
            manager.send(ApplySettings { dry_run: false }).await
        });
        eventually("the new plugin starts", || host.status().len() == 2).await;
        host.stop(Duration::from_secs(5)).await.unwrap();
        let applied = applying.await.unwrap();
        assert!(!matches!(applied, Ok(Ok(applied)) if applied.failed.is_empty()));
        kit.assert_clean();
    }

    async fn another_base_directory_and_other_limits_are_taken_up_too() {
        let mut kit = Kit::with("ok");
        kit.add_fixture("kept", "ok");
        let host = kit.start().await;
        let before = kit.base_dir();
        let other = kit.path().join("elsewhere");
        std::fs::create_dir(&other).unwrap();
        let same = "fixture-kept-1.0.0-linux-amd64.zip";
        std::fs::copy(before.join(same), other.join(same)).unwrap();
        kit.pack_fixture("fixture-helloworld", "slow-init 1");
        let changed = "fixture-helloworld-1.0.0-linux-amd64.zip";
        std::fs::rename(before.join(changed), other.join(changed)).unwrap();
        kit.set("/baseDir", json!(other));
        assert_eq!(lists(&host.plan().await.unwrap())[2], ["helloworld"]);
        assert_eq!(host.base_dir(), before, "a plan changes nothing");
        let applied = host.apply().await.unwrap();
        assert_eq!(lists(&applied)[2..4], [vec!["helloworld"], vec!["kept"]]);
        assert_eq!(host.base_dir(), other);

        kit.set("/unpack/archiveSize", json!("10B"));
        kit.set("/providers/kept/config", json!({ "language": "de" }));
        let applied = host.apply().await.unwrap();
        assert!(applied.failed[0].to_string().contains("more than 10 bytes"), "{applied:?}");
        assert_eq!(generation(&host, "kept"), Some(Generation(1)));
        kit.set("/unpack", json!({}));
        assert_eq!(lists(&host.apply().await.unwrap())[2], ["kept"]);
        stop(host).await;
        kit.assert_clean();
    }

    async fn a_plugin_that_was_stopped_is_not_started_by_settings() {
        let kit = Kit::with("ok");
        let host = kit.start().await;
        host.manager().send(StopAll).await.unwrap();
        wait_for(&host, |now| now.state == PluginState::Stopped).await;
        let applied = host.apply().await.unwrap();
        assert_eq!(lists(&applied)[4], ["helloworld"]);
        assert!(applied.failed[0].to_string().contains("it is stopped"));
        assert_eq!(status(&host).state, PluginState::Stopped);
        stop(host).await;
        kit.assert_clean();
    }
}
