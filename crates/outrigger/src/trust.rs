//! Who is trusted, and where what is not here comes from: from settings and
//! flags to a verifier and a central.

#[cfg(feature = "central")]
mod central;
#[cfg(all(feature = "central", feature = "openpgp"))]
mod online;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use outrigger_core::manager::{Sourced, Trust};
use outrigger_core::settings::Settings;
use outrigger_core::{HostError, PluginSource};
use outrigger_discovery::{Central, Pinned, Verification, Verifier};

/// How distributions are verified.
#[derive(Debug, Clone, Default)]
pub(crate) enum Choice {
    #[default]
    LocalKey,
    DangerSkip,
    #[cfg(all(feature = "central", feature = "openpgp"))]
    Online {
        trust_central_key: bool,
    },
    Custom(Arc<dyn Verifier>),
}

/// The file names of a public key: ours and GoQuorum's, then Smilo's.
const KEYS: [&str; 2] = ["gpg.key", "Central.pgp.pk"];

/// Who is told of downloads.
#[derive(Debug, Clone, Default)]
pub(crate) struct Downloads {
    #[cfg(feature = "central")]
    pub(crate) told: Option<outrigger_central::OnDownload>,
}

/// Makes both. Settings may ask for more than the choice does, and never for
/// less.
pub(crate) fn trust(
    settings: &Settings,
    choice: Choice,
    public_key: Option<PathBuf>,
    downloads: &Downloads,
) -> Result<Trust, HostError> {
    let base_dir = &settings.base_dir;
    let (verifier, central): (Arc<dyn Verifier>, _) = match choice {
        // A flag said so, and a flag may.
        Choice::DangerSkip => {
            let central = configured(settings, downloads)?;
            return Ok(Trust { verifier: Arc::new(Verification::DangerSkip), central });
        }
        Choice::Custom(verifier) => (verifier, configured(settings, downloads)?),
        Choice::LocalKey => {
            let verification = Verification::LocalKey {
                public_key: public_key.unwrap_or_else(|| local_key(base_dir)),
                signature_dir: base_dir.clone(),
            };
            (Arc::new(verification), configured(settings, downloads)?)
        }
        #[cfg(all(feature = "central", feature = "openpgp"))]
        Choice::Online { trust_central_key } => {
            let central = central::client(settings, downloads)?;
            let key = online::key(settings, public_key, trust_central_key)?;
            (Arc::new(online::verifier(settings, central.clone(), key)), Some(central))
        }
    };
    let fingerprints = settings.fingerprints.clone();
    let verifier = match fingerprints.is_empty() {
        true => verifier,
        false => Arc::new(Pinned { verifier, fingerprints }),
    };
    Ok(Trust { verifier, central })
}

/// Whether this node was built with what judges the distributions that it is to
/// run. Without it the verifier lets none pass; here the node hears of it before
/// it starts.
pub(crate) fn check_judge(
    settings: &Settings,
    choice: &Choice,
    sources: &Sourced,
) -> Result<(), HostError> {
    let attached = |instance| matches!(sources.get(instance), Some(PluginSource::Attached(_)));
    let judged = settings.providers.keys().any(|instance| !attached(instance));
    if cfg!(not(feature = "openpgp")) && judged && matches!(choice, Choice::LocalKey) {
        return Err(HostError::Lacking {
            what: "verification",
            feature: "openpgp",
            instead: "build it with the feature, or give the builder a verifier of the node's own",
        });
    }
    Ok(())
}

#[cfg(feature = "central")]
fn configured(
    settings: &Settings,
    downloads: &Downloads,
) -> Result<Option<Arc<dyn Central>>, HostError> {
    settings.central.configured.then(|| central::client(settings, downloads)).transpose()
}

#[cfg(not(feature = "central"))]
fn configured(settings: &Settings, _: &Downloads) -> Result<Option<Arc<dyn Central>>, HostError> {
    if settings.central.configured {
        return Err(HostError::Lacking {
            what: "the plugin central that the settings name",
            feature: "central",
            instead: "build it with the feature, or take `central` out of the settings",
        });
    }
    Ok(None)
}

fn local_key(base_dir: &Path) -> PathBuf {
    let found = KEYS.map(|name| base_dir.join(name)).into_iter().find(|path| path.exists());
    found.unwrap_or_else(|| base_dir.join(KEYS[0]))
}
