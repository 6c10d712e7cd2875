//! Versions as an operator handles them: list, install, upgrade, rollback, and
//! a host that takes them up.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use outrigger_testkit::{artifacts, e2e, kit::Kit};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::command::outrigger;

/// An operator's directory: a signing key, two signed versions of one plugin,
/// and settings with the older one.
struct Site(Kit);

impl Site {
    fn new() -> Self {
        let mut site = Self(Kit::new());
        site.0.provide("helloworld", "hello");
        site.release("1.0.0");
        site.release("1.1.0");
        fs::copy(site.0.path().join("key.asc.pub"), site.0.base_dir().join("gpg.key")).unwrap();
        site
    }

    /// Packs a version into the base directory.
    fn pack(&self, version: &str) -> String {
        let source = self.0.path().join(format!("source-{version}"));
        fs::create_dir(&source).unwrap();
        let script = format!("#!/bin/sh\nexec '{}' ok\n", artifacts::fixture_plugin().display());
        fs::write(source.join("run"), script).unwrap();
        fs::set_permissions(source.join("run"), fs::Permissions::from_mode(0o755)).unwrap();
        let metadata = json!({
            "name": "hello", "version": version, "entrypoint": "run", "parameters": [version],
        });
        fs::write(source.join("plugin-meta.json"), metadata.to_string()).unwrap();
        let base = self.0.base_dir();
        let packed = self.json(&["pack", arg(&source), "--output", arg(&base)]);
        packed["path"].as_str().unwrap().to_owned()
    }

    /// Packs and signs a version.
    fn release(&self, version: &str) {
        let zip = self.pack(version);
        self.json(&["sign", &zip, "--key", "key.asc", "--generate", "Acme <plugins@acme.example>"]);
    }

