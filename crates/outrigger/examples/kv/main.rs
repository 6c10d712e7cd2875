//! A node whose plugins speak two versions of its interface, and call back.
//!
//! | file | what |
//! | --- | --- |
//! | `kv.proto` | what goes over the wire |
//! | `generated.rs` | messages, clients and servers, generated from it |
//! | `store.rs` | the node's traits, their gateway, the interface for the host |
//! | `plugin.rs` | a plugin that fills the interface, in either version |
//! | `main.rs` | the node |
//!
//! One instance runs an old plugin and one a new one, from folders that nobody
//! signed, as a plugin's author would. This one executable is node, launcher and
//! plugins. It exits with 1 if anything is not as it should be.
#![expect(clippy::print_stdout, reason = "a program prints")]

mod plugin;
mod store;

/// Included as text, so that rustfmt leaves it as the generator wrote it.
#[allow(warnings, clippy::all, clippy::pedantic, reason = "generated code")]
mod generated {
    include!("generated.rs");
}

use std::error::Error;
use std::fmt::Debug;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use outrigger::{GatewayError, PluginHost};
use serde_json::json;

use crate::store::{Handle, INTERFACE, Observer, Store};

/// The parameter that makes this executable a plugin; versions follow it.
const PLUGIN_COMMAND: &str = "plugin";

fn main() -> ExitCode {
    // Before any thread: this executable also holds its plugins' processes.
    outrigger::launcher_hook();
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some(PLUGIN_COMMAND) {
        let versions: Vec<u32> = arguments.filter_map(|version| version.parse().ok()).collect();
        return plugin::run(&versions);
    }
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_max_level(tracing_subscriber::filter::LevelFilter::ERROR)
        .init();
    let done = example().inspect_err(|error| tracing::error!("{error}"));
    ExitCode::from(u8::from(done.is_err()))
}

fn example() -> Result<(), Box<dyn Error>> {
    let directory = tempfile::Builder::new().prefix("kv").tempdir()?;
    let old = folder(directory.path(), "old", &["2"])?;
    let new = folder(directory.path(), "new", &["2", "5"])?;
    let settings = directory.path().join("settings.json");
    let provider = |name| json!({ "name": name, "version": "1.0.0", "interface": INTERFACE });
    let text = json!({
        "baseDir": directory.path(),
        "runDir": directory.path().join("run"),
        "providers": { "old": provider("old"), "new": provider("new") },
    });
    fs::write(&settings, text.to_string())?;
    node(&settings, &old, &new)?;
    let left = fs::read_dir(directory.path().join("run"))?.count();
    expect("left in the run directory", left, 0)
}

/// A folder with this executable as a plugin of these versions.
fn folder(parent: &Path, name: &str, versions: &[&str]) -> Result<PathBuf, Box<dyn Error>> {
    let folder = parent.join(name);
    fs::create_dir(&folder)?;
    fs::copy("/proc/self/exe", folder.join("kv"))?;
    let mut parameters = vec![PLUGIN_COMMAND];
    parameters.extend(versions);
    let metadata = json!({
        "name": name,
        "version": "1.0.0",
        "entrypoint": "kv",
        "parameters": parameters,
    });
    fs::write(folder.join("plugin-meta.json"), metadata.to_string())?;
    Ok(folder)
}

#[tokio::main]
async fn node(settings: &Path, old: &Path, new: &Path) -> Result<(), Box<dyn Error>> {
    let host = PluginHost::builder()
        .settings_file(settings)
        .interface(store::interface())
        // Nobody signed them; a node in production leaves these lines out.
        .develop("old", old)
        .develop("new", new)
        .danger_skip_verification()
        .register()?
        .start()
        .await?;
    let seen = use_both(&host).await;
    // Whatever was seen, the plugins end before the node does.
    host.stop(Duration::from_secs(15)).await?;
    seen
}

async fn use_both(host: &PluginHost) -> Result<(), Box<dyn Error>> {
    for status in host.status() {
        println!("{}: version {:?}", status.instance, status.app_version);
    }
    for instance in ["old", "new"] {
        let store = host.gateway::<Handle>(instance)?;
        let changes = Changes::default();
        let watching = store.watch(changes.clone()).await;
        // A store that cannot tell of changes is used all the same.
        let watched = match &watching {
            Ok(_) => true,
            Err(GatewayError::Unimplemented { .. }) => false,
            Err(error) => return Err(error.to_string().into()),
        };
        let value = round_trip(&store).await?;
        println!("{instance}: {value:?}, watched: {watched}, changes: {:?}", changes.seen());
        let expected = if watched { vec!["colour", "size"] } else { Vec::new() };
        expect("as it should be", (value, changes.seen()), (Some(SIZE), owned(&expected)))?;
        drop(watching);
        store.put("colour", b"red").await?;
        expect("changes after the watch", changes.seen().len(), expected.len())?;
    }
    Ok(())
}

/// More than a generated client takes unless it is told.
const SIZE: usize = 5 << 20;

/// Code of the node: it knows the trait, and nothing of plugins or versions.
async fn round_trip(store: &impl Store) -> Result<Option<usize>, GatewayError> {
    store.put("colour", b"green").await?;
    store.put("size", &vec![1; SIZE]).await?;
    Ok(store.get("size").await?.map(|value| value.len()))
}

/// Keeps what it is told.
#[derive(Debug, Clone, Default)]
struct Changes(Arc<Mutex<Vec<String>>>);

impl Changes {
    fn seen(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Observer for Changes {
    fn changed(&self, key: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(key.to_owned());
    }
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// Prints what was seen.
fn expect<T: PartialEq + Debug>(what: &str, seen: T, wanted: T) -> Result<(), Box<dyn Error>> {
    println!("{what}: {seen:?}");
    if seen == wanted { Ok(()) } else { Err(format!("{what}: {wanted:?} was expected").into()) }
}
