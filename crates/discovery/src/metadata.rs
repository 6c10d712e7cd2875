//! `plugin-meta.json`: what a distribution says about itself.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use outrigger_types::{Platform, PluginDefinition};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use crate::warning::Warning;

/// The name of the metadata's file, at the top of every distribution.
pub const METADATA_FILE: &str = "plugin-meta.json";

/// A distribution's metadata. Keys that are not listed here are ignored; as in
/// Go, the case of a key's letters does not matter.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metadata {
    /// `name`, if it is there and a string.
    pub name: Option<String>,
    /// `version`, if it is there and a string.
    pub version: Option<String>,
    /// `entrypoint`: the file to start, one component of letters, digits,
    /// `_`, `.` and `-`, not beginning with `-`.
    pub entry_point: String,
    /// `parameters`: the arguments to start it with; none where it is missing.
    pub parameters: Vec<String>,
    /// `os` in Go's words, if it is there and a string.
    pub os: Option<String>,
    /// `arch` in Go's words, if it is there and a string.
    pub arch: Option<String>,
}

/// Why metadata cannot be used. `origin` is the archive, or the directory that
/// is being packed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MetadataError {
    /// There is none.
    #[error("{} has no plugin-meta.json at its top level; add one with `entrypoint`", .origin.display())]
    Missing {
        /// Where it was looked for.
        origin: PathBuf,
    },
    /// The file has more bytes than allowed.
    #[error(
        "plugin-meta.json in {} has {size} bytes, and {limit} are allowed; shorten it or raise the limit",
        .origin.display()
    )]
    TooLarge {
        /// Where it lies.
        origin: PathBuf,
        /// Its size in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// The file is no JSON object, or repeats a key.
    #[error("plugin-meta.json in {} is not a JSON object: {detail}; correct it", .origin.display())]
    Json {
        /// Where it lies.
        origin: PathBuf,
        /// What is wrong, with line and column.
        detail: String,
    },
    /// A key has a value of another type.
    #[error("`{key}` of plugin-meta.json in {} must be {expected}; correct it", .origin.display())]
    Type {
        /// Where it lies.
        origin: PathBuf,
        /// The key.
        key: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// No entry point is named.
    #[error("plugin-meta.json in {} names no `entrypoint`; add the executable's name", .origin.display())]
    NoEntryPoint {
        /// Where it lies.
        origin: PathBuf,
    },
    /// The entry point is no plain file name.
    #[error(
        "`entrypoint` `{}` of plugin-meta.json in {} is no file name; use letters, digits, `_`, `.` and `-`, not first `-`, nor `.` or `..`",
        .name.escape_debug(), .origin.display()
    )]
    EntryPoint {
        /// Where it lies.
        origin: PathBuf,
        /// The name that was refused.
        name: String,
    },
}

impl Metadata {
    /// Reads the file at the top of a directory; `limit` is its size in bytes.
    pub(crate) fn read(directory: &Path, limit: u64) -> io::Result<Result<Self, MetadataError>> {
        let origin = || directory.to_owned();
        let mut text = Vec::new();
        let file = match File::open(directory.join(METADATA_FILE)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Err(MetadataError::Missing { origin: origin() }));
            }
            opened => opened?,
        };
        file.take(limit + 1).read_to_end(&mut text)?;
        let size = text.len() as u64;
        Ok(if size > limit {
            Err(MetadataError::TooLarge { origin: origin(), size, limit })
        } else {
            Self::parse(&text, directory)
        })
    }

    /// Parses the file's bytes. `origin` is named in errors.
    ///
    /// # Errors
    ///
    /// [`MetadataError`], all but `Missing` and `TooLarge`.
    pub fn parse(bytes: &[u8], origin: &Path) -> Result<Self, MetadataError> {
        let members: Members = serde_json::from_slice(bytes).map_err(|error| {
            MetadataError::Json { origin: origin.to_owned(), detail: error.to_string() }
        })?;
        let wrong =
            |key, expected| MetadataError::Type { origin: origin.to_owned(), key, expected };
        let entry_point = match members.get("entrypoint") {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(name)) => name.clone(),
            Some(_) => return Err(wrong("entrypoint", "a string")),
        };
        if entry_point.is_empty() {
            return Err(MetadataError::NoEntryPoint { origin: origin.to_owned() });
        }
        if !is_file_name(&entry_point) {
            let origin = origin.to_owned();
            return Err(MetadataError::EntryPoint { origin, name: entry_point });
        }
        let parameters = match members.get("parameters") {
            None | Some(Value::Null) => Some(Vec::new()),
            Some(Value::Array(values)) => values.iter().map(argument).collect(),
            Some(_) => None,
        };
        let parameters = parameters
            .ok_or_else(|| wrong("parameters", "an array of strings without NUL characters"))?;
        // GoQuorum never refuses a distribution over the rest, so neither do we.
        let text = |key| members.get(key).and_then(Value::as_str).map(str::to_owned);
        Ok(Self {
            name: text("name"),
            version: text("version"),
            entry_point,
            parameters,
            os: text("os"),
            arch: text("arch"),
        })
    }

    /// Where the metadata says something else than the definition or the host.
    #[must_use]
    pub fn compare(&self, definition: &PluginDefinition, platform: &Platform) -> Vec<Warning> {
        let mut warnings = Vec::new();
        if self.name.as_deref() != Some(definition.name.as_str()) {
            let (expected, found) = (definition.name.to_string(), self.name.clone());
            warnings.push(Warning::Name { expected, found });
        }
        if self.version.as_deref() != Some(definition.version.as_str()) {
            let (expected, found) = (definition.version.to_string(), self.version.clone());
            warnings.push(Warning::Version { expected, found });
        }
        let os = self.os.as_deref().unwrap_or(platform.os);
        let arch = self.arch.as_deref().unwrap_or(platform.arch);
        if (os, arch) != (platform.os, platform.arch) {
            warnings.push(Warning::Platform {
                expected: format!("{}/{}", platform.os, platform.arch),
                found: format!("{os}/{arch}"),
            });
        }
        warnings
    }
}

fn argument(value: &Value) -> Option<String> {
    // A NUL cannot stand in a process's arguments.
    value.as_str().filter(|text| !text.contains('\0')).map(str::to_owned)
}

fn is_file_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    name.chars().all(allowed) && !matches!(name, "." | "..") && !name.starts_with('-')
}

/// The members of a JSON object with unique keys, compared in lower case.
struct Members(Vec<(String, Value)>);

impl Members {
    fn get(&self, key: &str) -> Option<&Value> {
        self.0.iter().find_map(|(name, value)| (name == key).then_some(value))
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut members: Vec<(String, Value)> = Vec::new();
        let mut seen = std::collections::HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            let key = key.to_ascii_lowercase();
            if !seen.insert(key.clone()) {
                // Readers differ in which of the two they believe.
                return Err(serde::de::Error::custom(format!("key `{key}` occurs twice")));
            }
            members.push((key, map.next_value()?));
        }
        Ok(Members(members))
    }
}

#[cfg(test)]
mod tests;
