//! The plugin's side of the wire: what the host asks for in the environment, a
//! listener with pinned TLS, and the handshake line. The SDK puts services on
//! top.

use std::io;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use crate::identity::IdentityError;

mod incoming;
mod listening;
mod peer;

pub use incoming::{ConnectionGuard, Incoming};
pub use listening::Listening;
pub use peer::PluginIo;

/// Why a plugin cannot serve.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The host's certificate is unusable.
    #[error("PLUGIN_CLIENT_CERT holds no PEM certificate; the host must send its own")]
    HostCertificate,
    /// No identity could be made.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The TLS configuration is impossible.
    #[error("no TLS configuration could be made: {0}")]
    Tls(#[from] rustls::Error),
    /// The socket could not be made.
    #[error("no socket could be made in {}: {source}", directory.display())]
    Bind {
        /// The directory.
        directory: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// No port of this machine could be had.
    #[error("no port of 127.0.0.1 could be had between {} and {}: {source}", ports.start(), ports.end())]
    BindTcp {
        /// The ports that were tried.
        ports: RangeInclusive<u16>,
        /// The system's words about the last one.
        source: io::Error,
    },
}

/// What the host says in the environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostRequest {
    /// The application protocol versions that it speaks.
    pub protocol_versions: Vec<u32>,
    /// Its certificates in PEM, if it asks for mutual TLS.
    pub certificate_pem: Option<String>,
    /// Where sockets go; `None` for the temporary directory.
    pub socket_directory: Option<PathBuf>,
    /// The ports that a plugin on TCP may listen on; `None` for any.
    pub ports: Option<RangeInclusive<u16>>,
}

impl HostRequest {
    /// Reads the variables through `variable`, which answers `None` for one
    /// that is absent or is no text. Empty ones count as absent.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name| variable(name).filter(|value| !value.is_empty());
        let port = |name| set(name).and_then(|text| text.parse::<u16>().ok());
        let versions = set("PLUGIN_PROTOCOL_VERSIONS").unwrap_or_default();
        let ports = port("PLUGIN_MIN_PORT").zip(port("PLUGIN_MAX_PORT"));
        Self {
            protocol_versions: versions.split(',').filter_map(|v| v.parse().ok()).collect(),
            certificate_pem: set("PLUGIN_CLIENT_CERT"),
            socket_directory: set("PLUGIN_UNIX_SOCKET_DIR").map(PathBuf::from),
            ports: ports.map(|(first, last)| first..=last).filter(|ports| !ports.is_empty()),
        }
    }

    /// Reads this process's environment.
    #[must_use]
    pub fn from_environment() -> Self {
        Self::read(|name| std::env::var(name).ok())
    }

    /// The highest version that both sides speak; without one, the plugin's
    /// lowest, which the host will refuse with a message that names both.
    #[must_use]
    pub fn choose_version(&self, plugin: &[u32]) -> u32 {
        let common = plugin.iter().filter(|version| self.protocol_versions.contains(version));
        common.max().or(plugin.iter().min()).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(variables: &[(&str, &str)]) -> HostRequest {
        let variable = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        HostRequest::read(variable)
    }

    #[test]
    fn the_highest_common_version_is_chosen() {
        let host = request(&[("PLUGIN_PROTOCOL_VERSIONS", "3,1,2,x, 9")]);
        assert_eq!(host.choose_version(&[1, 2, 5]), 2);
        assert_eq!(host.choose_version(&[4, 9]), 4);
        assert_eq!(request(&[]).choose_version(&[5, 3]), 3);
    }

    #[test]
    fn empty_variables_count_as_absent() {
        assert_eq!(request(&[("PLUGIN_CLIENT_CERT", "")]), HostRequest::default());
    }

    #[test]
    fn ports_count_when_both_are_numbers_in_order() {
        let ports =
            |first, last| request(&[("PLUGIN_MIN_PORT", first), ("PLUGIN_MAX_PORT", last)]).ports;
        assert_eq!(ports("10000", "25000"), Some(10_000..=25_000));
        assert_eq!(ports("25000", "10000"), None);
        assert_eq!(ports("1", "99999"), None);
    }
}
