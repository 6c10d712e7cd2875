//! `outrigger dev`, as somebody who writes a plugin uses it.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

use outrigger_testkit::{artifacts, census, e2e, harness};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Makes the entry point, which answers what `source` holds; `broken` breaks the
/// build and `slow` never ends.
const BUILD: &str = r#"#!/bin/sh
set -e
out=${1:-.}
answer=$(cat source)
case $answer in
    broken) echo "source:1: it is broken" >&2; exit 3 ;;
    slow) exec sleep 600 ;;
esac
mkdir -p "$out"
printf '#!/bin/sh\nANSWER=%s exec %s %s\n' "$answer" "$FIXTURE" "${SCENARIO:-ok}" > "$out/run.new"
chmod +x "$out/run.new"
mv "$out/run.new" "$out/run"
test -f "$out/plugin-meta.json" || cp plugin-meta.json "$out"
"#;

/// A folder with a source and a build.
struct Folder(TempDir);

impl Folder {
    fn new(answer: &str) -> Self {
        let folder = Self(tempfile::Builder::new().prefix("dev").tempdir().unwrap());
        fs::create_dir(folder.path("work")).unwrap();
        folder.write("build.sh", BUILD);
        folder.write_metadata();
        folder.save(answer);
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write_metadata(&self) {
        let metadata = json!({ "name": "work", "version": "1.0.0", "entrypoint": "run" });
        self.write("plugin-meta.json", &metadata.to_string());
    }

    fn save(&self, answer: &str) {
        self.write("source", answer);
    }

    /// As editors do: a build that runs sees the old file or the new one.
    fn write(&self, name: &str, text: &str) {
        let (saved, path) = (self.path("work/.saved.tmp"), self.path("work").join(name));
        fs::write(&saved, text).unwrap();
        fs::set_permissions(&saved, fs::Permissions::from_mode(0o755)).unwrap();
        fs::rename(saved, path).unwrap();
    }

    fn command(&self, arguments: &[&str], build: &[&str]) -> Command {
        let mut command = Command::new(artifacts::command());
        command
            .arg("dev")
            .arg(self.path("work"))
            .args(arguments)
            .arg("--")
            .args(build)
            .env("FIXTURE", artifacts::fixture_plugin())
            .env("OUTRIGGER__RUN_DIR", self.path("run"))
            .current_dir(self.0.path())
            .stdin(Stdio::null());
        command
    }

    fn assert_clean(&self) {
        let left = census::files(&self.path("run"));
        assert!(left.is_empty(), "left in the run directory: {left:?}");
    }
}

/// The command at work, and what it says.
struct Dev {
    child: Child,
    events: BufReader<ChildStdout>,
}

impl Dev {
    fn start(folder: &Folder, arguments: &[&str]) -> Self {
        let mut command = folder.command(arguments, &["./build.sh"]);
        let mut child = command.arg(".").stdout(Stdio::piped()).spawn().unwrap();
        let events = BufReader::new(child.stdout.take().unwrap());
        Self { child, events }
    }

    /// The next event of a kind; the others are passed over.
    fn next(&mut self, kind: &str) -> Value {
        loop {
            let mut line = String::new();
            self.events.read_line(&mut line).unwrap();
            assert!(!line.is_empty(), "it ended before `{kind}`");
            let event: Value = serde_json::from_str(&line).unwrap();
            if event["event"] == kind {
                return event;
            }
        }
    }

    fn answers(&mut self, expected: &str) {
        assert_eq!(self.next("answer")["answer"], expected);
    }

    fn interrupt(&self) {
        let pid = Pid::from_raw(self.child.id().cast_signed()).unwrap();
        kill_process(pid, Signal::INT).unwrap();
    }

    fn ended(mut self) -> ExitStatus {
        harness::wait(&mut self.child, harness::LIMIT).expect("it ends")
    }
}

impl Drop for Dev {
    /// A test that fails leaves nothing behind either.
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            harness::kill_tree(self.child.id());
            let _reaped = self.child.wait();
        }
    }
}

const CALLING: [&str; 5] = ["--json", "--call", "env:ANSWER", "--call-interval", "5"];

