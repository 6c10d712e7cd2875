//! The command as a person or a script uses it.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use outrigger_testkit::{artifacts, e2e, kit::Kit};
use serde_json::Value;

pub(crate) fn outrigger(arguments: &[&str], directory: &Path) -> Output {
    Command::new(artifacts::command())
        .args(arguments)
        .current_dir(directory)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

e2e! {
    async fn the_demo_shows_a_reload_without_a_failed_call_and_leaves_nothing() {
        let here = tempfile::tempdir().unwrap();
        let output = outrigger(&["demo", "--once", "--json"], here.path());
        assert!(output.status.success(), "{}", text(&output.stderr));
        let object: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(object["greeting_before"], "Hello Outrigger!");
        assert_eq!(object["greeting_after"], "Hallo Outrigger!");
        assert_eq!(object["failed_during_reload"], 0);
        assert!(object["calls_during_reload"].as_u64().unwrap() > 0);
        assert_eq!(object["generation"], 3);
        assert_eq!(object["left_over_processes"], 0);
        assert_eq!(object["left_over_files"], 0);
        assert_eq!(object["sandbox"], "compat");
        for key in [
            "start_ms", "verify_ms", "launch_ms", "handshake_ms", "init_ms", "reload_ms",
            "recovery_ms",
        ] {
            assert!(object[key].as_f64().unwrap() > 0.0, "{key} in {object}");
        }
        for key in ["p50", "p99"] {
            assert!(object["call_us"][key].as_f64().unwrap() > 0.0, "{key} in {object}");
        }
    }

    async fn pack_and_sign_make_what_run_verifies() {
        let mut kit = Kit::new();
        let source = kit.path().join("source");
        std::fs::create_dir(&source).unwrap();
        std::fs::copy(artifacts::hello_world(), source.join("hello")).unwrap();
        let metadata = r#"{"name":"hello","version":"1.0.0","entrypoint":"hello"}"#;
        std::fs::write(source.join("plugin-meta.json"), metadata).unwrap();
        let base = kit.base_dir();
        let packed = outrigger(
            &["pack", source.to_str().unwrap(), "--output", base.to_str().unwrap(), "--level", "0", "--json"],
            kit.path(),
        );
        assert!(packed.status.success(), "{}", text(&packed.stderr));
        let packed: Value = serde_json::from_slice(&packed.stdout).unwrap();
        let zip = packed["path"].as_str().unwrap();
        let signed = outrigger(
            &["sign", zip, "--key", "key.asc", "--generate", "Acme <plugins@acme.example>"],
            kit.path(),
        );
        assert!(signed.status.success(), "{}", text(&signed.stderr));
        std::fs::rename(kit.path().join("key.asc.pub"), base.join("gpg.key")).unwrap();
        kit.provide("helloworld", "hello");
        let builder = outrigger::PluginHost::builder()
            .settings_url(kit.settings_url())
            .interface(outrigger::helloworld::interface());
        let host = builder.register().unwrap().start().await.unwrap();
        crate::stop(host).await;
    }

    async fn flags_that_exclude_each_other_are_told_apart_with_status_2() {
        let kit = Kit::with("ok");
        let url = kit.settings_url();
        let rows: [(&[&str], &str); 3] = [
            (
                &["run", "--plugins", &url, "--plugins.skipverify", "--plugins.localverify"],
                "only --plugins.skipverify or --plugins.localverify must be set",
            ),
            (
                &["run", "--plugins", &url, "--plugins.publickey", "file:///k"],
                "--plugins.localverify is required for setting --plugins.publickey",
            ),
            (&["run"], "--plugins"),
        ];
        for (arguments, expected) in rows {
            let output = outrigger(arguments, kit.path());
            assert_eq!(output.status.code(), Some(2), "{arguments:?}");
            let error = text(&output.stderr);
            assert!(error.contains(expected), "{arguments:?}: {error}");
        }
    }
}
