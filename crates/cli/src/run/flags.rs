//! GoQuorum's flags, for every command that needs what a host is given.

use std::io::IsTerminal as _;
use std::path::PathBuf;

use clap::Args;
use outrigger::settings::{Sources, url_path};
use outrigger::{
    InterfaceSpec, PluginHost, PluginHostBuilder, account, helloworld, qlight, security,
};

use super::download;
use crate::failure::Failure;

/// What a host is given: its settings, and who is trusted.
#[derive(Debug, Args)]
pub(crate) struct HostFlags {
    /// The settings, as in file:///etc/node/plugins.json
    #[arg(long, value_name = "URL")]
    plugins: Option<String>,
    /// Run distributions without verifying them; dangerous
    #[arg(long = "plugins.skipverify")]
    skip_verify: bool,
    /// Verify distributions with a local public key and local signatures
    #[arg(long = "plugins.localverify")]
    local_verify: bool,
    /// The public key [default: gpg.key in `baseDir`]
    #[arg(long = "plugins.publickey", value_name = "URL")]
    public_key: Option<String>,
    /// Trust whatever public key the plugin central has, as GoQuorum does;
    /// dangerous unless fingerprints are pinned
    #[arg(long = "plugins.trustcentralkey", conflicts_with_all = ["skip_verify", "local_verify"])]
    trust_central_key: bool,
    /// A node's TOML file with a section [Node.Plugins]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The node's data directory; `baseDir` is `plugins` in it by default
    #[arg(long, value_name = "DIR")]
    datadir: Option<PathBuf>,
    /// The node's identity, which plugins are told
    #[arg(long, value_name = "NAME", default_value = "")]
    identity: String,
}

/// The interfaces that this command knows.
pub(crate) fn interfaces() -> Vec<InterfaceSpec> {
    vec![helloworld::interface(), account::interface(), security::interface(), qlight::interface()]
}

impl HostFlags {
    /// Whether there are settings at all.
    pub(crate) const fn given(&self) -> bool {
        self.plugins.is_some() || self.config.is_some()
    }

    /// Where the settings come from.
    pub(crate) fn sources(&self) -> Sources {
        let mut sources = Sources::new();
        if let Some(url) = &self.plugins {
            sources = sources.with_url(url);
        }
        if let Some(path) = &self.config {
            sources = sources.with_toml(path);
        }
        if let Some(path) = &self.datadir {
            sources = sources.with_datadir(path);
        }
        sources
    }

    /// A builder with those interfaces.
    pub(crate) fn builder(&self) -> Result<PluginHostBuilder, Failure> {
        if !self.given() {
            return Err(Failure::Usage(
                "no settings: give --plugins URL, as in file:///etc/node/plugins.json, or --config FILE".into(),
            ));
        }
        let mut builder = PluginHost::builder().identity(&self.identity);
        if std::io::stderr().is_terminal() {
            builder =
                builder.on_download(|download| download::show(&mut std::io::stderr(), download));
        }
        for interface in interfaces() {
            builder = builder.interface(interface);
        }
        if let Some(url) = &self.plugins {
            builder = builder.settings_url(url);
        }
        if let Some(path) = &self.config {
            builder = builder.config_file(path);
        }
        if let Some(path) = &self.datadir {
            builder = builder.data_dir(path);
        }
        match (self.skip_verify, self.local_verify, &self.public_key) {
            (true, true, _) => Err(Failure::Usage(
                "only --plugins.skipverify or --plugins.localverify must be set".into(),
            )),
            (_, false, Some(_)) => Err(Failure::Usage(
                "--plugins.localverify is required for setting --plugins.publickey".into(),
            )),
            (true, false, None) => Ok(builder.danger_skip_verification()),
            (false, true, None) => Ok(builder),
            (false, true, Some(url)) => Ok(builder.public_key(key_path(url)?)),
            (false, false, None) if self.trust_central_key => {
                Ok(builder.danger_trust_central_key())
            }
            (false, false, None) => Ok(builder.online()),
        }
    }
}

/// GoQuorum takes host and path of the URL together, whatever its scheme.
fn key_path(url: &str) -> Result<PathBuf, Failure> {
    url_path(url).ok_or_else(|| {
        let url = url.escape_debug();
        Failure::Usage(format!(
            "--plugins.publickey: `{url}` names no file; give one such as file:///etc/gpg.key"
        ))
    })
}
