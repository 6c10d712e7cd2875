//! What a plugin's process prints. The plugin is this test's own program, started
//! again as a child.
#![expect(clippy::disallowed_methods, reason = "tests start processes")]
#![expect(clippy::unwrap_used, reason = "tests may")]

use std::io::Write as _;
use std::process::Stdio;
use std::time::Duration;

use outrigger_proto::plugin::grpc_controller_client::GrpcControllerClient;
use outrigger_proto::plugin::grpc_stdio_client::GrpcStdioClient;
use outrigger_proto::plugin::stdio_data::Channel as Printed;
use outrigger_proto::plugin::{Empty, StdioData};
use outrigger_proto::quorum::plugin_greeting_client::PluginGreetingClient;
use outrigger_proto::quorum::plugin_hello_world::Request as Hello;
use outrigger_sdk::{Capture, Plugin, Reattach, Status, quorum};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, ChildStderr, ChildStdout, Command};
use tokio::time::timeout;
use tonic::Streaming;
use tonic::transport::{Channel, Endpoint};

/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// Tells the child from the test, and what it captures.
const CHILD: &str = "OUTRIGGER_SDK_TEST_CAPTURE";

/// Bytes that a child prints when it is told to `flood`: more than its queue and
/// the pipe hold.
const FLOOD: usize = 1024 * 1024;

/// Does what it is told.
struct Printer;

impl quorum::Greeter for Printer {
    async fn greeting(&self, msg: &str) -> Result<String, Status> {
        let (verb, what) = msg.split_once(':').unwrap_or((msg, ""));
        match verb {
            "print" => std::io::stdout().write_all(what.as_bytes()).unwrap(),
            "eprint" => std::io::stderr().write_all(what.as_bytes()).unwrap(),
            "log" => tracing::warn!("{what}"),
            "flood" => {
                std::io::stdout().write_all(&vec![b'x'; FLOOD]).unwrap();
            }
            "shell" => {
                let output = std::process::Command::new("/bin/sh").args(["-c", what]).status();
                assert!(output.unwrap().success());
            }
            _ => return Err(Status::invalid_argument("no such verb")),
        }
        std::io::stdout().flush().unwrap();
        Ok(String::new())
    }
}

/// In a child, serves and never returns; otherwise runs the test.
fn serve_or(test: impl Future<Output = ()>) {
    let Ok(capture) = std::env::var(CHILD) else {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        return runtime.unwrap().block_on(test);
    };
    let plugin = || Plugin::new("K", "v").service(quorum::greeter(Printer));
    let code = match capture.as_str() {
        "test mode" => plugin().run_in_test_mode("printer"),
        "test mode, stdout" => plugin().capture(Capture::Stdout).run_in_test_mode("printer"),
        "neither" => plugin().capture(Capture::Neither).run(),
        "both" => plugin().capture(Capture::Both).run(),
        _ => plugin().run(),
    };
    std::io::stdout().write_all(b"after\n").unwrap();
    assert_eq!(code, std::process::ExitCode::SUCCESS);
    std::process::exit(0);
}

/// A child that serves.
struct Served {
    child: Child,
    stdout: BufReader<ChildStdout>,
    stderr: ChildStderr,
    channel: Channel,
    _sockets: TempDir,
}

