//! What can be wrong with settings, and where it stands.

use std::fmt;
use std::path::PathBuf;

use outrigger_types::InterfaceName;

use super::FileError;

/// Why settings cannot be used. No message holds any part of a plugin's
/// `config`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// A file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// The URL of the settings file names no file.
    #[error(
        "plugins: Invalid URL for --plugins due to `{url}`: {reason}; give a file, such as `file:///etc/plugins.json`"
    )]
    Url {
        /// The URL.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The URL of the settings file is none of a file.
    #[error(
        "plugins: unable to create reader due to unsupported scheme {scheme}; give a file, such as `file:///etc/plugins.json`"
    )]
    Scheme {
        /// Its scheme; may be empty.
        scheme: String,
    },
    /// The JSON file cannot be used.
    #[error("plugins: unable to parse settings due to {0}")]
    Parse(Box<Self>),
    /// Providers for which a program has no use.
    #[error("unsupported plugins configured: [{}]", bracketed(.interfaces))]
    Unsupported {
        /// Their interfaces, each once.
        interfaces: Vec<InterfaceName>,
    },
    /// A file is neither JSON nor TOML.
    #[error("{place}: {reason}")]
    Syntax {
        /// Where reading stopped.
        place: Place,
        /// What was expected there.
        reason: String,
    },
    /// A key is not one of ours, where that is an error: in TOML, in the
    /// environment and among overrides.
    #[error("{place}: unknown key{}", suggestion(nearest.as_deref()))]
    UnknownKey {
        /// The key and where it stands.
        place: Place,
        /// The known key that looks most like it.
        nearest: Option<String>,
    },
    /// A value has the wrong type or breaks a rule.
    #[error("{place}: {reason}")]
    Value {
        /// The key and where its value stands.
        place: Place,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// Nothing says where distributions lie.
    #[error("settings: `baseDir` is not set; set it, or give a data directory")]
    NoBaseDir,
    /// The layers could not be put together.
    #[error("settings: the layers cannot be merged")]
    Merge(#[source] Box<figment::Error>),
}

/// Something in settings that has no effect.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// A JSON file holds a key that is not one of ours, which GoQuorum ignores
    /// too.
    UnknownKey {
        /// The key and where it stands.
        place: Place,
        /// The known key that looks most like it.
        nearest: Option<String>,
    },
    /// More unknown keys than are worth listing.
    MoreUnknownKeys {
        /// How many are not listed.
        count: usize,
    },
    /// A table of the TOML file is called almost like the section for plugins.
    SectionName {
        /// The table and where it stands.
        place: Place,
    },
    /// The TOML file's section is not used, because there is a JSON file.
    SectionReplaced {
        /// Where the section stands.
        place: Place,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownKey { place, nearest } => {
                write!(f, "{place}: unknown key, ignored{}", suggestion(nearest.as_deref()))
            }
            Self::MoreUnknownKeys { count } => {
                write!(f, "settings: {count} more unknown keys, ignored")
            }
            Self::SectionName { place } => {
                write!(f, "{place}: ignored; did you mean `Node.Plugins`?")
            }
            Self::SectionReplaced { place } => {
                write!(f, "{place}: ignored, because the JSON settings file replaces this section")
            }
        }
    }
}

/// A key, and where its value stands.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Place {
    /// The layer.
    pub origin: Origin,
    /// Line and column, in a file.
    pub position: Option<Position>,
    /// The key's path as this layer spells it; empty for the whole layer.
    pub key: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.origin.fmt(f)?;
        if let Some(Position { line, column }) = self.position {
            write!(f, " line {line} column {column}")?;
        }
        if !self.key.is_empty() {
            write!(f, ": {}", self.key)?;
        }
        Ok(())
    }
}

/// The layer that a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// No layer sets it.
    Default,
    /// A file.
    File(PathBuf),
    /// An environment variable, by name.
    Variable(String),
    /// An override, such as a command line flag.
    Override,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("settings"),
            Self::File(path) => write!(f, "settings {}", path.display()),
            Self::Variable(name) => write!(f, "environment variable {name}"),
            Self::Override => f.write_str("command line"),
        }
    }
}

/// A place in a text. Both numbers count from 1; a column is a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl Position {
    /// The position of the byte at `offset`.
    pub(super) fn of(text: &str, offset: usize) -> Self {
        let before = &text.as_bytes()[..offset.min(text.len())];
        let start = before.iter().rposition(|b| *b == b'\n').map_or(0, |i| i + 1);
        Self {
            line: 1 + before.iter().filter(|b| **b == b'\n').count(),
            // Bytes that do not continue a character begin one.
            column: 1 + before[start..].iter().filter(|b| **b & 0xc0 != 0x80).count(),
        }
    }
}

/// Names as Go prints a list.
pub(crate) fn bracketed(interfaces: &[InterfaceName]) -> String {
    interfaces.iter().map(InterfaceName::as_str).collect::<Vec<_>>().join(" ")
}

fn suggestion(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |known| format!("; did you mean `{known}`?"))
}
