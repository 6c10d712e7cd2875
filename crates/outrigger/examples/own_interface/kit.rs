//! What the example needs on the disk: its plugin in a signed zip, the key, and
//! settings. With a plugin of your own, `outrigger pack` and `outrigger sign` do
//! this, and an editor writes the settings.

use std::error::Error;
use std::fs;
use std::path::PathBuf;

use outrigger::distribution::{IfExists, KeyAlgorithm, PackOptions, SigningKey, pack, sign};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::PLUGIN_COMMAND;
use crate::oracle::INTERFACE;

/// A directory that goes with the example.
#[derive(Debug)]
pub(crate) struct Kit(TempDir);

impl Kit {
    /// Packs this executable as the plugin, and signs the zip.
    pub(crate) fn make() -> Result<Self, Box<dyn Error>> {
        let kit = Self(tempfile::Builder::new().prefix("own-interface").tempdir()?);
        let (source, base) = (kit.path("source"), kit.path("plugins"));
        fs::create_dir(&source)?;
        fs::create_dir(&base)?;
        fs::copy("/proc/self/exe", source.join("fixed-prices"))?;
        let metadata = json!({
            "name": "fixed-prices",
            "version": "1.0.0",
            "entrypoint": "fixed-prices",
            "parameters": [PLUGIN_COMMAND],
        });
        fs::write(source.join("plugin-meta.json"), metadata.to_string())?;
        // Somebody looks on, so it is quick rather than small.
        let options = PackOptions { level: 0, ..PackOptions::default() };
        let packed = pack(&source, &base, &options)?;
        let key = SigningKey::generate("Example", KeyAlgorithm::default(), None)?;
        key.write_public(&base.join("gpg.key"), IfExists::Refuse)?;
        sign(&packed.path, &key, None)?;
        Ok(kit)
    }

    /// Writes the settings, with the plugin's config in them.
    pub(crate) fn configure(&self, config: Value) -> Result<(), Box<dyn Error>> {
        let settings = json!({
            "baseDir": self.path("plugins"),
            "runDir": self.path("run"),
            "providers": {
                INTERFACE: { "name": "fixed-prices", "version": "1.0.0", "config": config },
            },
        });
        Ok(fs::write(self.settings(), settings.to_string())?)
    }

    /// The settings file.
    pub(crate) fn settings(&self) -> PathBuf {
        self.path("settings.json")
    }

    /// How many entries the run directory has: sockets and workspaces of
    /// plugins that run.
    pub(crate) fn running(&self) -> Result<usize, Box<dyn Error>> {
        Ok(fs::read_dir(self.path("run"))?.count())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}
