//! The examples, run as what they are: programs of their own.
#![expect(clippy::disallowed_methods, reason = "tests start processes")]
#![expect(clippy::unwrap_used, reason = "tests may")]

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use outrigger::distribution::{IfExists, KeyAlgorithm, PackOptions, SigningKey, pack, sign};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use serde_json::json;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::{Instant, timeout_at};

/// For a whole test; far more than anything here takes.
const LIMIT: Duration = Duration::from_secs(30);

/// `cargo test` builds a package's examples beside its tests.
fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let profile = test.parent().and_then(Path::parent).unwrap();
    let example = profile.join("examples").join(name);
    assert!(example.exists(), "build it first: cargo build -p outrigger --examples");
    example
}

/// An example that runs, in a temporary directory of its own.
struct Running {
    child: Child,
    pid: Pid,
    stdout: Lines<BufReader<ChildStdout>>,
    /// What was read of its standard output.
    said: Vec<String>,
    directory: TempDir,
    deadline: Instant,
}

impl Running {
    /// Starts a copy within the directory: whatever runs it is this test's.
    fn start(name: &str, directory: TempDir, arguments: &[PathBuf]) -> Self {
        let program = directory.path().join(name);
        fs::copy(example(name), &program).unwrap();
        let temporary = directory.path().join("tmp");
        fs::create_dir(&temporary).unwrap();
        let mut child = Command::new(program)
            .args(arguments)
            .env("TMPDIR", temporary)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(directory.path().join("stderr")).unwrap())
            .process_group(0)
            .spawn()
            .unwrap();
        let pid = Pid::from_raw(child.id().unwrap().try_into().unwrap()).unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap()).lines();
        let deadline = Instant::now() + LIMIT;
        Self { child, pid, stdout, said: Vec::new(), directory, deadline }
    }

    /// The next line of its standard output, if one comes.
    async fn line(&mut self) -> Option<String> {
        let line = timeout_at(self.deadline, self.stdout.next_line()).await;
        let line = line.unwrap_or_else(|_| panic!("no line in time\n{}", self.output()));
        let line = line.unwrap();
        self.said.extend(line.clone());
        line
    }

    /// Reads what it still says, and waits for its end: its exit code.
    async fn ended(&mut self) -> Option<i32> {
        while self.line().await.is_some() {}
        let status = timeout_at(self.deadline, self.child.wait()).await;
        let status = status.unwrap_or_else(|_| panic!("no end in time\n{}", self.output()));
        status.unwrap().code()
    }

    /// For the message of a test that fails.
    fn output(&self) -> String {
        let stderr = fs::read_to_string(self.directory.path().join("stderr")).unwrap_or_default();
        format!("stdout: {:#?}\nstderr: {stderr}", self.said)
    }

    /// Nothing is left: no process, no file.
    fn check_clean(&self) {
        assert_eq!(processes_of(self.directory.path()), Vec::<String>::new());
        for directory in ["tmp", "run"] {
            let Ok(entries) = self.directory.path().join(directory).read_dir() else {
                continue;
            };
            let left: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
            assert!(left.is_empty(), "left behind: {left:?}");
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Until it is waited for, the number is its own.
        if self.child.id().is_some() {
            let _gone = kill_process_group(self.pid, Signal::KILL);
        }
    }
}

/// Processes that run from the directory, or whose environment names it: the
/// launchers have no environment, and the plugins run from memory.
fn processes_of(directory: &Path) -> Vec<String> {
    let needle = directory.as_os_str().as_encoded_bytes();
    let is_ours = |process: &Path| {
        let runs = fs::read_link(process.join("exe")).is_ok_and(|exe| exe.starts_with(directory));
        let environment = fs::read(process.join("environ")).unwrap_or_default();
        runs || environment.windows(needle.len()).any(|part| part == needle)
    };
    let entries = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
    let named = |process: &Path| {
        let command = fs::read(process.join("cmdline")).unwrap_or_default();
        format!("{}: {}", process.display(), String::from_utf8_lossy(&command))
    };
    entries.filter(|process| is_ours(process)).map(|process| named(&process)).collect()
}

