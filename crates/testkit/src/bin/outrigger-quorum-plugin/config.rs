//! What the plugin is told, and what it writes down.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use outrigger_sdk::{Status, quorum};
use serde::Deserialize;
use serde_json::{Value, json};

/// The plugin's configuration.
#[derive(Debug, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Config {
    /// Gets a line of JSON for each call.
    pub(crate) record: Option<PathBuf>,
    /// The one kind of answer that is wrong.
    pub(crate) answer: Option<String>,
    /// What hello world says.
    pub(crate) greeting: String,
    /// Private keys of the wallet, in hexadecimal digits.
    pub(crate) keys: Vec<String>,
    /// Whether TLS is served, and with what; `null`: with nothing.
    pub(crate) tls: Option<Tls>,
    /// Tokens that are good, and what their bearers may do.
    pub(crate) tokens: Option<BTreeMap<String, Token>>,
    /// How long before its end a token is to be refreshed.
    pub(crate) anticipation: i32,
}

/// The TLS configuration to hand out, as files of PEM.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Tls {
    pub(crate) certificate: Option<PathBuf>,
    pub(crate) key: Option<PathBuf>,
    #[serde(default)]
    pub(crate) suites: Vec<u32>,
}

/// A token.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Token {
    /// In seconds since 1970.
    pub(crate) expires: Option<i64>,
    /// Service, method and raw text of each authority.
    #[serde(default)]
    pub(crate) authorities: Vec<(String, String, String)>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            record: None,
            answer: None,
            greeting: "Hello".to_owned(),
            keys: Vec::new(),
            tls: None,
            tokens: None,
            anticipation: 1_000,
        }
    }
}

/// The configuration, once there is one.
#[derive(Debug, Default)]
pub(crate) struct Shared(OnceLock<Arc<Config>>);

impl Shared {
    pub(crate) fn config(&self) -> Result<Arc<Config>, Status> {
        self.0.get().cloned().ok_or_else(|| Status::failed_precondition("Init comes first"))
    }

    /// The configuration, after a call was written down.
    pub(crate) fn called(&self, method: &str, with: Value) -> Result<Arc<Config>, Status> {
        let config = self.config()?;
        config.write(&json!({ "method": method, "with": with }))?;
        Ok(config)
    }
}

impl Config {
    fn write(&self, line: &Value) -> Result<(), Status> {
        let Some(path) = &self.record else { return Ok(()) };
        let append =
            || writeln!(OpenOptions::new().create(true).append(true).open(path)?, "{line}");
        append().map_err(|error: std::io::Error| Status::internal(error.to_string()))
    }

    /// Whether this kind of answer is to be wrong.
    pub(crate) fn is_wrong(&self, kind: &str) -> bool {
        self.answer.as_deref() == Some(kind)
    }
}

impl quorum::Initialiser for Shared {
    async fn init(&self, identity: &str, config: &[u8]) -> Result<(), Status> {
        let text = String::from_utf8_lossy(config);
        let parsed: Config = match &*text {
            "" => Config::default(),
            text => serde_json::from_str(text)
                .map_err(|error| Status::invalid_argument(error.to_string()))?,
        };
        parsed.write(
            &json!({ "method": "Init", "with": { "identity": identity, "config": text } }),
        )?;
        self.0.set(Arc::new(parsed)).map_err(|_| Status::failed_precondition("Init comes once"))
    }
}
