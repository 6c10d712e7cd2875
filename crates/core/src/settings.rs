//! The host's settings: GoQuorum's, extended.
//!
//! [`Sources`] remembers where settings come from and [`Sources::load`] reads
//! them, any number of times. What it returns is parsed: paths are absolute,
//! names have passed their grammar, durations and sizes are numbers. Embedders
//! and tests build the same [`Settings`] without a file.
//!
//! From the lowest to the highest layer: defaults, the section `[Node.Plugins]`
//! of a TOML file, a JSON file that replaces that section whole, environment
//! variables `OUTRIGGER__A__B`, and overrides such as command line flags. Every
//! error says which of them a value came from, with line and column in a file.
//!
//! Reading here blocks on small local files (1 MiB at most) and on nothing else.

mod build;
mod central;
mod config_source;
mod document;
mod edit;
mod env;
mod error;
mod file;
mod json;
mod layer;
mod limits;
pub(crate) mod order;
mod pairs;
mod paths;
mod provider;
mod reattach;
mod schema;
mod sources;
mod supervision;
mod toml_file;
mod url;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use outrigger_discovery::{Fingerprint, Rules};
use outrigger_types::{InstanceName, InterfaceName};

pub use central::CentralSettings;
pub use config_source::{ConfigError, read_config};
pub use edit::{EditError, ProviderEdit, SettingsFormat, edit_provider};
pub use env::{Env, ProcessEnv};
pub(crate) use error::bracketed;
pub use error::{Origin, Place, Position, SettingsError, Warning};
pub(crate) use file::read as read_small;
pub use file::{FileError, MAX_FILE_BYTES};
pub use limits::{Timeouts, UnpackLimits};
pub use paths::default_run_dir;
pub use provider::{EnvironmentProfile, ProviderSettings, ReloadMode, TlsSettings, Variables};
pub use reattach::{REATTACH_VARIABLE, reattached};
pub use sources::{Loaded, Sources};
pub use supervision::{After, CallBounds, OutlierPolicy, RestartPolicy, Strategy};
pub use url::url_path;

/// What a host is to do, parsed and complete.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// Where distributions, keys and signatures lie. Absolute; it may not exist
    /// yet.
    pub base_dir: PathBuf,
    /// Where sockets and workspaces of running plugins go. Absolute; whoever
    /// creates it must refuse one that belongs to somebody else.
    pub run_dir: PathBuf,
    /// The launcher's executable, if the settings name one. Absolute.
    pub launcher: Option<PathBuf>,
    /// The configured plugins.
    pub providers: BTreeMap<InstanceName, ProviderSettings>,
    /// The server that distributes plugins.
    pub central: CentralSettings,
    /// The keys that may sign, if not all of the key ring may. Key
    /// `verification.fingerprints`.
    pub fingerprints: Vec<Fingerprint>,
    /// What is refused although it is well signed. Keys `verification.identity`
    /// and `verification.downgrade`.
    pub rules: Rules,
    /// The time limits that hold for a provider which sets none of its own.
    /// Each provider carries the result.
    pub timeouts: Timeouts,
    /// How plugins are kept alive that set nothing of their own. Each provider
    /// carries the result.
    pub restart: RestartPolicy,
    /// How much may be asked of plugins that set nothing of their own. Each
    /// provider carries the result.
    pub calls: CallBounds,
    /// How large a distribution may be.
    pub unpack: UnpackLimits,
}

impl Settings {
    /// Settings without providers, and with defaults for everything else.
    ///
    /// A relative `base_dir` is taken from the working directory.
    ///
    /// # Errors
    ///
    /// [`SettingsError::NoBaseDir`] when `base_dir` is empty.
    pub fn new(base_dir: impl Into<PathBuf>) -> Result<Self, SettingsError> {
        let base_dir =
            std::path::absolute(base_dir.into()).map_err(|_| SettingsError::NoBaseDir)?;
        Ok(Self::in_dirs(base_dir, default_run_dir(&ProcessEnv)))
    }

    /// Adds a provider, or replaces the one of the same name.
    #[must_use]
    pub fn with_provider(mut self, instance: InstanceName, provider: ProviderSettings) -> Self {
        self.providers.insert(instance, provider);
        self
    }

    /// Sets the directory for sockets and workspaces, which should be absolute.
    #[must_use]
    pub fn with_run_dir(mut self, run_dir: impl Into<PathBuf>) -> Self {
        self.run_dir = run_dir.into();
        self
    }

    /// Sets the launcher's executable, which should be absolute.
    #[must_use]
    pub fn with_launcher(mut self, launcher: impl Into<PathBuf>) -> Self {
        self.launcher = Some(launcher.into());
        self
    }

    /// Whether all providers are of interfaces in `known`, for a program that has
    /// a use for few.
    ///
    /// # Errors
    ///
    /// [`SettingsError::Unsupported`] lists each of the others once, in order.
    pub fn check_supported(&self, known: &[InterfaceName]) -> Result<(), SettingsError> {
        let asked: BTreeSet<_> = self.providers.values().map(|found| &found.interface).collect();
        let unknown = asked.into_iter().filter(|interface| !known.contains(interface));
        let interfaces: Vec<InterfaceName> = unknown.cloned().collect();
        if interfaces.is_empty() {
            return Ok(());
        }
        Err(SettingsError::Unsupported { interfaces })
    }

    fn in_dirs(base_dir: PathBuf, run_dir: PathBuf) -> Self {
        Self {
            base_dir,
            run_dir,
            launcher: None,
            providers: BTreeMap::new(),
            central: CentralSettings::default(),
            fingerprints: Vec::new(),
            rules: Rules::default(),
            timeouts: Timeouts::default(),
            restart: RestartPolicy::default(),
            calls: CallBounds::default(),
            unpack: UnpackLimits::default(),
        }
    }
}
