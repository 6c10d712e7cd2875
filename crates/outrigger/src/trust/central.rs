//! The client of the central that settings name.

use std::sync::Arc;

use outrigger_central::{Client, Config, ConfigError};
use outrigger_core::HostError;
use outrigger_core::settings::{CentralSettings, ProcessEnv, Settings, read_config};
use outrigger_discovery::Central;
use outrigger_types::{ConfigSource, RawConfig};

use super::Downloads;

pub(super) fn client(
    settings: &Settings,
    downloads: &Downloads,
) -> Result<Arc<dyn Central>, HostError> {
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
    config.on_download.clone_from(&downloads.told);
    config.limits.largest = settings.unpack.archive_size;
    Ok(Arc::new(Client::new(config).map_err(wrong)?))
}

/// The header, which may stand in a file or a variable.
fn header(central: &CentralSettings) -> Result<Option<String>, HostError> {
    let Some(text) = &central.header else { return Ok(None) };
    let source = ConfigSource::Text(RawConfig::new(text.as_bytes()));
    let read = read_config(&source, &ProcessEnv)
        .map_err(|error| HostError::Central(format!("central.header: {error}")))?;
    Ok(Some(String::from_utf8_lossy(read.expose()).into_owned()))
}
