//! What GoQuorum's plugin manager promises of its instances, and what an operator
//! of Smilo, or of GoQuorum before 21.4.1, has.

use std::time::Duration;

use outrigger::helloworld::{self, Greeter as _, Handle};
use outrigger::manager::messages::{StartAll, StopAll};
use outrigger::{Cookie, Generation, HostError, InterfaceSpec, PluginHost, PluginState, account};
use outrigger_testkit::{e2e, kit::Kit};
use serde_json::json;

use crate::{greeter, status, stop};

e2e! {
    async fn construction_with_an_interface_of_the_embedder_s_does_no_io() {
        let mut kit = Kit::new();
        kit.provide("helloworld", "hello");
        kit.provide("oracle", "oracle-plugin");
        let base_dir = kit.path().join("absent");
        kit.set("/baseDir", json!(base_dir));
        let cookie = Cookie { key: "ORACLE".into(), value: "1".into() };
        let own = InterfaceSpec::new("oracle".parse().unwrap(), cookie);
        let registered = kit.builder().interface(own).register().unwrap();
        assert_eq!(registered.settings().providers.len(), 2);
        assert!(!base_dir.exists());
        assert!(!kit.run_dir().exists());
        let error = registered.start().await.unwrap_err().to_string();
        assert!(error.contains("-1.0.0-linux-amd64.zip"), "{error}");
        use std::os::unix::fs::PermissionsExt as _;
        let mode = base_dir.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o700, 0o700, "{mode:o}");
        kit.assert_clean();
    }

    async fn an_unknown_provider_is_refused_at_construction() {
        let mut kit = Kit::new();
        kit.provide("x", "n");
        let error = kit.builder().register().unwrap_err().to_string();
        assert!(error.starts_with("plugin: [x] is not supported;"), "{error}");
    }

    async fn a_handle_is_typed_and_asked_for_twice_it_leads_to_the_same_instance() {
        let kit = Kit::with("ok");
        let host = kit.start().await;
        // Before any handle was taken, the instance itself is found.
        assert_eq!(host.watch("helloworld").unwrap().borrow().state, PluginState::Ready);
        let (one, two) = (greeter(&host), greeter(&host));
        assert_eq!(one.greeting("x").await.unwrap(), two.greeting("x").await.unwrap());
        host.reload("helloworld").await.unwrap();
        assert_eq!(one.greeting("y").await.unwrap(), two.greeting("y").await.unwrap());
        assert_eq!(status(&host).generation, Some(Generation(2)));

        let error = host.gateway::<account::Handle>("helloworld").unwrap_err();
        assert!(matches!(error, HostError::WrongInterface { .. }), "{error}");
        let error = host.gateway::<Handle>("x").unwrap_err().to_string();
        assert!(error.starts_with("plugin: [x] is not found;"), "{error}");
        assert!(host.watch("x").is_none());
        stop(host).await;
    }

    async fn start_and_stop_may_be_repeated() {
        let kit = Kit::with("ok");
        let host = kit.start().await;
        let manager = host.manager();
        manager.send(StartAll).await.unwrap().unwrap();
        assert_eq!(status(&host).generation, Some(Generation(1)));
        for _ in 0..2 {
            manager.send(StopAll).await.unwrap();
            assert_eq!(status(&host).state, PluginState::Stopped);
        }
        manager.send(StartAll).await.unwrap().unwrap();
        assert_eq!(greeter(&host).greeting("x").await.unwrap(), "Hello x!");
        stop(host).await;
        kit.assert_clean();
    }

    async fn no_providers_is_fine() {
        let kit = Kit::new();
        let host = kit.start().await;
        assert!(host.status().is_empty());
        stop(host).await;
        kit.assert_clean();
    }

    async fn a_failure_at_the_start_stops_those_that_were_started() {
        let mut kit = Kit::with("ok");
        kit.add_fixture("second", "reject-config");
        let error = kit.builder().register().unwrap().start().await.unwrap_err().to_string();
        assert!(error.starts_with("plugin `second`: "), "{error}");
        kit.assert_clean();
    }

    async fn the_old_names_of_smilo_and_early_goquorum_are_found() {
        let kit = Kit::with("ok");
        let old = kit.base_dir().join("fixture-helloworld-1.0.0.zip");
        std::fs::rename(kit.base_dir().join("fixture-helloworld-1.0.0-linux-amd64.zip"), &old)
            .unwrap();
        kit.sign(&old);
        assert!(kit.base_dir().join("fixture-helloworld-1.0.0.zip.sha256sum.asc").exists());
        let builder = PluginHost::builder()
            .settings_url(kit.settings_url())
            .interface(helloworld::interface());
        let host = builder.register().unwrap().start().await.unwrap();
        assert_eq!(greeter(&host).greeting("x").await.unwrap(), "Hello x!");
        host.stop(Duration::from_secs(15)).await.unwrap();
        kit.assert_clean();
    }
}
