//! The whole way from a definition to files that can be started.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use outrigger_types::{InstanceName, Platform, PluginDefinition, Sha256Digest};

use crate::archive::Distribution;
use crate::central::{Central, DownloadError, may_be_zip};
use crate::entry_point::EntryKind;
use crate::error::{DiscoveryError, IdentityError};
use crate::last_run;
use crate::limits::Limits;
use crate::locate::{LocateError, Located, file_name, locate};
use crate::metadata::Metadata;
use crate::permissions;
use crate::rules::{Doubt, Rules};
use crate::verify::{VerifiedBy, Verifier};
use crate::warning::Warning;
use crate::workspace::Workspace;

/// Turns definitions into unpacked distributions.
#[derive(Debug, Clone)]
pub struct Resolver {
    /// Where distributions lie; absolute.
    pub base_dir: PathBuf,
    /// Where workspaces are made, on a file system that lets programs run.
    pub run_dir: PathBuf,
    /// Who judges distributions, such as a [`crate::Verification`].
    pub verifier: Arc<dyn Verifier>,
    /// How much an archive may ask for.
    pub limits: Limits,
    /// The platform that plugins must be made for.
    pub platform: Platform,
    /// Where distributions come from that are not in the base directory.
    pub central: Option<Arc<dyn Central>>,
    /// What is refused although it is well signed.
    pub rules: Rules,
}

/// A verified, unpacked distribution.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Resolved {
    /// The zip that it came from.
    pub distribution: PathBuf,
    /// The zip's SHA-256.
    pub digest: Sha256Digest,
    /// Who signed it.
    pub verified_by: VerifiedBy,
    /// What it says about itself.
    pub metadata: Metadata,
    /// What an operator should know; each was logged as well.
    pub warnings: Vec<Warning>,
    /// Where it was unpacked. Generations of one distribution share it; it is
    /// removed with the last of them.
    pub workspace: Arc<Workspace>,
    /// What to start.
    pub entry_point: EntryPoint,
    /// What took how long.
    pub timings: Timings,
}

/// The file to start.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EntryPoint {
    /// Where it lies, within the workspace.
    pub path: PathBuf,
    /// What it is.
    pub kind: EntryKind,
    /// Whether it is a native program that came with nothing but its metadata,
    /// so that it can run from memory.
    pub single_file: bool,
    /// SHA-256 of its bytes, taken while they were unpacked.
    pub digest: Sha256Digest,
}

/// Durations of the parts of a resolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Timings {
    /// Finding the file.
    pub locate: Duration,
    /// Copying, hashing and verifying it.
    pub verify: Duration,
    /// Checking its structure and unpacking it.
    pub unpack: Duration,
}

