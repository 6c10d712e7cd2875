//! The settings file, changed in one step.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use outrigger::distribution::{IfExists, atomic};
use outrigger::settings::{MAX_FILE_BYTES, ProviderEdit, SettingsFormat, edit_provider};
use outrigger::{InstanceName, Registered};

use crate::failure::Failure;

/// A settings file with its content when it was opened.
#[derive(Debug)]
pub(super) struct SettingsFile {
    pub(super) path: PathBuf,
    format: SettingsFormat,
    before: Vec<u8>,
}

impl SettingsFile {
    pub(super) fn open(registered: &Registered) -> Result<Self, Failure> {
        let Some((path, format)) = registered.providers_file()? else {
            return Err(Failure::Failed(
                "no settings file defines the plugins; give --plugins or --config".to_owned(),
            ));
        };
        // A symbolic link stays one: what it leads to is replaced.
        let what = || format!("settings file {} cannot be read", path.display());
        let path = path.canonicalize().map_err(|error| Failure::failed(&what(), &error))?;
        let before = std::fs::read(&path).map_err(|error| Failure::failed(&what(), &error))?;
        if before.len() as u64 > MAX_FILE_BYTES {
            return Err(Failure::Failed(format!("{}: it is too large", what())));
        }
        Ok(Self { path, format, before })
    }

    /// Whether a config in it can be changed.
    pub(super) fn takes_configs(&self) -> bool {
        self.format == SettingsFormat::Json
    }

    /// Writes the change, unless somebody else changed the file meanwhile.
    pub(super) fn change(
        &self,
        instance: &InstanceName,
        edit: &ProviderEdit<'_>,
    ) -> Result<(), Failure> {
        let after = edit_provider(self.format, &self.before, instance, edit)?;
        let failed = |error: &std::io::Error| {
            let what = format!("settings file {} cannot be changed", self.path.display());
            Failure::failed(&what, error)
        };
        let now = std::fs::read(&self.path).map_err(|error| failed(&error))?;
        if now != self.before {
            return Err(Failure::Failed(format!(
                "settings file {} was changed meanwhile; run this again",
                self.path.display()
            )));
        }
        let mode = std::fs::metadata(&self.path).map_err(|error| failed(&error))?;
        let mode = mode.permissions().mode() & 0o7777;
        atomic::write(&self.path, &after, mode, IfExists::Replace).map_err(|error| failed(&error))
    }
}
