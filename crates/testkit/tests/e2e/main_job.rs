//! The main job: find, verify, unpack, launch, shake hands, initialise, call.

use std::fs;

use outrigger::helloworld::Greeter as _;
use outrigger::{Containment, PluginState};
use outrigger_testkit::{artifacts, e2e, kit::Kit};
use serde_json::json;

use crate::{greeter, status, stop};

/// A kit whose plugin is the SDK's example as a single executable, signed.
fn signed_executable() -> Kit {
    let mut kit = Kit::new();
    let program = fs::read(artifacts::hello_world()).expect("the example");
    let zip = kit.pack("hello", &[("hello", &program, 0o755)], json!({ "entrypoint": "hello" }));
    kit.sign(&zip);
    kit.provide("helloworld", "hello");
    kit
}

e2e! {
    /// A single-file executable runs from sealed memory, so that what was
    /// verified is what runs.
    async fn a_signed_plugin_is_verified_launched_initialised_and_called() {
        let kit = signed_executable();
        let builder = outrigger::PluginHost::builder()
            .settings_url(kit.settings_url())
            .interface(outrigger::helloworld::interface());
        let host = builder.register().unwrap().start().await.unwrap();
        assert_eq!(greeter(&host).greeting("world").await.unwrap(), "Hello world!");

        let status = status(&host);
        assert_eq!(status.state, PluginState::Ready);
        assert_eq!(status.app_version, Some(1));
        assert_eq!(status.containment, Some(Containment::Tree));
        assert_eq!(status.sandbox, "compat");
        let pid = status.pid.unwrap();
        let exe = fs::read_link(format!("/proc/{pid}/exe")).unwrap();
        assert!(exe.to_string_lossy().starts_with("/memfd:hello"), "{exe:?}");
        stop(host).await;
        kit.assert_clean();
    }

    async fn a_plugin_that_was_changed_after_signing_does_not_run() {
        let kit = signed_executable();
        let zip = kit.base_dir().join("hello-1.0.0-linux-amd64.zip");
        let mut bytes = fs::read(&zip).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&zip, bytes).unwrap();
        let builder = outrigger::PluginHost::builder()
            .settings_url(kit.settings_url())
            .interface(outrigger::helloworld::interface());
        let error = builder.register().unwrap().start().await.unwrap_err().to_string();
        assert!(error.starts_with("plugin `helloworld`: "), "{error}");
        assert!(error.contains("sha256"), "{error}");
        kit.assert_clean();
    }

    async fn register_starts_nothing_and_writes_nothing() {
        let kit = Kit::with("ok");
        let registered = kit.builder().register().unwrap();
        assert_eq!(registered.settings().providers.len(), 1);
        assert!(outrigger_testkit::census::descendants().is_empty());
        assert!(!kit.run_dir().exists());
    }

    async fn the_plugin_sees_its_config_and_none_of_the_host_s_protocol_variables() {
        let mut kit = Kit::with("echo-env");
        kit.set("/providers/helloworld/config", json!({ "language": "es" }));
        let host = kit.start().await;
        let greeter = greeter(&host);
        assert_eq!(greeter.greeting("x").await.unwrap(), "Hola x!");
        assert_eq!(greeter.greeting("env:PLUGIN_PROTOCOL_VERSIONS").await.unwrap(), "1");
        let directory = greeter.greeting("env:PLUGIN_UNIX_SOCKET_DIR").await.unwrap();
        assert!(directory.starts_with(kit.run_dir().to_str().unwrap()), "{directory}");
        assert_eq!(greeter.greeting("env:TMPDIR").await.unwrap(), directory);
        assert_ne!(greeter.greeting("env:HOME").await.unwrap(), "", "compat passes HOME");
        stop(host).await;
        kit.assert_clean();
    }

    async fn a_strict_plugin_sees_the_variables_that_its_sandbox_lists_and_no_others() {
        let mut kit = Kit::with("echo-env");
        kit.set("/providers/helloworld/sandbox", json!({ "env": ["PATH"] }));
        let host = kit.start().await;
        let greeter = greeter(&host);
        assert_ne!(greeter.greeting("env:PATH").await.unwrap(), "");
        assert_eq!(greeter.greeting("env:HOME").await.unwrap(), "");
        assert_eq!(status(&host).sandbox, "strict");
        stop(host).await;
    }

    async fn the_plugin_holds_no_descriptor_of_the_host_s() {
        let kit = Kit::with("echo-env");
        let _held = fs::File::open("/etc/hostname").unwrap();
        let host = kit.start().await;
        let descriptors = greeter(&host).greeting("fds").await.unwrap();
        assert!(!descriptors.contains("hostname"), "{descriptors}");
        assert!(descriptors.lines().any(|line| line.contains("/dev/null")), "{descriptors}");
        stop(host).await;
    }

    async fn a_config_file_is_read_anew_for_every_generation() {
        let mut kit = Kit::with("ok");
        let config = kit.path().join("config.json");
        fs::write(&config, r#"{"language":"en"}"#).unwrap();
        kit.set("/providers/helloworld/config", json!(format!("file://{}", config.display())));
        let host = kit.start().await;
        let greeter = greeter(&host);
        assert_eq!(greeter.greeting("x").await.unwrap(), "Hello x!");
        fs::write(&config, r#"{"language":"de"}"#).unwrap();
        host.reload("helloworld").await.unwrap();
        assert_eq!(greeter.greeting("x").await.unwrap(), "Hallo x!");
        stop(host).await;
    }

    async fn several_plugins_run_side_by_side() {
        let mut kit = Kit::with("ok");
        for n in 0..5 {
            kit.add_fixture(&format!("other{n}"), "ok");
        }
        let host = kit.start().await;
        let mut pids = Vec::new();
        for status in host.status() {
            let handle: outrigger::helloworld::Handle =
                host.gateway(status.instance.as_str()).unwrap();
            pids.push(handle.greeting("pid").await.unwrap());
        }
        pids.sort();
        pids.dedup();
        assert_eq!(pids.len(), 6);
        stop(host).await;
        kit.assert_clean();
    }
}
