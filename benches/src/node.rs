//! A node that hosts the plugin, brought up as an embedder does it.

use std::fs;
use std::path::Path;
use std::time::Duration;

use outrigger::distribution::{PackOptions, pack};
use outrigger::helloworld::{self, Handle};
use outrigger::{Endpoint, Gateway, Link, PluginHost, Rpc};
use serde_json::json;
use tempfile::TempDir;

use crate::{Arbiter, Failure, Threads};

const NAME: &str = "outrigger-bench-plugin";
const VERSION: &str = "1.0.0";

/// For a node to stop; it takes a fraction of that.
const PATIENCE: Duration = Duration::from_secs(10);

/// A distribution of the plugin, and settings for it.
#[derive(Debug)]
pub struct Kit(TempDir);

impl Kit {
    /// Packs the plugin's executable.
    ///
    /// # Errors
    ///
    /// The executable cannot be read, or the temporary directory not written.
    pub fn pack(plugin: &Path) -> Result<Self, Failure> {
        let directory = tempfile::Builder::new().prefix("outrigger-bench").tempdir()?;
        let root = directory.path();
        let (source, base) = (root.join("source"), root.join("plugins"));
        fs::create_dir(&source)?;
        fs::create_dir(&base)?;
        fs::copy(plugin, source.join("plugin"))?;
        let metadata = json!({ "name": NAME, "version": VERSION, "entrypoint": "plugin" });
        fs::write(source.join("plugin-meta.json"), metadata.to_string())?;
        // Packed to be unpacked once: speed matters more than size.
        pack(&source, &base, &PackOptions { level: 1, ..PackOptions::default() })?;
        let settings = json!({
            "baseDir": base,
            "runDir": root.join("run"),
            "providers": { helloworld::INTERFACE: { "name": NAME, "version": VERSION, "config": {} } },
        });
        fs::write(root.join("settings.json"), settings.to_string())?;
        Ok(Self(directory))
    }
}

/// A running node: its runtime drives the plugin's connection.
#[derive(Debug)]
pub struct Node {
    /// The node's runtime.
    pub arbiter: Arbiter,
    host: PluginHost,
}

impl Node {
    /// Starts a node, and the plugin.
    ///
    /// # Errors
    ///
    /// The runtime's or the host's.
    pub fn start(kit: &Kit, threads: Threads) -> Result<Self, Failure> {
        let arbiter = Arbiter::new(threads)?;
        let host = arbiter.block_on(async {
            let registered = PluginHost::builder()
                .settings_file(kit.0.path().join("settings.json"))
                .interface(helloworld::interface())
                .danger_skip_verification()
                .identity("bench")
                .register()?;
            registered.start().await
        })?;
        Ok(Self { arbiter, host })
    }

    /// The gateway.
    ///
    /// # Errors
    ///
    /// None in a node that was started here.
    pub fn handle(&self) -> Result<Handle, Failure> {
        Ok(self.host.gateway(helloworld::INTERFACE)?)
    }

    /// The connection that the gateway calls on.
    ///
    /// # Errors
    ///
    /// The plugin is gone.
    pub fn rpc(&self) -> Result<Rpc, Failure> {
        let Bare(link) = self.host.gateway(helloworld::INTERFACE)?;
        let entered = self.arbiter.block_on(link.enter())?;
        match entered.endpoint() {
            Endpoint::Rpc(rpc) => Ok(rpc.clone()),
            Endpoint::Local(_) => Err("the plugin runs within the node".into()),
        }
    }

    /// The plugin's process.
    ///
    /// # Errors
    ///
    /// The plugin is gone.
    pub fn plugin(&self) -> Result<u32, Failure> {
        let pid = self.host.status().first().and_then(|status| status.pid);
        pid.ok_or_else(|| "the plugin has no process".into())
    }

    /// Stops plugin and node.
    ///
    /// # Errors
    ///
    /// The host's, when the plugin does not end.
    pub fn stop(self) -> Result<(), Failure> {
        let Self { arbiter, host } = self;
        Ok(arbiter.block_on(host.stop(PATIENCE))?)
    }
}

/// A gateway that adds nothing to the link.
struct Bare(Link);

impl Gateway for Bare {
    const INTERFACE: &'static str = helloworld::INTERFACE;

    fn from_link(link: Link) -> Self {
        Self(link)
    }
}