impl Served {
    /// The child runs the test of this name, which is a [`serve_or`].
    async fn start(test: &str, capture: &str) -> Self {
        let sockets = tempfile::tempdir().unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([test, "--exact", "--nocapture", "--test-threads=1"])
            .env(CHILD, capture)
            .env("K", "v")
            .env("PLUGIN_PROTOCOL_VERSIONS", "1")
            .env("PLUGIN_UNIX_SOCKET_DIR", sockets.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let stderr = child.stderr.take().unwrap();
        // The test's own words come first, on the same line too.
        let mut line = String::new();
        while !line.contains("1|1|unix|") && !line.contains("{\"printer\":") {
            line.clear();
            timeout(PATIENCE, stdout.read_line(&mut line)).await.expect("a line").unwrap();
            assert!(!line.is_empty(), "it ended without a line");
        }
        let path = match line.find('{') {
            Some(items) => {
                let items = Reattach::from_json(&line[items..]).unwrap();
                items["printer"].address.text()
            }
            None => line.split('|').nth(3).unwrap().to_owned(),
        };
        let endpoint = Endpoint::from_shared(format!("unix://{path}")).unwrap();
        let channel = endpoint.connect().await.unwrap();
        Self { child, stdout, stderr, channel, _sockets: sockets }
    }

    async fn tell(&self, msg: &str) -> String {
        let mut client = PluginGreetingClient::new(self.channel.clone());
        let told = client.greeting(Hello { msg: msg.to_owned() });
        timeout(PATIENCE, told).await.expect("an answer").unwrap().into_inner().msg
    }

    async fn stdio(&self) -> Streaming<StdioData> {
        let mut client = GrpcStdioClient::new(self.channel.clone());
        timeout(PATIENCE, client.stream_stdio(())).await.unwrap().unwrap().into_inner()
    }

    /// What is left on its descriptors 1 and 2, after its end in good order.
    async fn end(mut self) -> (String, String) {
        let mut controller = GrpcControllerClient::new(self.channel.clone());
        controller.shutdown(Empty {}).await.unwrap();
        let (mut stdout, mut stderr) = (String::new(), String::new());
        let reading = async {
            self.stdout.read_to_string(&mut stdout).await.unwrap();
            self.stderr.read_to_string(&mut stderr).await.unwrap();
        };
        timeout(PATIENCE, reading).await.expect("it ends");
        assert!(self.child.wait().await.unwrap().success(), "{stderr}");
        (stdout, stderr)
    }
}

/// Reads until as much came on a channel.
async fn read(stream: &mut Streaming<StdioData>, channel: Printed, bytes: usize) -> Vec<u8> {
    let mut read = Vec::new();
    while read.len() < bytes {
        let piece = timeout(PATIENCE, stream.message()).await.expect("a piece").unwrap().unwrap();
        assert_eq!(piece.channel(), channel);
        assert!(!piece.data.is_empty() && piece.data.len() <= 1024, "{}", piece.data.len());
        read.extend_from_slice(&piece.data);
    }
    read
}

#[test]
fn whatever_writes_to_descriptor_1_reaches_the_host() {
    serve_or(async {
        let test = "whatever_writes_to_descriptor_1_reaches_the_host";
        let served = Served::start(test, "stdout").await;
        let mut stream = served.stdio().await;
        served.tell("print:early").await;
        served.tell("shell:printf ' and a child, ' && printf '\\377'").await;
        assert_eq!(read(&mut stream, Printed::Stdout, 20).await, b"early and a child, \xff");
        served.tell("eprint:an error").await;
        served.tell("print:last").await;
        let (stdout, stderr) = served.end().await;
        // What was printed before the end arrives, and then the stream ends.
        assert_eq!(read(&mut stream, Printed::Stdout, 4).await, b"last");
        assert_eq!(stdout, "after\n", "the output is the process's own again");
        assert!(stderr.ends_with("an error"), "standard error is not captured: {stderr}");
    });
}

#[test]
fn with_both_captured_the_log_still_goes_to_the_host_s_standard_error() {
    serve_or(async {
        let test = "with_both_captured_the_log_still_goes_to_the_host_s_standard_error";
        let served = Served::start(test, "both").await;
        let mut stream = served.stdio().await;
        served.tell("eprint:an error").await;
        assert_eq!(read(&mut stream, Printed::Stderr, 8).await, b"an error");
        served.tell("log:to the log").await;
        served.tell("print:done").await;
        assert_eq!(read(&mut stream, Printed::Stdout, 4).await, b"done");
        let (_, stderr) = served.end().await;
        assert!(stderr.contains(r#""@message":"to the log""#), "{stderr}");
        assert!(!stderr.contains("an error"), "{stderr}");
    });
}

#[test]
fn a_host_that_never_reads_the_stream_blocks_no_print() {
    serve_or(async {
        let served =
            Served::start("a_host_that_never_reads_the_stream_blocks_no_print", "stdout").await;
        served.tell("flood").await;
        served.tell("flood").await;
        let (_, stderr) = served.end().await;
        assert!(stderr.contains("dropped standard output that no host read in time"), "{stderr}");
    });
}

#[test]
fn what_is_not_captured_stays_where_it_was() {
    serve_or(async {
        let served = Served::start("what_is_not_captured_stays_where_it_was", "neither").await;
        served.tell("print:on descriptor 1;").await;
        assert_eq!(served.end().await.0, "on descriptor 1;after\n");
    });
}

#[test]
fn in_test_mode_the_output_stays_where_it_is_and_hosts_get_a_copy_if_asked() {
    serve_or(async {
        let test = "in_test_mode_the_output_stays_where_it_is_and_hosts_get_a_copy_if_asked";
        let served = Served::start(test, "test mode").await;
        served.tell("print:to the terminal;").await;
        assert_eq!(served.end().await.0, "to the terminal;after\n");

        let served = Served::start(test, "test mode, stdout").await;
        let mut stream = served.stdio().await;
        served.tell("print:to both;").await;
        assert_eq!(read(&mut stream, Printed::Stdout, 8).await, b"to both;");
        assert_eq!(served.end().await.0, "to both;after\n");
    });
}
