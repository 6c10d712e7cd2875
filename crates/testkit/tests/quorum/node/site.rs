//! The example node as a process, its settings, and versions of its security
//! plugin that are signed, as such a node wants them.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use outrigger::distribution::{SigningKey, sign};
use outrigger_testkit::harness::eventually;
use outrigger_testkit::{artifacts, census, quorum::QuorumKit};
use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat, open};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

/// A token that grants everything that the node serves.
pub(super) const TOKEN: &str = "bearer of all";
/// Another one, which nobody shows before the plugin hangs.
pub(super) const UNSEEN: &str = "bearer of all too";
/// Tokens of whoever must never be let in; `None`: shows none.
pub(super) const STRANGERS: [Option<&str>; 5] =
    [None, Some("bearer of al"), Some("of all"), Some("bearer of little"), Some("bearer of old")];

/// The version that does what it should.
pub(super) const GOOD: &str = "guard";
/// One that ends before it is ready.
pub(super) const STILLBORN: &str = "stillborn";
/// One that serves, and ends once its gate is opened.
pub(super) const DYING: &str = "dying";

/// A place where a plugin's script waits while it is shut.
pub(super) struct Gate(PathBuf);

impl Gate {
    fn at(directory: &Path, name: &str) -> Self {
        Self(directory.join(name))
    }

    fn reached_file(&self) -> PathBuf {
        self.0.with_extension("reached")
    }

    fn script(&self) -> String {
        let (pipe, reached) = (self.0.display(), self.reached_file());
        // Opening a pipe for reading waits for whoever writes.
        format!("if [ -p '{pipe}' ]; then : > '{}'; : < '{pipe}'; fi", reached.display())
    }

    pub(super) fn shut(&self) {
        mknodat(CWD, &self.0, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    }

    /// Waits until a plugin stands before it.
    pub(super) async fn reached(&self) {
        eventually("a plugin is at the gate", || self.reached_file().exists()).await;
    }

    pub(super) async fn open(&self) {
        let written = || open(&self.0, OFlags::WRONLY | OFlags::NONBLOCK, Mode::empty()).is_ok();
        eventually("a plugin waits at the gate", written).await;
        fs::remove_file(self.reached_file()).unwrap();
        fs::remove_file(&self.0).unwrap();
    }
}

/// Settings with a security plugin, and its versions.
pub(super) struct Site {
    pub(super) kit: QuorumKit,
    /// Where `GOOD` waits before it starts.
    pub(super) start: Gate,
    /// Where `DYING` waits before it ends.
    pub(super) end: Gate,
}

impl Site {
    pub(super) fn new() -> Self {
        let mut kit = QuorumKit::new();
        kit.add("security", json!({ "tokens": tokens() }));
        // The node's executable is the launcher too.
        kit.kit.without_launcher();
        let (start, end) = (Gate::at(kit.kit.path(), "start"), Gate::at(kit.kit.path(), "end"));
        let plugin = artifacts::quorum_plugin();
        let plugin = plugin.display();
        let good = format!("{}; exec '{plugin}'", start.script());
        let key = kit.kit.sign(&pack(&kit, GOOD, &good));
        signed(&kit, STILLBORN, "exit 3", &key);
        signed(&kit, DYING, &format!("'{plugin}' & {}; exit 3", end.script()), &key);
        let mut site = Self { kit, start, end };
        site.choose(GOOD);
        site
    }

    /// Names a version in the settings.
    pub(super) fn choose(&mut self, version: &str) {
        self.kit.kit.set("/providers/security/name", json!(version));
    }

    /// Has the plugin authenticate, or not.
    pub(super) fn authenticate(&mut self, wanted: bool) {
        let tokens = if wanted { tokens() } else { Value::Null };
        self.kit.kit.set("/providers/security/config/tokens", tokens);
    }

    /// Has a plugin that hangs found out soon, and none that a busy machine holds
    /// up for a moment.
    pub(super) fn watch_closely(&mut self) {
        let often = json!({
            "healthInterval": "100ms", "healthTimeout": "300ms", "healthMisses": 3,
        });
        self.kit.kit.set("/timeouts", often);
    }
}

/// Whom the plugin knows.
fn tokens() -> Value {
    let all = json!([["chain", "*", ""], ["admin", "*", ""]]);
    let end = 4_000_000_000_u64;
    json!({
        TOKEN: { "expires": end, "authorities": all },
        UNSEEN: { "expires": end, "authorities": all },
        "bearer of little": { "expires": end, "authorities": [["net", "*", ""]] },
        "bearer of old": { "expires": 1, "authorities": all },
    })
}

fn pack(kit: &QuorumKit, name: &str, script: &str) -> PathBuf {
    let script = format!("#!/bin/sh\n{script}\n");
    kit.kit.pack(name, &[("run", script.as_bytes(), 0o755)], json!({ "entrypoint": "run" }))
}

fn signed(kit: &QuorumKit, name: &str, script: &str, key: &SigningKey) {
    sign(&pack(kit, name, script), key, None).unwrap();
}

/// The example node.
pub(super) struct Node {
    child: Child,
    lines: BufReader<ChildStdout>,
    pub(super) url: String,
}

impl Node {
    pub(super) fn start(site: &Site) -> Self {
        let mut child = Command::new(artifacts::node())
            .arg(site.kit.kit.settings_url())
            .args(["--rpc", "127.0.0.1:0"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        let mut node = Self { child, lines, url: String::new() };
        node.url = node.line()["rpc"].as_str().unwrap().to_owned();
        node
    }

    fn line(&mut self) -> Value {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        serde_json::from_str(&line).expect("the node ended, or prints no JSON")
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id().try_into().unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Has settings taken up, and gives what came of it.
    pub(super) fn take_up(&mut self) -> Value {
        self.signal(Signal::HUP);
        self.line()
    }

    /// Sends a signal to its one plugin.
    pub(super) fn signal_plugin(&self, signal: Signal) {
        let below = census::descendants_of(self.child.id()).into_iter();
        let plugins: Vec<_> =
            below.filter(|it| it.command.ends_with("outrigger-quorum-plugin")).collect();
        let [plugin] = plugins.as_slice() else { panic!("not one plugin: {plugins:?}") };
        kill_process(Pid::from_raw(plugin.pid).unwrap(), signal).unwrap();
    }

    /// Ends as an operator ends it.
    pub(super) fn stop(mut self, site: &Site) {
        self.signal(Signal::TERM);
        assert!(self.child.wait().unwrap().success());
        site.kit.kit.assert_clean();
    }
}

impl Drop for Node {
    /// A test that fails leaves no node behind.
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
    }
}