e2e! {
    async fn a_saved_file_is_built_and_served_without_a_failed_call_and_ctrl_c_ends_it_all() {
        let folder = Folder::new("one");
        let mut dev = Dev::start(&folder, &CALLING);
        let ready = dev.next("ready");
        assert_eq!((&ready["generation"], &ready["security"]), (&json!(1), &json!("mutual")));
        dev.answers("one");
        for (generation, answer) in [(2, "two"), (3, "three"), (4, "four")] {
            folder.save(answer);
            assert_eq!(dev.next("building")["changed"], json!(["source"]));
            assert_eq!(dev.next("ready")["generation"], generation);
            dev.answers(answer);
        }
        dev.interrupt();
        let stopped = dev.next("stopped");
        assert_eq!(stopped["failed"], 0, "{stopped}");
        assert!(stopped["calls"].as_u64().unwrap() > 3, "{stopped}");
        assert!(dev.ended().success());
        folder.assert_clean();
    }

    async fn a_build_or_a_plugin_that_fails_leaves_the_generation_before_serving() {
        let folder = Folder::new("one");
        let mut dev = Dev::start(&folder, &CALLING);
        dev.answers("one");
        folder.save("broken");
        let failed = dev.next("build-failed");
        assert_eq!(failed["serves"], true, "{failed}");
        assert!(failed["reason"].as_str().unwrap().contains('3'), "{failed}");
        // What was built well does not start: its metadata names no file.
        folder.save("two");
        dev.answers("two");
        let bad = r#"#!/bin/sh
printf '{"entrypoint":"absent"}' > plugin-meta.json"#;
        folder.write("build.sh", bad);
        let failed = dev.next("failed");
        assert_eq!(failed["serves"], true, "{failed}");
        assert!(failed["error"].as_str().unwrap().contains("absent"), "{failed}");
        folder.write_metadata();
        folder.write("build.sh", BUILD);
        folder.save("three");
        dev.answers("three");
        dev.interrupt();
        assert_eq!(dev.next("stopped")["failed"], 0);
        assert!(dev.ended().success());
        folder.assert_clean();
    }

    async fn what_cannot_be_built_at_first_is_hosted_once_it_can() {
        let folder = Folder::new("broken");
        let mut dev = Dev::start(&folder, &CALLING);
        assert_eq!(dev.next("build-failed")["serves"], false);
        dev.next("waiting");
        folder.save("one");
        dev.answers("one");
        dev.interrupt();
        assert!(dev.ended().success());
        folder.assert_clean();
    }

    async fn a_plugin_that_dies_comes_back_and_both_are_told() {
        let folder = Folder::new("one");
        let mut dev = Dev::start(&folder, &CALLING);
        let pid = dev.next("ready")["pid"].as_i64().unwrap();
        dev.next("waiting");
        kill_process(Pid::from_raw(i32::try_from(pid).unwrap()).unwrap(), Signal::KILL).unwrap();
        assert!(dev.next("died")["reason"].as_str().unwrap().contains("signal 9"));
        assert_eq!(dev.next("ready")["generation"], 2);
        dev.interrupt();
        assert!(dev.ended().success());
        folder.assert_clean();
    }

    async fn ctrl_c_ends_a_build_too_and_leaves_no_process_of_it() {
        let folder = Folder::new("slow");
        let mut dev = Dev::start(&folder, &["--json"]);
        dev.next("building");
        harness::eventually("the build sleeps", || {
            census::descendants().iter().any(|process| process.command.contains("sleep 600"))
        })
        .await;
        dev.interrupt();
        assert!(dev.ended().success());
    }

    async fn once_builds_starts_calls_and_stops() {
        let folder = Folder::new("one");
        let mut command = folder.command(&["--once", "--json", "--out", "dist"], &["./build.sh", "dist"]);
        let output = command.output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{text}");
        let events: Vec<Value> = output
            .stdout
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| serde_json::from_slice(line).unwrap())
            .collect();
        let kinds: Vec<_> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["building", "built", "ready", "health", "answer", "stopped"]);
        assert_eq!(events[3]["health"], "serving");
        assert_eq!(events[4]["answer"], "Hello world!");
        folder.assert_clean();

        folder.save("broken");
        let failed = folder.command(&["--once"], &["./build.sh"]).output().unwrap();
        let text = String::from_utf8_lossy(&failed.stderr);
        assert_eq!(failed.status.code(), Some(1), "{text}");
        assert!(text.contains("build     | source:1: it is broken"), "{text}");
        assert!(text.contains("the build failed: exit status: 3"), "{text}");
    }

    async fn a_plugin_of_another_host_s_is_hosted_by_its_cookie() {
        let folder = Folder::new("one");
        let cookie = format!("{}={}", outrigger_sdk::quorum::COOKIE_KEY, outrigger_sdk::quorum::COOKIE_VALUE);
        let arguments = ["--once", "--json", "--cookie", &cookie, "--versions", "7,1", "--tls", "none"];
        let output = folder.command(&arguments, &["./build.sh"]).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
        assert!(text.contains(r#""security":"none""#) && text.contains(r#""version":1"#), "{text}");
        let refused = folder.command(&["--once", "--cookie", "K=V"], &["./build.sh"]).output().unwrap();
        assert_eq!(refused.status.code(), Some(1));
    }

    async fn what_makes_no_sense_is_refused_with_status_2() {
        let folder = Folder::new("one");
        let rows: [(&[&str], &str); 5] = [
            (&["--plugins.localverify"], "a folder that nobody signed"),
            (&["--plugins.publickey", "file:///k"], "a folder that nobody signed"),
            (&["--out", "../elsewhere"], "name a folder in DIR"),
            (&["--config", "{"], "--config is no JSON"),
            (&["--cookie", "K"], "give KEY=VALUE"),
        ];
        for (arguments, part) in rows {
            let output = folder.command(arguments, &["true"]).output().unwrap();
            let text = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(2), "{arguments:?}: {text}");
            assert!(text.contains(part), "{arguments:?}: {text}");
        }
        fs::remove_file(folder.path("work/plugin-meta.json")).unwrap();
        let output = folder.command(&[], &["true"]).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(text.contains("has no plugin-meta.json"), "{text}");
    }
}