impl Resolver {
    /// Finds, verifies and unpacks the distribution of `definition`. `clock`
    /// tells the time since any fixed moment, for [`Timings`]. A distribution
    /// that is, byte for byte, the one of `known` is verified again, but not
    /// unpacked again.
    ///
    /// This blocks on the disk and computes for some milliseconds a megabyte, so
    /// it does not belong on a thread that must answer.
    ///
    /// # Errors
    ///
    /// [`DiscoveryError`] says which stage failed. Nothing is left beneath
    /// `run_dir` then.
    pub fn resolve(
        &self,
        definition: &PluginDefinition,
        known: Option<&Resolved>,
        clock: &dyn Fn() -> Duration,
    ) -> Result<Resolved, DiscoveryError> {
        let start = clock();
        let located = self.locate_or_fetch(definition)?;
        let found = clock();
        let distribution = Distribution::open(&located.path, &self.limits)?;
        let digest = distribution.digest();
        let verified_by = self.verifier.verify_definition(definition, &located.path, &digest)?;
        let verified = clock();
        let same = |known: &&Resolved| known.digest == digest && known.entry_point.path.exists();
        if let Some(known) = known.filter(same) {
            // The same bytes may have been put under another name.
            let doubts = known.metadata.compare(definition, &self.platform);
            self.check_identity(&located.path, &doubts)?;
            let (locate, verify) = (found.saturating_sub(start), verified.saturating_sub(found));
            let timings = Timings { locate, verify, ..Timings::default() };
            let distribution = located.path;
            return Ok(Resolved { distribution, verified_by, timings, ..known.clone() });
        }
        let mut contents = distribution.contents(&self.limits, &self.platform)?;
        let mut warnings = contents.metadata().compare(definition, &self.platform);
        self.check_identity(&located.path, &warnings)?;
        let label = format!("{}-{}", definition.name, definition.version);
        let workspace = Workspace::create(&self.run_dir, &label)?;
        let entry_digest = contents.unpack(&workspace.tree())?;
        let unpacked = clock();

        let metadata = contents.metadata().clone();
        if verified_by == VerifiedBy::Nobody {
            warnings.push(Warning::NotVerified);
        }
        if located.older_name {
            warnings.push(Warning::OlderName { path: located.path.clone() });
        }
        for path in self.verifier.trusted_files().iter().chain([&located.path]) {
            for warning in permissions::check(path) {
                if !warnings.contains(&warning) {
                    warnings.push(warning);
                }
            }
        }
        for warning in &warnings {
            tracing::warn!(plugin = %definition.name, version = %definition.version, "{warning}");
        }
        Ok(Resolved {
            distribution: located.path,
            digest,
            verified_by,
            entry_point: EntryPoint {
                path: workspace.tree().join(&metadata.entry_point),
                kind: contents.entry_kind(),
                single_file: contents.single_file(),
                digest: entry_digest,
            },
            metadata,
            warnings,
            workspace: Arc::new(workspace),
            timings: Timings {
                locate: found.saturating_sub(start),
                verify: verified.saturating_sub(found),
                unpack: unpacked.saturating_sub(verified),
            },
        })
    }
}

impl Resolver {
    /// Compares the version with the one that ran last as this instance; see
    /// [`crate::remember_run`].
    ///
    /// # Errors
    ///
    /// [`DiscoveryError::Downgrade`] where the rules say so.
    pub fn check_version(
        &self,
        instance: &InstanceName,
        definition: &PluginDefinition,
    ) -> Result<Option<Warning>, DiscoveryError> {
        Ok(last_run::check(&self.base_dir, instance, definition, self.rules.downgrade)?)
    }

    fn check_identity(&self, distribution: &Path, found: &[Warning]) -> Result<(), IdentityError> {
        let other =
            |warning: &&Warning| matches!(warning, Warning::Name { .. } | Warning::Version { .. });
        match found.iter().find(other) {
            Some(warning) if self.rules.identity == Doubt::Refuse => {
                let distribution = distribution.to_owned();
                Err(IdentityError { distribution, warning: warning.clone() })
            }
            _ => Ok(()),
        }
    }

    /// A local zip wins. One that cannot be a zip counts as absent where there is
    /// a central to ask.
    fn locate_or_fetch(&self, definition: &PluginDefinition) -> Result<Located, DiscoveryError> {
        let located = locate(&self.base_dir, definition, &self.platform);
        let Some(central) = &self.central else { return Ok(located?) };
        match located {
            Ok(located) if may_be_zip(&located.path) => return Ok(located),
            Ok(located) => {
                tracing::warn!("{} is no zip, and is fetched again", located.path.display());
            }
            Err(LocateError::NotFound { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        let PluginDefinition { name, version, .. } = definition;
        let path = self.base_dir.join(file_name(name, version, &self.platform));
        let failed = |source| DownloadError { source, base_dir: self.base_dir.clone() };
        central.distribution(definition, &self.platform, &path).map_err(failed)?;
        tracing::info!(plugin = %name, %version, "fetched {}", path.display());
        Ok(Located { path, older_name: false })
    }
}

impl fmt::Display for Timings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { locate, verify, unpack } = self;
        write!(f, "located in {locate:?}, verified in {verify:?}, unpacked in {unpack:?}")
    }
}
