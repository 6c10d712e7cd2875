//! What the demo needs on the disk: a signed distribution, a key, settings.

use std::fs;
use std::path::{Path, PathBuf};

use outrigger::distribution::{IfExists, KeyAlgorithm, PackOptions, SigningKey, pack, sign};
use outrigger::{PluginHost, PluginHostBuilder, helloworld};
use serde_json::json;
use tempfile::TempDir;

use super::show::Show;
use super::{INSTANCE, PLUGIN_COMMAND};
use crate::failure::Failure;

const NAME: &str = "outrigger-demo-hello";
const VERSION: &str = "1.0.0";

/// A directory that goes with the demo.
#[derive(Debug)]
pub(super) struct Kit {
    directory: TempDir,
    run_dir: PathBuf,
}

impl Kit {
    /// Packs and signs this executable, and writes the settings.
    pub(super) fn make(show: &Show) -> Result<Self, Failure> {
        let directory = tempfile::Builder::new().prefix("outrigger-demo").tempdir()?;
        let root = directory.path();
        let (source, base) = (root.join("source"), root.join("plugins"));
        fs::create_dir(&source)?;
        fs::create_dir(&base)?;
        // The running program's own bytes, whatever became of its file.
        fs::copy("/proc/self/exe", source.join("hello"))?;
        let metadata = json!({
            "name": NAME,
            "version": VERSION,
            "entrypoint": "hello",
            "parameters": [PLUGIN_COMMAND],
        });
        fs::write(source.join("plugin-meta.json"), metadata.to_string())?;
        // The demo is looked at while it packs, so speed matters more than size.
        let options = PackOptions { level: 1, ..PackOptions::default() };
        let packed = pack(&source, &base, &options)?;
        let key = SigningKey::generate("Outrigger demo", KeyAlgorithm::default(), None)?;
        key.write_public(&base.join("gpg.key"), IfExists::Refuse)?;
        let signed = sign(&packed.path, &key, None)?;
        show.step(&format!(
            "packed this program into {} ({:.1} MiB) and signed it with key {}",
            packed.path.file_name().unwrap_or_default().to_string_lossy(),
            packed.size as f64 / 1_048_576.0,
            signed.signer.fingerprint,
        ));
        let kit = Self { run_dir: root.join("run"), directory };
        kit.write_config("en")?;
        let settings = json!({
            "baseDir": base,
            "runDir": kit.run_dir,
            "providers": {
                INSTANCE: {
                    "name": NAME,
                    "version": VERSION,
                    "config": format!("file://{}", kit.config().display()),
                },
            },
        });
        fs::write(kit.settings(), serde_json::to_string_pretty(&settings)?)?;
        Ok(kit)
    }

    /// A host on the demo's settings.
    pub(super) fn builder(&self) -> PluginHostBuilder {
        PluginHost::builder()
            .settings_url(format!("file://{}", self.settings().display()))
            .interface(helloworld::interface())
            .identity("demo")
    }

    /// Changes the plugin's config; a reload picks it up.
    pub(super) fn change_language(&self) -> Result<(), Failure> {
        self.write_config("de")
    }

    pub(super) fn run_dir(&self) -> &Path {
        &self.run_dir
    }

    fn write_config(&self, language: &str) -> Result<(), Failure> {
        Ok(fs::write(self.config(), json!({ "language": language }).to_string())?)
    }

    fn config(&self) -> PathBuf {
        self.directory.path().join("config.json")
    }

    fn settings(&self) -> PathBuf {
        self.directory.path().join("settings.json")
    }
}
