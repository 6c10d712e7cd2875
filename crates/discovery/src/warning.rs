//! What an operator should know although the plugin may start.

use std::fmt;
use std::path::PathBuf;

use outrigger_types::PluginVersion;

/// Something that GoQuorum lets pass without a word. `Display` gives the text
/// for a log line.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// No signature was checked.
    NotVerified,
    /// The metadata's name is another one, or missing.
    Name {
        /// The name in the definition.
        expected: String,
        /// The name in the metadata.
        found: Option<String>,
    },
    /// The metadata's version is another one, or missing.
    Version {
        /// The version in the definition.
        expected: String,
        /// The version in the metadata.
        found: Option<String>,
    },
    /// The metadata names another platform. Makefiles of public plugins write
    /// the build machine's platform, so the entry point itself decides.
    Platform {
        /// This host's `os/arch`.
        expected: String,
        /// The metadata's `os/arch`.
        found: String,
    },
    /// A newer version ran last.
    Older {
        /// The version that is to run.
        asked: PluginVersion,
        /// The version that ran last.
        ran: PluginVersion,
    },
    /// Which version ran last cannot be told.
    LastRun {
        /// Where it is remembered.
        record: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// The distribution bears the name without a platform.
    OlderName {
        /// The file.
        path: PathBuf,
    },
    /// Other users can change a file or directory that decides what runs.
    WritableByOthers {
        /// The file or directory.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A file or directory that decides what runs belongs neither to this user
    /// nor to root.
    OwnedByOther {
        /// The file or directory.
        path: PathBuf,
        /// The owner's number.
        uid: u32,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or_none = |found: &Option<String>| found.clone().unwrap_or_else(|| "nothing".into());
        match self {
            Self::NotVerified => f.write_str(
                "verification is switched off; anybody who can write the file decides what runs",
            ),
            Self::Name { expected, found } => {
                let found = or_none(found);
                write!(f, "plugin-meta.json names {found}, the definition `{expected}`")
            }
            Self::Version { expected, found } => {
                let found = or_none(found);
                write!(f, "plugin-meta.json says version {found}, the definition {expected}")
            }
            Self::Platform { expected, found } => {
                write!(f, "plugin-meta.json says {found}, and this host is {expected}")
            }
            Self::Older { asked, ran } => {
                write!(f, "version {asked} is older than {ran}, which ran last")
            }
            Self::LastRun { record, detail } => write!(
                f,
                "which version ran last cannot be read from {}: {detail}; move it away",
                record.display()
            ),
            Self::OlderName { path } => {
                write!(f, "{} bears the older name without a platform", path.display())
            }
            Self::WritableByOthers { path, mode } => write!(
                f,
                "{} can be written by other users (mode {mode:04o}); run `chmod go-w` on it",
                path.display()
            ),
            Self::OwnedByOther { path, uid } => write!(
                f,
                "{} belongs to user {uid}; give it to the host's user or to root",
                path.display()
            ),
        }
    }
}
