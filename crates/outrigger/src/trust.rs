//! Who is trusted, and where what is not here comes from: from settings and
//! flags to a verifier and a central.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use outrigger_central::{Client, Config, ConfigError};
use outrigger_core::HostError;
use outrigger_core::manager::Trust;
use outrigger_core::settings::{CentralSettings, ProcessEnv, Settings, read_config};
use outrigger_discovery::{Central, Online, OnlineKey, Pinned, Verification, Verifier};
use outrigger_types::{ConfigSource, Platform, RawConfig};

/// How distributions are verified.
#[derive(Debug, Clone, Default)]
pub(crate) enum Choice {
    #[default]
    LocalKey,
    DangerSkip,
    Online {
        trust_central_key: bool,
    },
    Custom(Arc<dyn Verifier>),
}

/// The file names of a public key: ours and GoQuorum's, then Smilo's.
const KEYS: [&str; 2] = ["gpg.key", "Central.pgp.pk"];

/// Where the central's own key is kept.
const KEPT_KEY: &str = "central.gpg.key";

/// Makes both. Settings may ask for more than the choice does, and never for
/// less.
pub(crate) fn trust(
    settings: &Settings,
    choice: Choice,
    public_key: Option<PathBuf>,
) -> Result<Trust, HostError> {
    let online = matches!(choice, Choice::Online { .. });
    let central = if online || settings.central.configured {
        Some(Arc::new(client(settings)?) as Arc<dyn Central>)
    } else {
        None
    };
    let base_dir = &settings.base_dir;
    let verifier: Arc<dyn Verifier> = match (choice, &central) {
        (Choice::Custom(verifier), _) => verifier,
        // A flag said so, and a flag may.
        (Choice::DangerSkip, _) => {
            return Ok(Trust { verifier: Arc::new(Verification::DangerSkip), central });
        }
        (Choice::Online { trust_central_key }, Some(central)) => Arc::new(Online {
            central: central.clone(),
            signature_dir: base_dir.clone(),
            key: online_key(settings, public_key, trust_central_key)?,
            platform: Platform::current(),
        }),
        (Choice::LocalKey | Choice::Online { .. }, _) => Arc::new(Verification::LocalKey {
            public_key: public_key.unwrap_or_else(|| local_key(base_dir)),
            signature_dir: base_dir.clone(),
        }),
    };
    let fingerprints = settings.fingerprints.clone();
    let verifier = match fingerprints.is_empty() {
        true => verifier,
        false => Arc::new(Pinned { verifier, fingerprints }),
    };
    Ok(Trust { verifier, central })
}

fn local_key(base_dir: &Path) -> PathBuf {
    let found = KEYS.map(|name| base_dir.join(name)).into_iter().find(|path| path.exists());
    found.unwrap_or_else(|| base_dir.join(KEYS[0]))
}

/// A key that lies here comes first; the central's own needs a pin or a flag.
fn online_key(
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

fn client(settings: &Settings) -> Result<Client, HostError> {
    let wrong = |error: ConfigError| HostError::Central(error.to_string());
    let central = &settings.central;
    let mut config = Config::new(
        &central.base_url,
        &central.public_key_uri,
        &central.dist_path_template,
        &central.sig_path_template,
    )
    .map_err(wrong)?;
    for mirror in &central.mirrors {
        config = config.mirror(mirror).map_err(wrong)?;
    }
    if let Some(header) = header(central)? {
        config = config.header(&header).map_err(wrong)?;
    }
    if !central.cert_fingerprint.is_empty() {
        let pin = central.cert_fingerprint.parse();
        config.pin = Some(pin.map_err(|error| wrong(ConfigError::Pin(error)))?);
    }
    config.skip_tls_verify = central.insecure_skip_tls_verify;
    config.netrc.clone_from(&central.netrc);
    config.client.clone_from(&central.client);
    config.proxy.clone_from(&central.proxy);
    config.limits.largest = settings.unpack.archive_size;
    Client::new(config).map_err(wrong)
}

/// The header, which may stand in a file or a variable.
fn header(central: &CentralSettings) -> Result<Option<String>, HostError> {
    let Some(text) = &central.header else { return Ok(None) };
    let source = ConfigSource::Text(RawConfig::new(text.as_bytes()));
    let read = read_config(&source, &ProcessEnv)
        .map_err(|error| HostError::Central(format!("central.header: {error}")))?;
    Ok(Some(String::from_utf8_lossy(read.expose()).into_owned()))
}
