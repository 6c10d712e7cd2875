//! Where settings come from, remembered so that they can be read again.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use figment::Figment;
use figment::value::Value;
use serde_json::value::RawValue;
use toml::de::DeTable;

use super::document::Node;
use super::edit::SettingsFormat;
use super::error::{Origin, Place, Position};
use super::layer::{Dialect, Layer, Shared};
use super::toml_file::{Section, section};
use super::url::Url;
use super::{Env, ProcessEnv, Settings, SettingsError, Warning, build, file, json, pairs};

const FILE: &str = "settings file";

/// Where to read settings from. Nothing is read before [`Sources::load`].
///
/// ```no_run
/// # use outrigger_core::settings::{Sources, SettingsError};
/// # fn main() -> Result<(), SettingsError> {
/// let sources = Sources::new()
///     .with_url("file:///etc/node/plugins.json")
///     .with_override("runDir", "/run/node");
/// let loaded = sources.load()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Sources {
    toml: Option<PathBuf>,
    json: Option<Json>,
    env: Arc<dyn Env>,
    overrides: Vec<(String, OsString)>,
    datadir: Option<PathBuf>,
}

/// What reading the sources gave.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Loaded {
    /// The settings.
    pub settings: Settings,
    /// What had no effect; worth a log line each.
    pub warnings: Vec<Warning>,
}

#[derive(Clone)]
enum Json {
    Url(String),
    Path(PathBuf),
}

impl Sources {
    /// No file, this process's environment, no override.
    #[must_use]
    pub fn new() -> Self {
        Self {
            toml: None,
            json: None,
            env: Arc::new(ProcessEnv),
            overrides: Vec::new(),
            datadir: None,
        }
    }

    /// A node's TOML file, of which the section `[Node.Plugins]` is read.
    #[must_use]
    pub fn with_toml(mut self, path: impl Into<PathBuf>) -> Self {
        self.toml = Some(path.into());
        self
    }

    /// The `file:` URL of the JSON settings file, which replaces the section of
    /// the TOML file.
    #[must_use]
    pub fn with_url(mut self, url: impl Into<String>) -> Self {
        self.json = Some(Json::Url(url.into()));
        self
    }

    /// The JSON settings file by its path, instead of its URL.
    #[must_use]
    pub fn with_json(mut self, path: impl Into<PathBuf>) -> Self {
        self.json = Some(Json::Path(path.into()));
        self
    }

    /// The environment, instead of this process's.
    #[must_use]
    pub fn with_env(mut self, env: impl Env + 'static) -> Self {
        self.env = Arc::new(env);
        self
    }

    /// Sets one key above all other layers, such as
    /// `("providers.helloworld.version", "1.0.1")`. The value is written as in
    /// an environment variable. Of several for one key the last one holds.
    #[must_use]
    pub fn with_override(mut self, key: impl Into<String>, value: impl Into<OsString>) -> Self {
        self.overrides.push((key.into(), value.into()));
        self
    }

    /// The node's data directory; `<datadir>/plugins` is the default base
    /// directory.
    #[must_use]
    pub fn with_datadir(mut self, path: impl Into<PathBuf>) -> Self {
        self.datadir = Some(path.into());
        self
    }

    /// The files that [`load`](Self::load) reads, for a watcher.
    ///
    /// # Errors
    ///
    /// [`SettingsError::Url`] when the settings URL names no file.
    pub fn files(&self) -> Result<Vec<PathBuf>, SettingsError> {
        let json = self.json.as_ref().map(Json::path).transpose()?;
        Ok(self.toml.iter().cloned().chain(json).collect())
    }

    /// The file that defines the providers, for whoever changes it: the JSON
    /// file, or else the TOML file; `None` where neither is read.
    ///
    /// # Errors
    ///
    /// As [`files`](Self::files).
    pub fn providers_file(&self) -> Result<Option<(PathBuf, SettingsFormat)>, SettingsError> {
        let json = self.json.as_ref().map(Json::path).transpose()?;
        let json = json.map(|path| (path, SettingsFormat::Json));
        let toml = || self.toml.clone().map(|path| (path, SettingsFormat::Toml));
        Ok(json.or_else(toml))
    }

