//! Verification by what a central has.

use std::path::PathBuf;
use std::sync::Arc;

use outrigger_core::HostError;
use outrigger_core::settings::Settings;
use outrigger_discovery::{Central, Online, OnlineKey};
use outrigger_types::Platform;

use super::local_key;

/// Where the central's own key is kept.
const KEPT_KEY: &str = "central.gpg.key";

pub(super) fn verifier(settings: &Settings, central: Arc<dyn Central>, key: OnlineKey) -> Online {
    let signature_dir = settings.base_dir.clone();
    Online { central, signature_dir, key, platform: Platform::current() }
}

/// A key that lies here comes first; the central's own needs a pin or a flag.
pub(super) fn key(
    settings: &Settings,
    public_key: Option<PathBuf>,
    trust_central_key: bool,
) -> Result<OnlineKey, HostError> {
    let kept = settings.base_dir.join(KEPT_KEY);
    if trust_central_key {
        return Ok(OnlineKey::Central { kept });
    }
    let local = public_key.unwrap_or_else(|| local_key(&settings.base_dir));
    if local.exists() {
        return Ok(OnlineKey::Local(local));
    }
    if !settings.fingerprints.is_empty() {
        return Ok(OnlineKey::Central { kept });
    }
    Err(HostError::NoTrustedKey { looked_for: local })
}
