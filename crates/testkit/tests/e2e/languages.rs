//! Programs in other languages, unmodified, over the real protocol.

use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use outrigger::helloworld::Greeter as _;
use outrigger_testkit::{artifacts, e2e, kit::Kit};
use serde_json::{Value, json};

use crate::{greeter, status, stop};

/// A kit with a plugin that another language's tools built into a directory.
fn kit(instance: &str, directory: &Path) -> Kit {
    let mut kit = Kit::new();
    let metadata = std::fs::read(directory.join("plugin-meta.json")).unwrap();
    let metadata: Value = serde_json::from_slice(&metadata).unwrap();
    let zip = kit.pack_directory(&format!("hello-{instance}"), directory, metadata);
    kit.sign(&zip);
    kit.provide("helloworld", &format!("hello-{instance}"));
    kit
}

async fn does_the_main_job(kit: &mut Kit) {
    let builder = outrigger::PluginHost::builder()
        .settings_url(kit.settings_url())
        .interface(outrigger::helloworld::interface());
    let host = builder.register().unwrap().start().await.unwrap();
    let greeter = greeter(&host);
    assert_eq!(greeter.greeting("x").await.unwrap(), "Hello x!");
    kit.set("/providers/helloworld/config", json!({ "language": "de" }));
    host.reload("helloworld").await.unwrap();
    assert_eq!(greeter.greeting("x").await.unwrap(), "Hallo x!");
    kit.set("/providers/helloworld/config", json!({ "language": "xx" }));
    let error = host.reload("helloworld").await.unwrap_err().to_string();
    assert!(error.contains("xx") && error.contains("its initialisation failed"), "{error}");
    assert_eq!(status(&host).failures, 1);
    stop(host).await;
    kit.assert_clean();
}

/// What the Go host printed: one JSON object.
fn go_host(arguments: &[&str], plugin: &Path) -> Option<Value> {
    let host = artifacts::foreign("gohost")?;
    let output = Command::new(host)
        .args(arguments)
        .arg(plugin)
        .stdin(Stdio::null())
        .process_group(0)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "the Go host failed: {error}\n{text}");
    Some(serde_json::from_str(text.lines().last().unwrap()).unwrap())
}

e2e! {
    async fn a_go_plugin_on_the_newest_go_plugin_does_the_main_job() {
        let Some(directory) = artifacts::foreign("hello-go") else { return };
        does_the_main_job(&mut kit("go", &directory)).await;
    }

    async fn a_python_plugin_with_its_wheels_does_the_main_job() {
        let Some(directory) = artifacts::foreign("hello-python") else { return };
        does_the_main_job(&mut kit("python", &directory)).await;
    }

    async fn a_node_plugin_with_its_packages_does_the_main_job() {
        let Some(directory) = artifacts::foreign("hello-node") else { return };
        does_the_main_job(&mut kit("node", &directory)).await;
    }

    async fn a_java_plugin_with_its_archives_does_the_main_job() {
        let Some(directory) = artifacts::foreign("hello-java") else { return };
        does_the_main_job(&mut kit("java", &directory)).await;
    }

    async fn an_unmodified_go_host_runs_our_plugin_and_stops_it_without_force() {
        let arguments = ["--json", "--calls", "100", "--config", r#"{"language":"de"}"#];
        let Some(report) = go_host(&arguments, &artifacts::hello_world()) else { return };
        assert_eq!(report["protocol"], "grpc", "{report}");
        assert_eq!(report["negotiated_version"], 1, "{report}");
        assert!(report["greeting"].as_str().unwrap().starts_with("Hallo "), "{report}");
        assert_eq!(report["exited"], true, "{report}");
        // go-plugin waits two seconds before it uses force.
        assert_eq!(report["forced_kill"], false, "{report}");
        assert!(report["kill_ms"].as_f64().unwrap() < 1_000.0, "{report}");
    }

    async fn our_plugin_runs_under_a_go_host_without_tls_too() {
        let arguments = ["--no-mtls", "--json", "--config", r#"{"language":"es"}"#];
        let Some(report) = go_host(&arguments, &artifacts::hello_world()) else { return };
        assert!(report["greeting"].as_str().unwrap().starts_with("Hola "), "{report}");
        assert_eq!(report["forced_kill"], false, "{report}");
    }
}
