//! The server that distributes plugins, in GoQuorum's fields.

/// Where distributions, signatures and the public key are fetched from. The
/// fields' types are checked when settings are read; their contents are checked
/// by whoever fetches. An absent or empty text field gets its default.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CentralSettings {
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
            base_url: "https://artifacts.consensys.net/public/quorum-go-plugins/".to_owned(),
            cert_fingerprint: String::new(),
            public_key_uri: "gpg.key".to_owned(),
            insecure_skip_tls_verify: false,
            dist_path_template: template(".zip"),
            sig_path_template: template("-sha256.checksum.asc"),
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
