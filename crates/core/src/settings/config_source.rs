//! From a definition's `config` to the bytes that a generation gets.

use std::os::unix::ffi::OsStringExt;
use std::path::Path;

use outrigger_types::{ConfigSource, RawConfig};

use super::url::Url;
use super::{Env, FileError, file};

const FILE: &str = "configuration file";

/// Why a plugin's configuration cannot be read. No message holds any of its
/// content.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The variable of an `env:` URL is unset.
    #[error("env variable {name} not found; set it in the host's environment")]
    Unset {
        /// The variable.
        name: String,
    },
    /// A `file:` URL has neither host nor path.
    #[error("the `file:` URL in `config` names no path; write it as `file:///etc/plugin.json`")]
    NoPath,
    /// The file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
}

/// Reads a configuration; to be called anew for each generation.
///
/// | `config` | result |
/// | --- | --- |
/// | none | no bytes |
/// | an object or array | its JSON text, in the form that the settings ask for |
/// | `file:///a/b` | the content of `/a/b`; `file://./b` and `file://b` are relative to the working directory; percent signs are decoded, a query is ignored |
/// | `env://NAME` | the variable's value, which may be empty |
/// | `env://NAME?type=file` | the content of the file whose path is the variable's value |
/// | any other text, and any that Go's URL parser refuses | the text itself |
///
/// A file must be a regular one of at most [`MAX_FILE_BYTES`](super::MAX_FILE_BYTES).
/// Reading it blocks.
///
/// # Errors
///
/// [`ConfigError`] when a variable is unset or a file cannot be read.
pub fn read_config(source: &ConfigSource, env: &dyn Env) -> Result<RawConfig, ConfigError> {
    let text = match source {
        ConfigSource::None => return Ok(RawConfig::default()),
        ConfigSource::Inline(raw) => return Ok(raw.clone()),
        ConfigSource::Text(text) => text,
    };
    let url = std::str::from_utf8(text.expose()).ok().and_then(Url::parse);
    let Some(url) = url else {
        return Ok(text.clone());
    };
    match url.scheme.as_str() {
        "file" => {
            let path = url.file_path().ok_or(ConfigError::NoPath)?;
            Ok(RawConfig::new(file::read(FILE, &path)?))
        }
        "env" => {
            let name = url.host_name();
            let Some(value) = env.var(&name) else {
                return Err(ConfigError::Unset { name });
            };
            if url.query_is("type", "file") {
                return Ok(RawConfig::new(file::read(FILE, Path::new(&value))?));
            }
            Ok(RawConfig::new(value.into_vec()))
        }
        _ => Ok(text.clone()),
    }
}
