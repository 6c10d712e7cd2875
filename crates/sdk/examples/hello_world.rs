//! GoQuorum's hello-world plugin: the one to copy.
//!
//! Its definition's config is `{"language": "en"}`, or `es`, or `de`. With the
//! argument `--debug` it needs no host, and prints what a host needs to attach.

use std::process::ExitCode;
use std::sync::Arc;

use outrigger_sdk::{Plugin, Status, quorum};
use tokio::sync::RwLock;

#[derive(serde::Deserialize)]
struct Config {
    language: String,
}

/// Holds the word to greet with, once it is known.
#[derive(Default)]
struct HelloWorld {
    word: RwLock<Option<&'static str>>,
}

impl quorum::Initialiser for HelloWorld {
    async fn init(&self, identity: &str, config: &[u8]) -> Result<(), Status> {
        let config: Config = serde_json::from_slice(config)
            .map_err(|error| Status::invalid_argument(format!("config: {error}")))?;
        let word = match config.language.as_str() {
            "en" => "Hello",
            "es" => "Hola",
            "de" => "Hallo",
            other => {
                return Err(Status::invalid_argument(format!("unknown language `{other}`")));
            }
        };
        tracing::info!(identity, language = config.language, "initialised");
        *self.word.write().await = Some(word);
        Ok(())
    }
}

impl quorum::Greeter for HelloWorld {
    async fn greeting(&self, msg: &str) -> Result<String, Status> {
        let word = *self.word.read().await;
        let word = word.ok_or_else(|| Status::failed_precondition("not initialised yet"))?;
        Ok(format!("{word} {msg}!"))
    }
}

fn main() -> ExitCode {
    let hello = Arc::new(HelloWorld::default());
    let plugin = Plugin::quorum()
        .service(quorum::initialiser(hello.clone()))
        .service(quorum::greeter(hello));
    match std::env::args().nth(1).as_deref() {
        Some("--debug") => plugin.run_in_test_mode("helloworld"),
        _ => plugin.run(),
    }
}
