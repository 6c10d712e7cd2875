//! The demo's plugin: GoQuorum's hello world.

use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

use outrigger_sdk::{Plugin, Status, quorum};
use serde::Deserialize;

#[derive(Deserialize)]
struct Config {
    language: String,
}

#[derive(Default)]
struct Hello(OnceLock<&'static str>);

impl quorum::Initialiser for Hello {
    async fn init(&self, _identity: &str, config: &[u8]) -> Result<(), Status> {
        let config: Config = serde_json::from_slice(config)
            .map_err(|error| Status::invalid_argument(error.to_string()))?;
        let word = match config.language.as_str() {
            "en" => "Hello",
            "de" => "Hallo",
            other => {
                let text = format!("language {other:?} is not known; choose en or de");
                return Err(Status::invalid_argument(text));
            }
        };
        self.0.get_or_init(|| word);
        Ok(())
    }
}

impl quorum::Greeter for Hello {
    async fn greeting(&self, msg: &str) -> Result<String, Status> {
        let word = self.0.get().ok_or_else(|| Status::failed_precondition("call Init first"))?;
        Ok(format!("{word} {msg}!"))
    }
}

/// Runs as the plugin.
pub(crate) fn plugin() -> ExitCode {
    let hello = Arc::new(Hello::default());
    Plugin::quorum()
        .service(quorum::initialiser(hello.clone()))
        .service(quorum::greeter(hello))
        .run()
}
