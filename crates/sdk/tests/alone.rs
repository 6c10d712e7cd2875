//! Plugins whose whole process counts: how many threads it has, what is in its
//! environment. The usual test harness would be in the way, so this program is
//! its own; a plugin is this program, started again.
#![expect(clippy::disallowed_methods, reason = "tests start processes")]
#![expect(clippy::unwrap_used, reason = "tests may")]

use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

use outrigger_proto::quorum::plugin_greeting_client::PluginGreetingClient;
use outrigger_proto::quorum::plugin_hello_world::Request as Hello;
use outrigger_proto::quorum_init::plugin_initialization::Request as Init;
use outrigger_proto::quorum_init::plugin_initializer_client::PluginInitializerClient;
use outrigger_sdk::{Plugin, Rpc, Status, quorum};
use outrigger_transport::{
    Cookie, Driver as _, Endpoint, LaunchSpec, ProcessDriver, Program, Security, StopLadder,
    Stopped,
};
use tokio_util::sync::CancellationToken;

/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

fn main() -> ExitCode {
    let argument = std::env::args().nth(1);
    match argument.as_deref() {
        Some("plugin") => plugin().run(),
        Some("nesting plugin") => {
            // With a second thread the environment stays as it is.
            std::thread::spawn(|| {
                loop {
                    std::thread::park();
                }
            });
            plugin().run()
        }
        // Of the usual harness: nothing can be chosen here.
        Some("--list") => ExitCode::SUCCESS,
        _ => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async {
                a_plugin_s_children_do_not_see_what_its_host_asked_for().await;
                a_plugin_under_automtls_and_multiplexing_hosts_a_plaintext_plugin().await;
            });
            ExitCode::SUCCESS
        }
    }
}

async fn a_plugin_s_children_do_not_see_what_its_host_asked_for() {
    let seen = ask("plugin", "environment").await;
    let names: Vec<&str> = seen.lines().collect();
    assert!(names.contains(&quorum::COOKIE_KEY) && names.contains(&"TMPDIR"), "{names:?}");
    let of_the_protocol = names.iter().find(|name| name.starts_with("PLUGIN_"));
    assert_eq!(of_the_protocol, None);
}

async fn a_plugin_under_automtls_and_multiplexing_hosts_a_plaintext_plugin() {
    let seen = ask("nesting plugin", "environment").await;
    for name in ["PLUGIN_CLIENT_CERT", "PLUGIN_MULTIPLEX_GRPC"] {
        assert!(seen.lines().any(|line| line == name), "{name} could not do harm");
    }
    assert_eq!(ask("nesting plugin", "nest").await, "Hola nested!");
}

/// What this program answers as a plugin, under AutoMTLS and multiplexed.
async fn ask(argument: &str, question: &str) -> String {
    let directory = tempfile::tempdir().unwrap();
    let spec = LaunchSpec {
        arguments: vec![argument.to_owned()],
        multiplex: true,
        ..spec(&std::env::current_exe().unwrap(), directory.path())
    };
    hosted(spec, async |rpc| greet(rpc, question).await).await
}

fn plugin() -> Plugin {
    Plugin::quorum().service(quorum::greeter(Inside))
}

/// Answers what only the plugin's process can tell.
struct Inside;

impl quorum::Greeter for Inside {
    async fn greeting(&self, question: &str) -> Result<String, Status> {
        match question {
            "environment" => {
                let output = Command::new("/usr/bin/env").output().unwrap();
                let text = String::from_utf8(output.stdout).unwrap();
                let names = text.lines().filter_map(|line| line.split_once('='));
                Ok(names.map(|(name, _)| format!("{name}\n")).collect())
            }
            _ => Ok(nest().await),
        }
    }
}

/// Hosts the example, without TLS and without multiplexing.
async fn nest() -> String {
    let program = std::env::current_exe().unwrap();
    let built = program.parent().and_then(Path::parent).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let example = built.join("examples/hello_world");
    let spec = LaunchSpec { security: Security::Plaintext, ..spec(&example, directory.path()) };
    hosted(spec, async |rpc: Rpc| {
        let raw_configuration = r#"{"language":"es"}"#.as_bytes().into();
        let init = Init { raw_configuration, ..Init::default() };
        PluginInitializerClient::new(rpc.clone()).init(init).await.unwrap();
        greet(rpc, "nested").await
    })
    .await
}

fn spec(program: &Path, directory: &Path) -> LaunchSpec {
    let cookie = Cookie { key: quorum::COOKIE_KEY.into(), value: quorum::COOKIE_VALUE.into() };
    LaunchSpec {
        start_timeout: PATIENCE,
        ..LaunchSpec::new("nested", Program::Path(program.to_owned()), cookie, directory)
    }
}

async fn hosted(spec: LaunchSpec, what: impl AsyncFnOnce(Rpc) -> String) -> String {
    let launched = ProcessDriver::new(None).launch(spec, CancellationToken::new()).await;
    let connection = launched.unwrap();
    let Endpoint::Rpc(rpc) = connection.endpoint() else { panic!("it is reached over gRPC") };
    let answer = what(rpc).await;
    assert_eq!(connection.stop(StopLadder::default()).await, Stopped::Graceful);
    answer
}

async fn greet(rpc: Rpc, msg: &str) -> String {
    let greeting = PluginGreetingClient::new(rpc).greeting(Hello { msg: msg.to_owned() }).await;
    greeting.unwrap().into_inner().msg
}
