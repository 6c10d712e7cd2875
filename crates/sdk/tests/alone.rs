//! A plugin in a process of one thread, which the usual test harness does not
//! give: this program is its own harness, with one test.
#![expect(clippy::disallowed_methods, reason = "tests start processes")]
#![expect(clippy::unwrap_used, reason = "tests may")]

use std::io::{BufRead as _, BufReader};
use std::process::{Command, ExitCode, Stdio};

use outrigger_proto::plugin::Empty;
use outrigger_proto::plugin::grpc_controller_client::GrpcControllerClient;
use outrigger_proto::quorum::plugin_greeting_client::PluginGreetingClient;
use outrigger_proto::quorum::plugin_hello_world::Request as Hello;
use outrigger_sdk::{Plugin, Status, quorum};
use tonic::transport::Endpoint;

/// Tells the child from the test.
const CHILD: &str = "OUTRIGGER_SDK_TEST_CHILD";

/// Answers with what a child of the plugin's sees.
struct Environment;

impl quorum::Greeter for Environment {
    async fn greeting(&self, _: &str) -> Result<String, Status> {
        let output = Command::new("/usr/bin/env").output().unwrap();
        Ok(String::from_utf8(output.stdout).unwrap())
    }
}

fn main() -> ExitCode {
    if std::env::var_os(CHILD).is_some() {
        return Plugin::new("K", "v").service(quorum::greeter(Environment)).run();
    }
    // The arguments of the usual harness: nothing can be chosen here.
    if !std::env::args().any(|argument| argument == "--list") {
        a_plugin_s_children_do_not_see_what_its_host_asked_for();
    }
    ExitCode::SUCCESS
}

fn a_plugin_s_children_do_not_see_what_its_host_asked_for() {
    let sockets = tempfile::tempdir().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .env(CHILD, "1")
        .env("K", "v")
        .env("PLUGIN_PROTOCOL_VERSIONS", "1")
        .env("PLUGIN_MIN_PORT", "10000")
        .env("PLUGIN_UNIX_SOCKET_DIR", sockets.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let path = line.split('|').nth(3).unwrap().to_owned();
    let seen =
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(
            async {
                let endpoint = Endpoint::from_shared(format!("unix://{path}")).unwrap();
                let channel = endpoint.connect().await.unwrap();
                let mut client = PluginGreetingClient::new(channel.clone());
                let seen = client.greeting(Hello::default()).await.unwrap().into_inner().msg;
                GrpcControllerClient::new(channel).shutdown(Empty {}).await.unwrap();
                seen
            },
        );
    assert!(child.wait().unwrap().success());
    let names: Vec<&str> = seen.lines().filter_map(|line| line.split('=').next()).collect();
    assert!(names.contains(&"K") && names.contains(&CHILD), "{names:?}");
    let of_the_protocol = names.iter().find(|name| name.starts_with("PLUGIN_"));
    assert_eq!(of_the_protocol, None);
}
