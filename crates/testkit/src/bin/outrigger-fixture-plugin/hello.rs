//! Hello world, and what can be odd about it.

use std::process::abort;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use outrigger_sdk::{HostRequest, Plugin, Status, quorum};
use outrigger_testkit::probe::probe;
use tokio::sync::RwLock;

/// Greetings `sleep:N` that this process was asked for.
static SLEPT: AtomicU64 = AtomicU64::new(0);

/// What is odd about a greeting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quirk {
    None,
    Crash,
    Hang,
    Slow,
    Big,
    Exec,
}

/// What is odd about `Init`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Init {
    Normal,
    /// Milliseconds.
    Slow(u64),
    Reject,
    Hang,
    Panic,
}

/// A greeter and initialiser.
#[derive(Debug)]
pub(crate) struct Hello {
    quirk: Quirk,
    init: Init,
    grandchild: Option<u32>,
    word: RwLock<Option<&'static str>>,
}

impl Hello {
    pub(crate) const fn new(quirk: Quirk, init: Init) -> Self {
        Self { quirk, init, grandchild: None, word: RwLock::const_new(None) }
    }

    pub(crate) const fn with_grandchild(mut self, pid: u32) -> Self {
        self.grandchild = Some(pid);
        self
    }

    /// The plugin around it.
    pub(crate) fn plugin(self) -> Plugin {
        let hello = Arc::new(self);
        let plugin = Plugin::quorum();
        let probe = probe(plugin.broker(), 1, &HostRequest::from_environment());
        plugin
            .service(quorum::initialiser(hello.clone()))
            .service(quorum::greeter(hello))
            .service(probe)
    }
}

/// A plugin with nothing odd about it yet.
pub(crate) fn plugin() -> Plugin {
    Hello::new(Quirk::None, Init::Normal).plugin()
}

impl quorum::Initialiser for Hello {
    async fn init(&self, _identity: &str, config: &[u8]) -> Result<(), Status> {
        match self.init {
            Init::Normal => {}
            Init::Slow(ms) => tokio::time::sleep(Duration::from_millis(ms)).await,
            Init::Reject => {
                return Err(Status::invalid_argument("this fixture takes no config"));
            }
            Init::Hang => std::future::pending().await,
            Init::Panic => panic!("this fixture panics in Init"),
        }
        // As much of JSON as three configurations need.
        let config: String = String::from_utf8_lossy(config).split_whitespace().collect();
        let word = match config.as_str() {
            "" | "{}" | "null" | r#"{"language":"en"}"# => "Hello",
            r#"{"language":"es"}"# => "Hola",
            r#"{"language":"de"}"# => "Hallo",
            other => {
                return Err(Status::invalid_argument(format!("unknown language in {other}")));
            }
        };
        *self.word.write().await = Some(word);
        Ok(())
    }
}

impl quorum::Greeter for Hello {
    async fn greeting(&self, msg: &str) -> Result<String, Status> {
        if let Some(answer) = self.fact(msg) {
            return Ok(answer);
        }
        let (verb, number) = msg.split_once(':').unwrap_or((msg, ""));
        let number = || number.parse().map_err(|_| Status::invalid_argument("N is a number"));
        match (self.quirk, verb) {
            (Quirk::Crash, "crash") => abort(),
            (Quirk::Hang, "hang") => std::future::pending().await,
            (Quirk::Slow, "sleep") => {
                SLEPT.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(number()?)).await;
            }
            (Quirk::Exec, "exec") => {
                return Err(Status::internal(crate::children::exec().to_string()));
            }
            (Quirk::Big, "big") => {
                let bytes = usize::try_from(number()?).unwrap_or(usize::MAX);
                return Ok("x".repeat(bytes));
            }
            _ => {}
        }
        let word = *self.word.read().await;
        let word = word.ok_or_else(|| Status::failed_precondition("not initialised yet"))?;
        Ok(format!("{word} {msg}!"))
    }
}

impl Hello {
    /// What a test may want to know of the process; needs no `Init`.
    fn fact(&self, msg: &str) -> Option<String> {
        match msg {
            "pid" => Some(std::process::id().to_string()),
            "fds" => Some(descriptors()),
            "slept" => Some(SLEPT.load(Ordering::Relaxed).to_string()),
            "grandchild" => self.grandchild.map(|pid| pid.to_string()),
            _ if msg.starts_with("log:") => {
                let line = format!("[INFO] {}\n", &msg[4..]);
                let _unread = std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes());
                Some(String::new())
            }
            _ => msg.strip_prefix("env:").map(|name| std::env::var(name).unwrap_or_default()),
        }
    }
}

/// Each open descriptor and what it is, one a line. The one that reads the
/// directory is among them.
fn descriptors() -> String {
    let entries = std::fs::read_dir("/proc/self/fd").into_iter().flatten().flatten();
    let mut lines: Vec<String> = entries
        .map(|entry| {
            let target = std::fs::read_link(entry.path()).unwrap_or_default();
            format!("{} {}", entry.file_name().display(), target.display())
        })
        .collect();
    lines.sort();
    lines.join("\n")
}
