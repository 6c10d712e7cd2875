//! The server that distributes plugins, in GoQuorum's fields and a few more.

use std::fmt;
use std::path::PathBuf;

/// Where distributions, signatures and the public key are fetched from. The
/// fields' types are checked when settings are read; their contents are checked
/// by whoever fetches. An absent or empty text field gets its default.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CentralSettings {
    /// Whether the settings have the table at all, even an empty one.
    pub configured: bool,
    /// Key `baseURL`.
    pub base_url: String,
    /// SHA-256 of the server's certificate; empty pins none. Key
    /// `certFingerprint`.
    pub cert_fingerprint: String,
    /// Where the public key lies, relative to the base or absolute. Key
    /// `publicKeyURI`.
    pub public_key_uri: String,
    /// Whether the server's certificate goes unchecked. Key
    /// `insecureSkipTLSVerify`; default false.
    pub insecure_skip_tls_verify: bool,
    /// Path of a distribution, a template in Go's syntax. Key
    /// `pluginDistPathTemplate`.
    pub dist_path_template: String,
    /// Path of a signature, a template in Go's syntax. Key
    /// `pluginSigPathTemplate`.
    pub sig_path_template: String,
    /// Base URLs that are tried in their order after `baseURL`; `file:` URLs are
    /// directories. Key `mirrors`.
    pub mirrors: Vec<String>,
    /// A header for `baseURL`'s host, as in `Authorization: Bearer x`; or a
    /// `file:` or `env:` URL of a text like that. Key `header`.
    pub header: Option<String>,
    /// A netrc file with users and passwords. Absolute. Key `netrc`.
    pub netrc: Option<PathBuf>,
    /// The client's certificate and key, in PEM. Absolute. Keys
    /// `clientCertificate` and `clientKey`.
    pub client: Option<(PathBuf, PathBuf)>,
    /// A proxy's URL; by default the environment's. Key `proxy`.
    pub proxy: Option<String>,
}

impl fmt::Debug for CentralSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Header and proxy may hold secrets.
        f.debug_struct("CentralSettings").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}

impl Default for CentralSettings {
    fn default() -> Self {
        let template = |suffix| {
            format!(
                "maven/bin/{{{{.Name}}}}/{{{{.Version}}}}/\
                 {{{{.Name}}}}-{{{{.Version}}}}-{{{{.OS}}}}-{{{{.Arch}}}}{suffix}"
            )
        };
        Self {
            configured: false,
            base_url: "https://artifacts.consensys.net/public/quorum-go-plugins/".to_owned(),
            cert_fingerprint: String::new(),
            public_key_uri: "gpg.key".to_owned(),
            insecure_skip_tls_verify: false,
            dist_path_template: template(".zip"),
            sig_path_template: template("-sha256.checksum.asc"),
            mirrors: Vec::new(),
            header: None,
            netrc: None,
            client: None,
            proxy: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_templates_are_goquorums() {
        let central = CentralSettings::default();
        assert_eq!(
            central.dist_path_template,
            "maven/bin/{{.Name}}/{{.Version}}/{{.Name}}-{{.Version}}-{{.OS}}-{{.Arch}}.zip"
        );
        assert_eq!(
            central.sig_path_template,
            "maven/bin/{{.Name}}/{{.Version}}/{{.Name}}-{{.Version}}-{{.OS}}-{{.Arch}}\
             -sha256.checksum.asc"
        );
    }
}