/// Packs and signs `hello_plugin`, and writes settings for it.
fn install_hello(directory: &Path) -> PathBuf {
    let (source, base) = (directory.join("source"), directory.join("plugins"));
    fs::create_dir(&source).unwrap();
    fs::create_dir(&base).unwrap();
    fs::copy(example("hello_plugin"), source.join("hello")).unwrap();
    let metadata = json!({ "name": "hello", "version": "1.0.0", "entrypoint": "hello" });
    fs::write(source.join("plugin-meta.json"), metadata.to_string()).unwrap();
    let options = PackOptions { level: 0, ..PackOptions::default() };
    let packed = pack(&source, &base, &options).unwrap();
    let key = SigningKey::generate("Test", KeyAlgorithm::default(), None).unwrap();
    key.write_public(&base.join("gpg.key"), IfExists::Refuse).unwrap();
    sign(&packed.path, &key, None).unwrap();
    let settings = json!({
        "baseDir": base,
        "runDir": directory.join("run"),
        "providers": { "helloworld": { "name": "hello", "version": "1.0.0" } },
    });
    let path = directory.join("settings.json");
    fs::write(&path, settings.to_string()).unwrap();
    path
}

#[tokio::test]
async fn embed_greets_and_stops_on_ctrl_c() {
    let directory = tempfile::tempdir().unwrap();
    let settings = install_hello(directory.path());
    let mut embed = Running::start("embed", directory, &[settings]);
    let greeting = embed.line().await;
    assert_eq!(greeting.as_deref(), Some("Hello world!"), "{}", embed.output());
    // Itself, its launcher, its plugin: or the check afterwards would see nothing.
    let processes = processes_of(embed.directory.path());
    assert_eq!(processes.len(), 3, "{processes:?}\n{}", embed.output());
    kill_process(embed.pid, Signal::INT).unwrap();
    assert_eq!(embed.ended().await, Some(0), "{}", embed.output());
    embed.check_clean();
}

#[tokio::test]
async fn embed_says_what_is_wrong_and_exits_with_1() {
    let directory = tempfile::tempdir().unwrap();
    let mut embed = Running::start("embed", directory, &[]);
    let (code, output) = (embed.ended().await, embed.output());
    assert_eq!(code, Some(1), "{output}");
    assert!(output.contains("usage: embed SETTINGS.json"), "{output}");
}

#[tokio::test]
async fn a_node_has_an_interface_of_its_own() {
    let directory = tempfile::tempdir().unwrap();
    let mut node = Running::start("own_interface", directory, &[]);
    assert_eq!(node.ended().await, Some(0), "{}", node.output());
    let said = [
        "protocol version: Some(5)",
        "value of 4 ETH: Some(Cents(1000000))",
        "value of 4 XYZ: None",
        "generation after a reload: 2",
        "value of 4 ETH: Some(Cents(1200000))",
        "a price of 0 is taken: false",
        "a bad config is taken: false",
        "value of 4 ETH: Some(Cents(1200000))",
        "left in the run directory: 0",
    ];
    assert_eq!(node.said, said, "{}", node.output());
    node.check_clean();
}

#[tokio::test]
async fn plugins_of_two_versions_serve_one_interface_and_the_newer_one_calls_back() {
    let directory = tempfile::tempdir().unwrap();
    let mut node = Running::start("kv", directory, &[]);
    assert_eq!(node.ended().await, Some(0), "{}", node.output());
    let said = [
        "new: version Some(5)",
        "old: version Some(2)",
        "old: Some(5242880), watched: false, changes: []",
        "as it should be: (Some(5242880), [])",
        "changes after the watch: 0",
        "new: Some(5242880), watched: true, changes: [\"colour\", \"size\"]",
        "as it should be: (Some(5242880), [\"colour\", \"size\"])",
        "changes after the watch: 2",
        "left in the run directory: 0",
    ];
    assert_eq!(node.said, said, "{}", node.output());
    node.check_clean();
}
