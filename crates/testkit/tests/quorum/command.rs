//! `outrigger account`, with GoQuorum's texts.

use std::process::{Command, Output, Stdio};

use outrigger_testkit::quorum::QuorumKit;
use outrigger_testkit::{artifacts, e2e};
use serde_json::{Value, json};

fn account(kit: &QuorumKit, arguments: &[&str]) -> Output {
    Command::new(artifacts::command())
        .arg("account")
        .args(arguments)
        .args(["--plugins.skipverify", "--plugins", &kit.kit.settings_url()])
        .current_dir(kit.kit.path())
        .env("ACCOUNT_CONFIG", r#"{"b": 1.0, "a": 2}"#)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn good(kit: &QuorumKit, arguments: &[&str]) -> Value {
    let output = account(kit, &[arguments, &["--json"]].concat());
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

e2e! {
    async fn accounts_are_listed_made_and_imported_without_a_node() {
        let kit = QuorumKit::with("account", json!({ "keys": ["46".repeat(32)] }));
        let listed = good(&kit, &["list"]);
        let address = "0x9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f";
        assert_eq!(listed["accounts"][0]["address"], address);
        good(&kit, &["new", "--plugins.account.config", "env://ACCOUNT_CONFIG"]);
        let (_, with) = kit.calls("account").pop().unwrap();
        assert_eq!(with["config"], r#"{"a":2,"b":1}"#, "as GoQuorum writes it");
        std::fs::write(kit.kit.path().join("key"), format!("{}\n", "46".repeat(32))).unwrap();
        let made = good(&kit, &["import", "key", "--plugins.account.config", "{}"]);
        assert_eq!(made["accounts"][0]["address"], address);
        kit.kit.assert_clean();
    }

    async fn what_cannot_be_an_account_is_refused_in_goquorum_s_words() {
        let mut kit = QuorumKit::with("account", json!({}));
        std::fs::write(kit.kit.path().join("key"), "aaaaaa").unwrap();
        let config = "--plugins.account.config";
        for (arguments, expected) in [
            (&["new"][..], "--plugins and --plugins.account.config flags must be set"),
            (&["new", config, ""], "no plugin config provided"),
            (&["new", config, "[]"], "invalid account creation config provided: "),
            (&["new", config, "{nonsense"], "invalid account creation config provided: "),
            (&["new", config, "file://doesnotexist"], "doesnotexist"),
            (&["new", config, "env://notset"], "env variable notset not found"),
            (&["import", config, "{}"], "keyfile must be given as argument"),
            (
                &["import", "doesnotexist", config, "{}"],
                "Failed to load the private key: open doesnotexist: no such file or directory",
            ),
            (&["import", "key", config, "{}"], "invalid length, need 256 bits"),
        ] {
            let output = account(&kit, arguments);
            let error = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(1), "{arguments:?}: {error}");
            assert!(error.contains(expected), "{arguments:?}: {error}");
        }
        kit.add("helloworld", json!({}));
        let output = account(&kit, &["list"]);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(error.contains("unsupported plugins configured: [helloworld]"), "{error}");
        kit.kit.set("/providers", json!({ "account": { "name": "none", "version": "1" } }));
        let error = account(&kit, &["list"]).stderr;
        let error = String::from_utf8_lossy(&error);
        assert!(error.contains("unable to start plugin manager: "), "{error}");
    }
}