    /// Runs a command to its good end, and reads its object.
    fn json(&self, arguments: &[&str]) -> Value {
        let mut arguments = arguments.to_vec();
        arguments.push("--json");
        let output = outrigger(&arguments, self.0.path());
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {error}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Runs a command on the settings.
    fn on_settings(&self, arguments: &[&str]) -> Value {
        let url = self.0.settings_url();
        self.json(&[arguments, &["--plugins", &url, "--plugins.localverify"]].concat())
    }

    /// The error's line of a command that fails with status 1.
    fn refused(&self, arguments: &[&str]) -> String {
        let url = self.0.settings_url();
        let arguments = [arguments, &["--plugins", &url, "--plugins.localverify"]].concat();
        let output = outrigger(&arguments, self.0.path());
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {error}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
        error
    }

    fn settings(&self) -> String {
        fs::read_to_string(self.0.settings_file()).unwrap()
    }
}

fn arg(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// `outrigger run`, and what it says.
struct Running {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Running {
    fn start(site: &Site) -> Self {
        let mut child = Command::new(artifacts::command())
            .args(["run", "--json", "--plugins.localverify", "--plugins", &site.0.settings_url()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { child, lines }
    }

    /// The next line of this kind.
    fn next(&mut self, event: &str) -> Value {
        loop {
            let mut line = String::new();
            assert!(self.lines.read_line(&mut line).unwrap() > 0, "it ended before {event}");
            let line: Value = serde_json::from_str(&line).unwrap();
            if line["event"] == event {
                return line;
            }
        }
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id().try_into().unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }
}

fn version(line: &Value) -> &str {
    line["plugins"][0]["version"].as_str().unwrap()
}

e2e! {
    async fn an_upgrade_is_planned_made_taken_up_on_sighup_and_rolled_back() {
        let site = Site::new();
        let before = site.settings();
        let mut host = Running::start(&site);
        assert_eq!(version(&host.next("ready")), "1.0.0");

        let plan = site.on_settings(&["upgrade", "helloworld", "--plan"]);
        assert_eq!(plan["version"], json!({ "from": "1.0.0", "to": "1.1.0" }));
        assert_eq!(plan["parameters"], json!({ "from": ["1.0.0"], "to": ["1.1.0"] }));
        assert_eq!(plan["entrypoint"], json!({ "from": "run", "to": "run" }));
        assert_ne!(plan["sha256"]["from"], plan["sha256"]["to"]);
        assert_eq!(plan["signed_by"]["from"], plan["signed_by"]["to"]);
        assert_eq!(plan["config"]["changed"], json!([]));
        assert_eq!(plan["applied"], false);
        assert_eq!(site.settings(), before, "a plan changes nothing");

        let done = site.on_settings(&["upgrade", "hello@1.1.0"]);
        assert_eq!(done["applied"], true);
        let after = before.replace(r#""version": "1.0.0""#, r#""version": "1.1.0""#);
        assert_ne!(after, before);
        assert_eq!(site.settings(), after, "only the version changes");
        host.signal(Signal::HUP);
        assert_eq!(version(&host.next("reloaded")), "1.1.0");

        let back = site.on_settings(&["rollback", "helloworld"]);
        assert_eq!(back["version"], json!({ "from": "1.1.0", "to": "1.0.0" }));
        assert_eq!(site.settings(), before);
        host.signal(Signal::HUP);
        assert_eq!(version(&host.next("reloaded")), "1.0.0");
        let error = site.refused(&["rollback", "helloworld"]);
        assert!(error.contains("never upgraded"), "{error}");

        host.signal(Signal::TERM);
        assert!(host.child.wait().unwrap().success());
        site.0.assert_clean();
    }

    async fn going_back_without_saying_so_is_warned_of_and_refused_where_settings_ask_for_it() {
        let mut site = Site::new();
        let run = |site: &Site| {
            let mut host = Running::start(site);
            let ready = host.next("ready");
            host.signal(Signal::TERM);
            assert!(host.child.wait().unwrap().success());
            version(&ready).to_owned()
        };
        site.0.set("/providers/helloworld/version", json!("1.1.0"));
        assert_eq!(run(&site), "1.1.0");
        site.0.set("/providers/helloworld/version", json!("1.0.0"));
        site.0.set("/verification/downgrade", json!("refuse"));
        let error = site.refused(&["run"]);
        let expected = "version 1.0.0 is older than 1.1.0, which ran last";
        assert!(error.contains("plugin `helloworld`") && error.contains(expected), "{error}");
        // It is remembered what ran, and not what was tried.
        assert!(site.refused(&["run"]).contains(expected));

        site.0.set("/verification/downgrade", json!("warn"));
        let mut host = Running::start(&site);
        assert_eq!(version(&host.next("ready")), "1.0.0");
        host.signal(Signal::TERM);
        assert!(host.child.wait().unwrap().success());
        let mut logged = String::new();
        host.child.stderr.take().unwrap().read_to_string(&mut logged).unwrap();
        assert!(logged.contains(expected), "{logged}");
        site.0.assert_clean();
    }

    async fn a_rollback_says_that_going_back_is_meant() {
        let mut site = Site::new();
        site.0.set("/verification/downgrade", json!("refuse"));
        site.on_settings(&["upgrade", "helloworld@1.1.0"]);
        let mut host = Running::start(&site);
        assert_eq!(version(&host.next("ready")), "1.1.0");
        site.on_settings(&["rollback", "helloworld"]);
        host.signal(Signal::HUP);
        assert_eq!(version(&host.next("reloaded")), "1.0.0");
        host.signal(Signal::TERM);
        assert!(host.child.wait().unwrap().success());
        site.0.assert_clean();
    }

    async fn a_config_that_comes_with_an_upgrade_goes_with_its_rollback() {
        let site = Site::new();
        let before = site.settings();
        let config = r#"{"language":"de","token":"hunter2"}"#;
        let arguments = ["upgrade", "helloworld@1.1.0", "--with-config", config];
        let done = site.on_settings(&arguments);
        assert_eq!(done["config"]["changed"], json!(["language", "token"]));
        assert!(!done.to_string().contains("hunter2"), "{done}");
        let after: Value = serde_json::from_str(&site.settings()).unwrap();
        let expected: Value = serde_json::from_str(config).unwrap();
        assert_eq!(after["providers"]["helloworld"]["config"], expected);
        let back = site.on_settings(&["rollback", "helloworld"]);
        assert_eq!(back["config_restored"], true);
        let restored: Value = serde_json::from_str(&site.settings()).unwrap();
        assert_eq!(restored, serde_json::from_str::<Value>(&before).unwrap());
    }

    async fn a_tree_that_pack_and_sign_lay_out_is_a_central() {
        let mut site = Site::new();
        let tree = site.0.path().join("tree");
        let tree = arg(&tree).to_owned();
        let source = site.0.path().join("source-1.0.0");
        for zip in fs::read_dir(site.0.base_dir()).unwrap() {
            fs::remove_file(zip.unwrap().path()).unwrap();
        }
        let packed = site.json(&["pack", arg(&source), "--central", &tree]);
        let path = format!("{tree}/maven/bin/hello/1.0.0/hello-1.0.0-linux-amd64");
        assert_eq!(packed["path"], format!("{path}.zip"));
        let zip = packed["path"].as_str().unwrap();
        let signed = site.json(&["sign", zip, "--key", "key.asc", "--central", &tree]);
        assert_eq!(signed["path"], format!("{path}-sha256.checksum.asc"));
        site.0.set("/central/baseURL", json!(format!("file://{tree}/")));
        site.0.set("/verification/fingerprints", json!([signed["fingerprint"]]));
        let installed =
            site.json(&["install", "hello@1.0.0", "--plugins", &site.0.settings_url()]);
        assert_eq!(installed["sha256"], packed["sha256"]);

        // Once more with the same key, and never with one that hosts do not get.
        site.json(&["sign", zip, "--key", "key.asc", "--central", &tree]);
        let before = fs::read(format!("{path}-sha256.checksum.asc")).unwrap();
        let other = ["sign", zip, "--key", "other.asc", "--generate", "Other", "--central", &tree];
        let output = outrigger(&other, site.0.path());
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1));
        assert!(error.contains("does not hold the key that signs"), "{error}");
        assert_eq!(fs::read(format!("{path}-sha256.checksum.asc")).unwrap(), before);
        let keep = ["pack", arg(&source), "--central", &tree, "--keep"];
        assert_eq!(outrigger(&keep, site.0.path()).status.code(), Some(1));
        let away = ["pack", arg(&source), "--central", &tree, "--dist-path", "../{{.Name}}.zip"];
        assert_eq!(outrigger(&away, site.0.path()).status.code(), Some(2));
        assert_eq!(fs::read_dir(&tree).unwrap().count(), 2, "nothing else is left in the tree");
    }

    async fn what_is_installed_is_listed_with_who_signed_it() {
        let site = Site::new();
        let listed = site.on_settings(&["list"]);
        let row = &listed["plugins"][0];
        assert_eq!(row["instance"], "helloworld");
        assert_eq!(row["version"], "1.0.0");
        assert_eq!(row["installed"], json!(["1.0.0", "1.1.0"]));
        assert_eq!(row["problem"], Value::Null);
        assert_eq!(row["signed_by"].as_str().unwrap().len(), 40);
        let installed = site.on_settings(&["install", "hello@1.1.0"]);
        assert_eq!(installed["signed_by"], row["signed_by"]);
        assert_ne!(installed["sha256"], row["sha256"]);
    }

    async fn what_nobody_signed_or_nobody_has_never_reaches_the_settings() {
        let site = Site::new();
        site.pack("1.2.0");
        let before = site.settings();
        for (arguments, expected) in [
            (["upgrade", "helloworld"], "1.2.0"),
            (["upgrade", "helloworld@1.2.0"], "signature"),
            (["install", "hello@1.2.0"], "signature"),
            (["upgrade", "helloworld@3.0.0"], "3.0.0"),
            (["install", "other@1.0.0"], "other"),
            (["upgrade", "helloworld@1.0.0"], "already"),
            (["upgrade", "unknown@1.0.0"], "helloworld"),
        ] {
            let error = site.refused(&arguments);
            assert!(error.contains(expected), "{arguments:?}: {error}");
            assert_eq!(site.settings(), before, "{arguments:?}");
        }
        let error = site.refused(&["rollback", "helloworld"]);
        assert!(error.contains("never upgraded"), "{error}");
    }
}
