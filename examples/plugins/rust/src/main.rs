//! The hello-world plugin in Rust: it is initialised with a language and then
//! greets in it.

use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

use outrigger_sdk::{Plugin, Status, quorum};

/// What the operator writes in the definition's `config`.
#[derive(serde::Deserialize)]
struct Config {
    language: String,
}

/// Serves both interfaces; the word is not there until `init` has set it.
#[derive(Default)]
struct Hello {
    word: OnceLock<&'static str>,
}

impl quorum::Initialiser for Hello {
    /// Takes `{"language": "en"}`; without a config the language is English.
    async fn init(&self, identity: &str, config: &[u8]) -> Result<(), Status> {
        let language = if config.is_empty() {
            "en".to_owned()
        } else {
            let read = serde_json::from_slice::<Config>(config);
            read.map_err(|error| Status::invalid_argument(format!("config: {error}")))?.language
        };
        let word = match language.as_str() {
            "en" => "Hello",
            "es" => "Hola",
            "de" => "Hallo",
            other => {
                let text = format!("language {other:?} is not known; choose en, es or de");
                return Err(Status::invalid_argument(text));
            }
        };
        // A host initialises each process once; it reloads by starting another.
        self.word.get_or_init(|| word);
        // The SDK carries the log to the host. Standard output is the host's.
        tracing::info!(identity, language, "initialised");
        Ok(())
    }
}

impl quorum::Greeter for Hello {
    async fn greeting(&self, msg: &str) -> Result<String, Status> {
        let word = self.word.get();
        let word = word.ok_or_else(|| Status::failed_precondition("Init comes before Greeting"))?;
        Ok(format!("{word} {msg}!"))
    }
}

fn main() -> ExitCode {
    let hello = Arc::new(Hello::default());
    Plugin::quorum()
        .service(quorum::initialiser(hello.clone()))
        .service(quorum::greeter(hello))
        .run()
}
