//! GoQuorum's interfaces on the fixture plugin: configured, and seen from the
//! other side of the wire.

use std::path::PathBuf;

use outrigger::{PluginHostBuilder, account, qlight, security};
use serde_json::{Value, json};

use crate::artifacts;
use crate::kit::Kit;

/// All four interfaces on the fixture plugin, each a process of its own.
#[derive(Debug)]
pub struct QuorumKit {
    /// The surroundings.
    pub kit: Kit,
}

impl Default for QuorumKit {
    fn default() -> Self {
        Self::new()
    }
}

impl QuorumKit {
    /// A kit without providers.
    #[must_use]
    pub fn new() -> Self {
        let kit = Kit::new();
        let plugin = artifacts::quorum_plugin();
        let script = format!("#!/bin/sh\nexec '{}'\n", plugin.display());
        kit.pack("quorum", &[("run", script.as_bytes(), 0o755)], json!({ "entrypoint": "run" }));
        Self { kit }
    }

    /// The kit with one interface.
    #[must_use]
    pub fn with(interface: &str, config: Value) -> Self {
        let mut kit = Self::new();
        kit.add(interface, config);
        kit
    }

    /// Adds an interface. What its plugin is called with is written down.
    pub fn add(&mut self, interface: &str, mut config: Value) {
        self.kit.provide(interface, "quorum");
        config["record"] = json!(self.record(interface));
        self.kit.set(&format!("/providers/{interface}/config"), config);
    }

    fn record(&self, interface: &str) -> PathBuf {
        self.kit.path().join(format!("{interface}.calls"))
    }

    /// What the interface's plugin was called with, in order.
    ///
    /// # Panics
    ///
    /// When it wrote down something else.
    #[must_use]
    pub fn calls(&self, interface: &str) -> Vec<(String, Value)> {
        let text = std::fs::read_to_string(self.record(interface)).unwrap_or_default();
        let line = |line: &str| {
            let call: Value = serde_json::from_str(line).expect("a line of JSON");
            (call["method"].as_str().unwrap_or_default().to_owned(), call["with"].clone())
        };
        text.lines().map(line).collect()
    }

    /// A host with GoQuorum's interfaces.
    pub fn builder(&self) -> PluginHostBuilder {
        self.kit
            .builder()
            .interface(account::interface())
            .interface(security::interface())
            .interface(qlight::interface())
    }
}
