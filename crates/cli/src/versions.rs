//! Versions as an operator handles them: what is there, what an upgrade would
//! change, going there and coming back.
//!
//! A command here changes two things at most: the base directory, by a
//! distribution that was verified first, and the version in the settings file.
//! A host takes up the settings when it gets SIGHUP.

pub(crate) mod history;
pub(crate) mod install;
pub(crate) mod list;
mod plan;
pub(crate) mod rollback;
mod settings_file;
mod target;
pub(crate) mod upgrade;
mod zips;

use outrigger::distribution::{DiscoveryError, Resolved, VerifiedBy};
use outrigger::{PluginDefinition, Registered};

use crate::failure::Failure;

/// Fetches where that is configured, verifies, and proves that it unpacks. What
/// was unpacked is removed again.
fn stage(registered: &Registered, definition: &PluginDefinition) -> Result<Resolved, Failure> {
    let work = tempfile::tempdir()
        .map_err(|error| Failure::failed("no temporary directory could be made", &error))?;
    let started = tokio::time::Instant::now();
    let resolver = registered.resolver(work.path());
    let staged: Result<Resolved, DiscoveryError> =
        resolver.resolve(definition, None, &|| started.elapsed());
    Ok(staged?)
}

/// Who vouches for a distribution, in a few words.
fn signer(verified_by: &VerifiedBy) -> String {
    match verified_by {
        VerifiedBy::Key(signer) => signer.fingerprint.clone(),
        VerifiedBy::Nobody => "nobody".to_owned(),
        _ => "somebody".to_owned(),
    }
}
