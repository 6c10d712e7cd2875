//! The SDK's plugin in the interop matrix: the probe, GoQuorum's initialiser and
//! its hello world, under GoQuorum's cookie.
//!
//! ```text
//! outrigger-interop-plugin [-versions 1,2] [--tcp] [--tls CERTIFICATE KEY ROOTS] [--test-mode]
//! ```
//!
//! `--tls` names three files of PEM. `--test-mode` prints reattach items under
//! the name `interop`, as one line of JSON, and serves until it is interrupted.

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::sync::Arc;

use outrigger_sdk::{Capture, GivenTls, HostRequest, Plugin, Status, quorum};
use outrigger_testkit::probe::probe;
use tokio::sync::RwLock;

fn main() -> ExitCode {
    match Wanted::parse(std::env::args().skip(1)) {
        Ok(wanted) => wanted.run(),
        Err(problem) => {
            let _unread = writeln!(io::stderr(), "{problem}");
            ExitCode::from(2)
        }
    }
}

/// What the command line asks for.
#[derive(Default)]
struct Wanted {
    versions: Vec<u32>,
    tcp: bool,
    tls: Option<GivenTls>,
    test_mode: bool,
}

impl Wanted {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut wanted = Self::default();
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("{argument} wants a value"));
            match argument.trim_start_matches('-') {
                "versions" => {
                    let versions: Result<_, _> = value()?.split(',').map(str::parse).collect();
                    wanted.versions = versions.map_err(|error| format!("{argument}: {error}"))?;
                }
                "tcp" => wanted.tcp = true,
                "tls" => wanted.tls = Some(given(&value()?, &value()?, &value()?)?),
                "test-mode" => wanted.test_mode = true,
                _ => return Err(format!("{argument} is not known")),
            }
        }
        if wanted.versions.is_empty() {
            wanted.versions = vec![1];
        }
        Ok(wanted)
    }

    fn run(self) -> ExitCode {
        let hello = Arc::new(Hello::default());
        let mut plugin = Plugin::quorum()
            .service(quorum::initialiser(hello.clone()))
            .service(quorum::greeter(hello))
            .capture(Capture::Both);
        let host = HostRequest::from_environment();
        let broker = plugin.broker();
        for version in self.versions {
            let probe = probe(broker.clone(), version, &host);
            plugin = plugin.version_with(version, |set| set.service(probe));
        }
        if self.tcp {
            plugin = plugin.tcp();
        }
        if let Some(tls) = self.tls {
            plugin = plugin.tls(tls);
        }
        if self.test_mode { plugin.run_in_test_mode("interop") } else { plugin.run() }
    }
}

fn given(certificates: &str, key: &str, roots: &str) -> Result<GivenTls, String> {
    let read = |path: &str| {
        std::fs::read_to_string(path).map_err(|error| format!("{path} cannot be read: {error}"))
    };
    GivenTls::from_pem(&read(certificates)?, &read(key)?, &read(roots)?)
        .map_err(|error| error.to_string())
}

/// A hello world in three languages.
#[derive(Default)]
struct Hello(RwLock<Option<&'static str>>);

impl quorum::Initialiser for Hello {
    async fn init(&self, _identity: &str, config: &[u8]) -> Result<(), Status> {
        let config: serde_json::Value = serde_json::from_slice(config).unwrap_or_default();
        let word = match config["language"].as_str() {
            None | Some("en") => "Hello",
            Some("es") => "Hola",
            Some("de") => "Hallo",
            Some(other) => {
                return Err(Status::invalid_argument(format!("language `{other}` is not known")));
            }
        };
        *self.0.write().await = Some(word);
        Ok(())
    }
}

impl quorum::Greeter for Hello {
    async fn greeting(&self, msg: &str) -> Result<String, Status> {
        let word = *self.0.read().await;
        let word = word.ok_or_else(|| Status::failed_precondition("Init comes before Greeting"))?;
        Ok(format!("{word} {msg}!"))
    }
}