    /// Reads all sources anew. It changes nothing, here or elsewhere.
    ///
    /// # Errors
    ///
    /// [`SettingsError`] says which layer, line and column a wrong value came
    /// from. Then nothing is returned, and a host keeps what it has.
    pub fn load(&self) -> Result<Loaded, SettingsError> {
        let mut shared = Shared::default();
        let mut layers = Vec::new();
        let toml = match &self.toml {
            Some(path) => read_toml(path, &mut shared)?,
            None => None,
        };
        match (&self.json, toml) {
            (Some(json), toml) => {
                let replaced = toml.and_then(|layer| layer.places.find(""));
                let warning = replaced.map(|place| Warning::SectionReplaced { place });
                shared.warnings.extend(warning);
                layers.push(read_json(&json.path()?, &mut shared)?);
            }
            (None, toml) => layers.extend(toml),
        }
        layers.push(pairs::environment(self.env.as_ref(), &mut shared)?);
        layers.push(pairs::overrides(&self.overrides, &mut shared)?);

        let merged = layers.iter().fold(Figment::new(), Figment::merge);
        let values =
            merged.find_value("").map_err(|error| SettingsError::Merge(Box::new(error)))?;
        let context = build::Context {
            layers: &layers,
            configs: &shared.configs,
            env: self.env.as_ref(),
            datadir: self.datadir.as_deref(),
        };
        let values = Value::into_dict(values).unwrap_or_default();
        Ok(Loaded { settings: build::settings(&values, &context)?, warnings: shared.warnings })
    }
}

impl Default for Sources {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // An override may be a plugin's configuration.
        let overrides: Vec<&str> = self.overrides.iter().map(|(key, _)| key.as_str()).collect();
        f.debug_struct("Sources")
            .field("files", &self.files())
            .field("datadir", &self.datadir)
            .field("overrides", &overrides)
            .finish_non_exhaustive()
    }
}

impl Json {
    fn path(&self) -> Result<PathBuf, SettingsError> {
        let url = match self {
            Self::Path(path) => return Ok(path.clone()),
            Self::Url(url) => url,
        };
        let refuse =
            |reason: String| SettingsError::Url { url: url.escape_debug().to_string(), reason };
        let parsed = Url::parse(url).ok_or_else(|| refuse("not a URL".to_owned()))?;
        if parsed.scheme != "file" {
            return Err(SettingsError::Scheme { scheme: parsed.scheme });
        }
        let path = parsed.file_path();
        path.ok_or_else(|| refuse("it names no path".to_owned()))
    }
}

fn read_json(path: &Path, shared: &mut Shared) -> Result<Layer, SettingsError> {
    let bytes = file::read(FILE, path)?;
    parse_json(path, &bytes, shared).map_err(|error| SettingsError::Parse(Box::new(error)))
}

fn parse_json(path: &Path, bytes: &[u8], shared: &mut Shared) -> Result<Layer, SettingsError> {
    let (text, root) = json::first_value(bytes).map_err(|error| {
        let text = String::from_utf8_lossy(bytes);
        syntax(path, without_bom(&text), error.offset, error.reason)
    })?;
    let root = object(root, text, path)?;
    Layer::of_file((path.to_owned(), text), Dialect::Json, root, shared)
}

/// The file's value must be an object.
fn object<'a>(
    root: &'a RawValue,
    text: &str,
    path: &Path,
) -> Result<(Node<'a>, usize), SettingsError> {
    let at = json::offset(text, root);
    if !root.get().starts_with('{') {
        let reason = "the file does not hold an object; write at least `{}`".to_owned();
        return Err(syntax(path, text, at, reason));
    }
    Ok((Node::Json(root), at))
}

fn read_toml(path: &Path, shared: &mut Shared) -> Result<Option<Layer>, SettingsError> {
    let bytes = file::read(FILE, path)?;
    let text = std::str::from_utf8(&bytes).map_err(|error| {
        let text = String::from_utf8_lossy(&bytes);
        let reason = "not UTF-8; write the file in UTF-8".to_owned();
        syntax(path, &text, error.valid_up_to(), reason)
    })?;
    let text = without_bom(text);
    let parsed = DeTable::parse(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        let reason = format!("not TOML: {}; correct the file", error.message());
        syntax(path, text, at, reason)
    })?;
    let at = |offset, key| Place {
        origin: Origin::File(path.to_owned()),
        position: Some(Position::of(text, offset)),
        key,
    };
    match section(parsed.get_ref()) {
        Section::Found(table, offset) => {
            let root = (Node::Toml(table), offset);
            Layer::of_file((path.to_owned(), text), Dialect::Toml, root, shared).map(Some)
        }
        Section::Almost(name, offset) => {
            let place = at(offset, name);
            shared.warnings.push(Warning::SectionName { place });
            Ok(None)
        }
        Section::Absent => Ok(None),
    }
}

fn without_bom(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

fn syntax(path: &Path, text: &str, offset: usize, reason: String) -> SettingsError {
    let place = Place {
        origin: Origin::File(path.to_owned()),
        position: Some(Position::of(text, offset)),
        key: String::new(),
    };
    SettingsError::Syntax { place, reason }
}
