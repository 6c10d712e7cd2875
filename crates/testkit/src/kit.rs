//! A host's surroundings: a base directory with real distributions, settings,
//! a run directory.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use outrigger::distribution::{IfExists, KeyAlgorithm, PackOptions, SigningKey, pack, sign};
use outrigger::{PluginHost, PluginHostBuilder, helloworld};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::artifacts;

/// The version of the fixtures' distributions.
pub const VERSION: &str = "1.0.0";

/// Everything that a host needs, in a directory that goes with it.
#[derive(Debug)]
pub struct Kit {
    directory: TempDir,
    settings: Value,
}

impl Default for Kit {
    fn default() -> Self {
        Self::new()
    }
}

impl Kit {
    /// An empty base directory and settings without providers.
    ///
    /// # Panics
    ///
    /// When the disk fails, as everything here does: these are tests.
    #[must_use]
    pub fn new() -> Self {
        let directory = tempfile::Builder::new().prefix("kit").tempdir().expect("a directory");
        fs::create_dir(directory.path().join("plugins")).expect("a directory");
        let settings = json!({
            "baseDir": directory.path().join("plugins"),
            "runDir": directory.path().join("run"),
            "launcher": artifacts::launcher(),
            "providers": {},
        });
        let kit = Self { directory, settings };
        kit.save();
        kit
    }

    /// The kit with the fixture plugin in this scenario, as `helloworld`.
    #[must_use]
    pub fn with(scenario: &str) -> Self {
        let mut kit = Self::new();
        kit.add_fixture("helloworld", scenario);
        kit
    }

    /// Where distributions lie.
    #[must_use]
    pub fn base_dir(&self) -> PathBuf {
        self.directory.path().join("plugins")
    }

    /// Where plugins run.
    #[must_use]
    pub fn run_dir(&self) -> PathBuf {
        self.directory.path().join("run")
    }

    /// A place for further files.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// The settings file.
    #[must_use]
    pub fn settings_file(&self) -> PathBuf {
        self.directory.path().join("settings.json")
    }

    /// The settings file as a URL.
    #[must_use]
    pub fn settings_url(&self) -> String {
        format!("file://{}", self.settings_file().display())
    }

    /// Changes the settings, by a JSON pointer such as
    /// `/providers/helloworld/config`. Missing objects are made.
    pub fn set(&mut self, pointer: &str, value: Value) {
        let mut target = &mut self.settings;
        for key in pointer.split('/').skip(1) {
            if !target.is_object() {
                *target = json!({});
            }
            target = &mut target[key];
        }
        *target = value;
        self.save();
    }

    /// Lets the host find no launcher.
    pub fn without_launcher(&mut self) {
        if let Some(settings) = self.settings.as_object_mut() {
            settings.remove("launcher");
        }
        self.save();
    }

    fn save(&self) {
        let text = serde_json::to_string_pretty(&self.settings).expect("JSON");
        fs::write(self.settings_file(), text).expect("a settings file");
    }

    /// Adds a provider that runs the fixture plugin: a distribution whose entry
    /// point is a script, since the fixture itself takes a while to pack.
    pub fn add_fixture(&mut self, instance: &str, scenario: &str) {
        let name = format!("fixture-{instance}");
        self.pack_fixture(&name, scenario);
        self.provide(instance, &name);
        if instance != "helloworld" {
            self.set(&format!("/providers/{instance}/interface"), json!("helloworld"));
        }
    }

    /// Packs the fixture plugin in this scenario under a name.
    pub fn pack_fixture(&self, name: &str, scenario: &str) {
        let fixture = artifacts::fixture_plugin();
        let script = format!("#!/bin/sh\nexec '{}' {scenario}\n", fixture.display());
        self.pack(name, &[("run", script.as_bytes(), 0o755)], json!({ "entrypoint": "run" }));
    }

    /// Adds a provider on a distribution that is or will be there.
    pub fn provide(&mut self, instance: &str, name: &str) {
        let definition = json!({
            "name": name,
            "version": VERSION,
            "config": { "language": "en" },
        });
        self.set(&format!("/providers/{instance}"), definition);
    }

    /// Packs files (name, bytes, mode) with metadata into the base directory.
    pub fn pack(&self, name: &str, files: &[(&str, &[u8], u32)], metadata: Value) -> PathBuf {
        let source = tempfile::tempdir_in(self.path()).expect("a directory");
        for (file, bytes, mode) in files {
            let path = source.path().join(file);
            fs::write(&path, bytes).expect("a file");
            fs::set_permissions(&path, fs::Permissions::from_mode(*mode)).expect("a mode");
        }
        self.pack_directory(name, source.path(), metadata)
    }

    /// Packs a directory with metadata of its own into the base directory.
    pub fn pack_directory(&self, name: &str, source: &Path, mut metadata: Value) -> PathBuf {
        metadata["name"] = json!(name);
        metadata["version"] = json!(VERSION);
        let text = metadata.to_string();
        fs::write(source.join("plugin-meta.json"), text).expect("a file");
        // What is measured here is not the compression.
        let options = PackOptions { level: 0, ..PackOptions::default() };
        pack(source, &self.base_dir(), &options).expect("a distribution").path
    }

    /// Signs a distribution and puts the key where hosts look for it.
    pub fn sign(&self, distribution: &Path) -> SigningKey {
        let key = SigningKey::generate("Test", KeyAlgorithm::default(), None).expect("a key");
        sign(distribution, &key, None).expect("a signature");
        key.write_public(&self.base_dir().join("gpg.key"), IfExists::Replace).expect("a key file");
        key
    }

    /// A host on the settings file, without verification: what most tests are
    /// about comes after it.
    pub fn builder(&self) -> PluginHostBuilder {
        PluginHost::builder()
            .settings_url(self.settings_url())
            .interface(helloworld::interface())
            .identity("test-node")
            .danger_skip_verification()
    }

    /// A host on the settings file that runs.
    pub async fn start(&self) -> PluginHost {
        let registered = self.builder().register().expect("settings");
        registered.start().await.expect("a start")
    }

    /// Asserts that no file of a host is left.
    pub fn assert_clean(&self) {
        let left = crate::census::files(&self.run_dir());
        assert!(left.is_empty(), "left in the run directory: {left:?}");
    }
}
