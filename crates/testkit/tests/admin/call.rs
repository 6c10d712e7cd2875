//! `outrigger call`: a plugin's methods by name.

use std::path::Path;

use outrigger_testkit::{artifacts, e2e, kit::Kit};
use prost_types::FileDescriptorSet;
use serde_json::{Value, json};

use crate::running::Running;

const GREETING: &str = "proto.PluginGreeting/Greeting";

/// A kit with the SDK's example, or a plugin in another language, by its directory.
fn kit(name: &str, directory: &Path, metadata: Value) -> Kit {
    let mut kit = Kit::new();
    kit.pack_directory(name, directory, metadata);
    kit.provide("helloworld", name);
    kit
}

fn rust() -> Kit {
    let program = std::fs::read(artifacts::hello_world()).unwrap();
    let mut kit = Kit::new();
    kit.pack("hello-rust", &[("hello", &program, 0o755)], json!({ "entrypoint": "hello" }));
    kit.provide("helloworld", "hello-rust");
    kit
}

fn said(output: &std::process::Output, status: i32) -> String {
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(status), "{error}");
    if status == 0 { String::from_utf8(output.stdout.clone()).unwrap() } else { error }
}

/// A descriptor set of the greeting's service, as `protoc` writes one.
fn descriptors(kit: &Kit) -> String {
    let proto = artifacts::repository().join("proto/proto");
    let set: FileDescriptorSet = protox::compile(["quorum/helloworld.proto"], [&proto]).unwrap();
    let path = kit.path().join("greeting.pb");
    std::fs::write(&path, prost::Message::encode_to_vec(&set)).unwrap();
    path.to_str().unwrap().to_owned()
}

fn greets(host: &Running) {
    let methods = said(&host.outrigger(&["call", "helloworld", "--list"]), 0);
    let line =
        format!("{GREETING}(proto.PluginHelloWorld.Request) -> proto.PluginHelloWorld.Response");
    assert!(methods.lines().any(|found| found == line), "{line} in {methods}");
    let answer = said(&host.outrigger(&["call", "helloworld", GREETING, r#"{"msg": "you"}"#]), 0);
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert!(answer["msg"].as_str().unwrap().contains("you"), "{answer}");
}

e2e! {
    async fn a_method_of_a_rust_plugin_is_called_through_reflection() {
        let kit = rust();
        let host = Running::on(&kit, &["--admin", "127.0.0.1:0"]);
        greets(&host);
        // The only instance need not be named.
        let called = host.json(&["call", GREETING, r#"{"msg": "you"}"#, "--json"]);
        assert_eq!((&called["generation"], &called["complete"]), (&json!(1), &json!(true)));

        let unknown = said(&host.outrigger(&["call", "helloworld", "proto.PluginGreeting/Absent"]), 1);
        assert!(unknown.contains(GREETING), "{unknown}");
        let service = said(&host.outrigger(&["call", "helloworld", "no.Such/Method"]), 1);
        assert!(service.contains("proto.PluginGreeting"), "{service}");
        let misfit = said(&host.outrigger(&["call", GREETING, r#"{"msgg": "you"}"#]), 1);
        assert!(misfit.contains("msgg") && misfit.contains("line 1"), "{misfit}");
        let nobody = said(&host.outrigger(&["call", "absent", GREETING]), 5);
        assert!(nobody.contains("absent"), "{nobody}");
        assert!(said(&host.outrigger(&["call", GREETING, "{"]), 2).contains("no JSON"));

        // An action, of which a token that may look is not capable.
        let ask = json!({ "instance": "helloworld", "method": GREETING });
        let look = host.token("admin.read-only.token");
        assert_eq!(host.call(&look, "outrigger_call", ask.clone()).0, 403);
        let whose = json!({ "instance": "helloworld" });
        assert_eq!(host.call(&look, "outrigger_services", whose.clone()).0, 403);
        let full = host.token("admin.token");
        let (_, listed) = host.call(&full, "outrigger_services", whose);
        assert!(listed["result"].as_array().is_some_and(|all| !all.is_empty()), "{listed}");
        let (_, answer) = host.call(&full, "outrigger_call", ask);
        assert_eq!(answer["result"]["streams"], false, "{answer}");
        host.ends();
        kit.assert_clean();
    }

    async fn a_method_that_streams_prints_what_came_by_the_deadline() {
        let kit = rust();
        let host = Running::on(&kit, &[]);
        // It says how it is, and then nothing until that changes.
        let watch = ["call", "grpc.health.v1.Health/Watch", r#"{"service": "plugin"}"#, "--deadline", "3s"];
        let output = host.outrigger(&watch);
        assert_eq!(said(&output, 0), "{\"status\":\"SERVING\"}\n");
        assert!(String::from_utf8_lossy(&output.stderr).contains("there is more"));
        host.ends();
    }

    async fn a_descriptor_set_takes_the_place_of_reflection() {
        let kit = Kit::with("ok");
        let host = Running::on(&kit, &[]);
        let path = descriptors(&kit);
        let answer = host.outrigger(&["call", GREETING, r#"{"msg": "you"}"#, "--descriptor", &path]);
        let answer: Value = serde_json::from_str(&said(&answer, 0)).unwrap();
        assert!(answer["msg"].is_string(), "{answer}");
        let listed = said(&host.outrigger(&["call", "--list", "--descriptor", &path]), 0);
        assert_eq!(listed.lines().count(), 1, "{listed}");
        std::fs::write(&path, "no descriptor").unwrap();
        let refused = said(&host.outrigger(&["call", GREETING, "--descriptor", &path]), 1);
        assert!(refused.contains("descriptor set cannot be used"), "{refused}");
        host.ends();
    }

    async fn a_plugin_without_reflection_is_called_with_a_descriptor_set() {
        let Some(directory) = artifacts::foreign("hello-python") else { return };
        let metadata = std::fs::read(directory.join("plugin-meta.json")).unwrap();
        let kit = kit("hello-python", &directory, serde_json::from_slice(&metadata).unwrap());
        let host = Running::on(&kit, &[]);
        let refused = said(&host.outrigger(&["call", GREETING, r#"{"msg": "you"}"#]), 1);
        assert!(refused.contains("reflection") && refused.contains("--descriptor FILE"), "{refused}");
        let path = descriptors(&kit);
        let answer = host.outrigger(&["call", GREETING, r#"{"msg": "you"}"#, "--descriptor", &path]);
        assert!(said(&answer, 0).contains("you"));
        host.ends();
    }

    async fn a_method_of_a_go_plugin_is_called_through_reflection() {
        let Some(directory) = artifacts::foreign("hello-go") else { return };
        let metadata = std::fs::read(directory.join("plugin-meta.json")).unwrap();
        let kit = kit("hello-go", &directory, serde_json::from_slice(&metadata).unwrap());
        let host = Running::on(&kit, &[]);
        greets(&host);
        host.ends();
    }
}
