//! Tests of the settings as a whole: files go in, settings or messages come out.

mod config;
mod json;
mod launch;
mod layers;
mod parity;
mod robust;
mod toml;

use std::collections::BTreeMap;
use std::path::Path;

use outrigger_types::{InstanceName, InterfaceName, PluginDefinition, PluginName, PluginVersion};
use tempfile::TempDir;

use super::{Loaded, ProviderSettings, Settings, SettingsError, Sources, default_run_dir};

/// What stands before everything that is wrong with a JSON file.
const PARSE: &str = "plugins: unable to parse settings due to ";

/// An environment for one test.
fn env<const N: usize>(variables: [(&str, &str); N]) -> BTreeMap<String, String> {
    variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// A directory with one file of settings, and sources that know nothing else.
struct Fixture {
    dir: TempDir,
}

impl Fixture {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        Self { dir }
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> std::path::PathBuf {
        let path = self.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    fn sources(&self) -> Sources {
        Sources::new().with_env(env([])).with_datadir("/data")
    }

    fn json(&self, content: impl AsRef<[u8]>) -> Sources {
        self.sources().with_json(self.write("q.json", content))
    }

    fn toml(&self, content: impl AsRef<[u8]>) -> Sources {
        self.sources().with_toml(self.write("node.toml", content))
    }

    /// Loads, and gives messages without the directory's name.
    fn load(&self, sources: &Sources) -> Result<Loaded, String> {
        sources.load().map_err(|error| self.shorten(&error))
    }

    fn shorten(&self, message: &dyn std::fmt::Display) -> String {
        let dir = format!("{}/", self.path().display());
        let message = message.to_string().replace(&dir, "");
        // What GoQuorum says before; a test of its own holds it.
        message.strip_prefix(PARSE).map(str::to_owned).unwrap_or(message)
    }

    /// Checks that each text gives the message beside it.
    fn refuses(&self, source: impl Fn(&str) -> Sources, table: &[(&str, &str)]) {
        for (text, message) in table {
            let found = self.load(&source(text)).map(|loaded| loaded.settings);
            assert_eq!(found.unwrap_err(), *message, "{text}");
        }
    }
}

fn instance(name: &str) -> InstanceName {
    InstanceName::parse(name).unwrap()
}

fn hello(settings: &Settings) -> &ProviderSettings {
    &settings.providers["helloworld"]
}

#[test]
fn settings_are_built_without_any_file() {
    let definition = PluginDefinition {
        name: PluginName::parse("hello").unwrap(),
        version: PluginVersion::parse("1.0.0").unwrap(),
        config: outrigger_types::ConfigSource::None,
    };
    let interface = InterfaceName::parse("helloworld").unwrap();
    let provider = ProviderSettings::new(interface.clone(), definition);
    let settings = Settings::new("/plugins")
        .unwrap()
        .with_run_dir("/run/x")
        .with_launcher("/usr/lib/launcher")
        .with_provider(interface.into(), provider.clone());
    assert_eq!(settings.base_dir, Path::new("/plugins"));
    assert_eq!(settings.run_dir, Path::new("/run/x"));
    assert_eq!(settings.providers[&instance("helloworld")], provider);
    assert!(provider.required);
}

#[test]
fn built_settings_have_an_absolute_base_dir_or_none_at_all() {
    assert!(Settings::new("plugins").unwrap().base_dir.is_absolute());
    assert!(matches!(Settings::new("").unwrap_err(), SettingsError::NoBaseDir));
}

#[test]
fn the_run_dir_is_the_users_own() {
    let found = default_run_dir(&env([("XDG_RUNTIME_DIR", "/run/user/7")]));
    assert_eq!(found, Path::new("/run/user/7/outrigger"));
    for variables in [env([]), env([("XDG_RUNTIME_DIR", "relative")])] {
        let found = default_run_dir(&variables);
        let text = found.to_str().unwrap();
        assert!(text.starts_with("/tmp/outrigger-"), "{text}");
    }
    let found = default_run_dir(&env([("TMPDIR", "/scratch")]));
    assert!(found.starts_with("/scratch"));
}
