//! The version of each instance that ran last, so that an older one is noticed.

use std::cmp::Ordering;
use std::io;
use std::path::{Path, PathBuf};

use outrigger_types::{InstanceName, PluginDefinition, PluginName, PluginVersion, failpoint};
use serde::{Deserialize, Serialize};

use crate::atomic::{self, IfExists};
use crate::rules::Doubt;
use crate::verify::read_limited;
use crate::warning::Warning;

/// Largest record that is read, in bytes.
const LARGEST: u64 = 4096;

/// Where the version that ran last stands against the one that is to run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DowngradeError {
    /// It was newer.
    #[error(
        "version {asked} is older than {ran}, which ran last; configure {ran} or a newer one, \
         or remove {} if going back is meant", .record.display()
    )]
    Older {
        /// The version that is to run.
        asked: PluginVersion,
        /// The version that ran last.
        ran: PluginVersion,
        /// Where that is remembered.
        record: PathBuf,
    },
    /// Nobody knows.
    #[error("which version ran last cannot be read from {}: {detail}; move it away", .record.display())]
    Unreadable {
        /// Where it is remembered.
        record: PathBuf,
        /// What is wrong.
        detail: String,
    },
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    name: PluginName,
    version: PluginVersion,
}

/// The file in `base_dir` that remembers what ran last.
#[must_use]
pub fn last_run_path(base_dir: &Path, instance: &InstanceName) -> PathBuf {
    base_dir.join(format!(".outrigger-ran-{instance}.json"))
}

/// Compares with what ran last. A version of another plugin is not comparable.
pub(crate) fn check(
    base_dir: &Path,
    instance: &InstanceName,
    definition: &PluginDefinition,
    doubt: Doubt,
) -> Result<Option<Warning>, DowngradeError> {
    let record = last_run_path(base_dir, instance);
    let ran = match read(&record) {
        Ok(Some(known)) if known.name == definition.name => known.version,
        Ok(_) => return Ok(None),
        Err(detail) if doubt == Doubt::Refuse => {
            return Err(DowngradeError::Unreadable { record, detail });
        }
        Err(detail) => return Ok(Some(Warning::LastRun { record, detail })),
    };
    let asked = definition.version.clone();
    if asked.precedence(&ran) != Ordering::Less {
        return Ok(None);
    }
    match doubt {
        Doubt::Warn => Ok(Some(Warning::Older { asked, ran })),
        Doubt::Refuse => Err(DowngradeError::Older { asked, ran, record }),
    }
}

/// Remembers that a version runs, or that going back to it is meant.
///
/// # Errors
///
/// The directory cannot be written to.
pub fn remember_run(
    base_dir: &Path,
    instance: &InstanceName,
    definition: &PluginDefinition,
) -> io::Result<()> {
    failpoint::io("resolve.remember")?;
    let path = last_run_path(base_dir, instance);
    let record = Record { name: definition.name.clone(), version: definition.version.clone() };
    if read(&path).is_ok_and(|known| known.as_ref() == Some(&record)) {
        return Ok(());
    }
    atomic::write(&path, &serde_json::to_vec(&record)?, 0o644, IfExists::Replace)
}

fn read(path: &Path) -> Result<Option<Record>, String> {
    match read_limited(path, LARGEST) {
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| error.to_string()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use outrigger_types::ConfigSource;

    use super::*;

    fn definition(name: &str, version: &str) -> PluginDefinition {
        PluginDefinition {
            name: name.parse().unwrap(),
            version: version.parse().unwrap(),
            config: ConfigSource::None,
        }
    }

    fn instance() -> InstanceName {
        InstanceName::parse("hello").unwrap()
    }

    #[test]
    fn an_older_version_than_the_one_that_ran_last_is_noticed_and_others_are_not() {
        let dir = tempfile::tempdir().unwrap();
        let check = |name, version, doubt| {
            check(dir.path(), &instance(), &definition(name, version), doubt)
        };
        assert_eq!(check("acme", "1.0.0", Doubt::Refuse).unwrap(), None);
        remember_run(dir.path(), &instance(), &definition("acme", "1.10.0")).unwrap();
        for version in ["1.10.0", "1.11.0", "2.0.0-rc1"] {
            assert_eq!(check("acme", version, Doubt::Refuse).unwrap(), None, "{version}");
        }
        assert_eq!(check("other", "1.0.0", Doubt::Refuse).unwrap(), None);
        let warning = check("acme", "1.9.0", Doubt::Warn).unwrap().unwrap();
        assert!(warning.to_string().contains("1.9.0 is older than 1.10.0"), "{warning}");
        let error = check("acme", "1.9.0", Doubt::Refuse).unwrap_err();
        assert!(error.to_string().contains(".outrigger-ran-hello.json"), "{error}");
        remember_run(dir.path(), &instance(), &definition("acme", "1.9.0")).unwrap();
        assert_eq!(check("acme", "1.9.0", Doubt::Refuse).unwrap(), None);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_record_that_is_none_is_a_doubt_of_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let asked = definition("acme", "1.0.0");
        for text in ["", "{\"name\": \"acme\"", &"x".repeat(5000)] {
            fs::write(last_run_path(dir.path(), &instance()), text).unwrap();
            let warned = check(dir.path(), &instance(), &asked, Doubt::Warn).unwrap();
            assert!(matches!(warned, Some(Warning::LastRun { .. })), "{warned:?}");
            let error = check(dir.path(), &instance(), &asked, Doubt::Refuse).unwrap_err();
            assert!(matches!(error, DowngradeError::Unreadable { .. }), "{error}");
        }
    }
}
