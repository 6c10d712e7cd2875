//! GoQuorum's interfaces end to end, on plugins in Go and Java that are as
//! GoQuorum's own are.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test that cannot go on fails, and tests start programs"
)]

mod accounts;
mod distributions;
mod hello;
mod node;
mod qlight;
mod security;

use std::time::Duration;

use outrigger::{Gateway, PluginHost, PluginHostBuilder, account, helloworld, qlight as tokens};
use outrigger_testkit::kit::Kit;
use outrigger_testkit::quorum_programs::{Language, Names, Program};
use serde_json::{Value, json};

/// For stopping a host whose plugins must be killed.
const STOP: Duration = Duration::from_secs(20);

/// Who the node is; tokens are for it.
const IDENTITY: &str = "test-node";

/// A host's surroundings, with one of the plugins.
struct Setting {
    kit: Kit,
    interface: &'static str,
}

impl Setting {
    /// The plugin packed and signed, its config in a file; `None` where its
    /// language's tools are missing.
    fn new(interface: &'static str, language: Language, config: &Value) -> Option<Self> {
        let program = Program::of(interface, language)?;
        let mut kit = Kit::new();
        let zip = program.pack(&kit.base_dir(), Names::New);
        kit.sign(&zip);
        kit.provide(interface, program.package);
        let file = kit.path().join("config.json");
        kit.set(
            &format!("/providers/{interface}/config"),
            json!(format!("file://{}", file.display())),
        );
        let setting = Self { kit, interface };
        setting.configure(config);
        Some(setting)
    }

    /// Writes another config, which a reload reads.
    fn configure(&self, config: &Value) {
        std::fs::write(self.kit.path().join("config.json"), config.to_string()).unwrap();
    }

    /// A host that verifies from local files.
    fn builder(&self) -> PluginHostBuilder {
        builder(&self.kit)
    }

    async fn start<G: Gateway>(&self) -> (PluginHost, G) {
        let host = self.builder().register().unwrap().start().await.unwrap();
        let handle = host.gateway::<G>(self.interface).unwrap();
        (host, handle)
    }

    /// Why the host does not start.
    async fn refusal(&self) -> String {
        self.builder().register().unwrap().start().await.unwrap_err().to_string()
    }

    async fn stop(self, host: PluginHost) {
        host.stop(STOP).await.unwrap();
        self.kit.assert_clean();
    }
}

fn builder(kit: &Kit) -> PluginHostBuilder {
    PluginHost::builder()
        .settings_url(kit.settings_url())
        .interface(helloworld::interface())
        .interface(account::interface())
        .interface(outrigger::security::interface())
        .interface(tokens::interface())
        .identity(IDENTITY)
}
