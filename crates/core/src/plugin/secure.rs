//! How an instance's connections are secured: as its settings say, or as its
//! interface does.

use std::path::{Path, PathBuf};

use outrigger_transport::{GivenTls, GivenTlsError, Security};

use super::Blueprint;
use crate::error::PluginErrorKind;
use crate::settings::{FileError, ProviderSettings, TlsSettings, read_small};

/// What kind of file is meant, in errors.
const FILE: &str = "TLS file";

/// Why TLS cannot be made of the files that the settings name. No message holds
/// any of their content.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsFilesError {
    /// A file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// A file is no text.
    #[error("TLS file {} is not PEM; name a file that begins with `-----BEGIN`", .path.display())]
    NotText {
        /// The file.
        path: PathBuf,
    },
    /// The files hold something else than they should.
    #[error(transparent)]
    Given(#[from] GivenTlsError),
}

/// What a generation's connections are secured with. Reads files, and so blocks,
/// where the settings name some.
pub(super) fn security(
    blueprint: &Blueprint,
    provider: &ProviderSettings,
) -> Result<Security, PluginErrorKind> {
    Ok(match &provider.tls {
        // Whoever started it in a debugger gave it no host's certificate.
        None if runs_in_test_mode(blueprint) => match &blueprint.spec.security {
            Security::AutoMtls => Security::Plaintext,
            other => other.clone(),
        },
        None => blueprint.spec.security.clone(),
        Some(TlsSettings::Auto) => Security::AutoMtls,
        Some(TlsSettings::None) => Security::Plaintext,
        Some(TlsSettings::Given { certificate, key, roots, server_name }) => {
            let given = given(certificate, key, roots, server_name.as_deref())?;
            Security::Given(given)
        }
    })
}

fn runs_in_test_mode(blueprint: &Blueprint) -> bool {
    blueprint.attached().is_some_and(|reattach| reattach.test)
}

fn given(
    certificate: &Path,
    key: &Path,
    roots: &Path,
    server_name: Option<&str>,
) -> Result<GivenTls, TlsFilesError> {
    let read = |path: &Path| {
        let bytes = read_small(FILE, path)?;
        String::from_utf8(bytes).map_err(|_| TlsFilesError::NotText { path: path.to_owned() })
    };
    let given = GivenTls::from_pem(&read(certificate)?, &read(key)?, &read(roots)?)?;
    Ok(match server_name {
        Some(name) => given.server_name(name)?,
        None => given,
    })
}
