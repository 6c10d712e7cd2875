//! The plugin's side of the wire: what the host asks for in the environment, a
//! listener with pinned TLS, and the handshake line. The SDK puts services on
//! top.

use std::io;
use std::ops::RangeInclusive;
use std::path::PathBuf;

pub use crate::group::GroupError;
use crate::identity::IdentityError;

mod listening;

pub use crate::accept::{ConnectionGuard, Incoming, PeerIo};
pub use crate::broker::{BrokerService, Messages};
pub use listening::{Listen, Listening};

/// The variables by which a host talks to one plugin. A plugin takes them out of
/// what its own children get.
pub const VARIABLES: [&str; 7] = [
    "PLUGIN_PROTOCOL_VERSIONS",
    "PLUGIN_CLIENT_CERT",
    "PLUGIN_MULTIPLEX_GRPC",
    "PLUGIN_UNIX_SOCKET_DIR",
    "PLUGIN_UNIX_SOCKET_GROUP",
    "PLUGIN_MIN_PORT",
    "PLUGIN_MAX_PORT",
];

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
    /// The sockets could not be given to the host's group.
    #[error("PLUGIN_UNIX_SOCKET_GROUP cannot be used: {0}")]
    Group(#[from] GroupError),
    /// The host's range of ports is none.
    #[error(
        "PLUGIN_MIN_PORT=`{}` and PLUGIN_MAX_PORT=`{}` are no range of ports; the host must send \
         two numbers up to 65535, the first not above the second",
        .first.escape_debug(), .last.escape_debug()
    )]
    Ports {
        /// The first variable.
        first: String,
        /// The second one.
        last: String,
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
    /// The group that sockets are given to, by number or name; `None` keeps
    /// them the user's own.
    pub socket_group: Option<String>,
    /// The ports that a plugin on TCP may listen on.
    pub ports: Ports,
    /// Whether all connections are to share one.
    pub multiplex: bool,
}

/// The ports that a host allows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Ports {
    /// Whichever the system chooses.
    #[default]
    Any,
    /// The first free one of these.
    Between(RangeInclusive<u16>),
    /// What the host says is no range. Listening on TCP fails with it.
    Unusable {
        /// The first variable, as it is.
        first: String,
        /// The second one.
        last: String,
    },
}

impl Ports {
    /// Reads the two variables. As with go-plugin's plugins, an empty one of two
    /// is 0.
    fn read(first: Option<String>, last: Option<String>) -> Self {
        if first.is_none() && last.is_none() {
            return Self::Any;
        }
        let number = |text: &Option<String>| text.as_deref().unwrap_or("0").parse::<u16>().ok();
        match number(&first).zip(number(&last)) {
            Some((first, last)) if first <= last => Self::Between(first..=last),
            _ => {
                Self::Unusable { first: first.unwrap_or_default(), last: last.unwrap_or_default() }
            }
        }
    }
}

impl HostRequest {
    /// Reads the variables through `variable`, which answers `None` for one
    /// that is absent or is no text. Empty ones count as absent.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name| variable(name).filter(|value| !value.is_empty());
        let versions = set("PLUGIN_PROTOCOL_VERSIONS").unwrap_or_default();
        Self {
            protocol_versions: versions.split(',').filter_map(|v| v.parse().ok()).collect(),
            certificate_pem: set("PLUGIN_CLIENT_CERT"),
            socket_directory: set("PLUGIN_UNIX_SOCKET_DIR").map(PathBuf::from),
            socket_group: set("PLUGIN_UNIX_SOCKET_GROUP"),
            ports: Ports::read(set("PLUGIN_MIN_PORT"), set("PLUGIN_MAX_PORT")),
            multiplex: set("PLUGIN_MULTIPLEX_GRPC").is_some_and(|text| is_true(&text)),
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

/// What Go reads as true; everything else asks for nothing.
fn is_true(text: &str) -> bool {
    matches!(text, "1" | "t" | "T" | "TRUE" | "true" | "True")
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
    fn ports_are_two_numbers_in_order_or_none() {
        let ports =
            |first, last| request(&[("PLUGIN_MIN_PORT", first), ("PLUGIN_MAX_PORT", last)]).ports;
        assert_eq!(ports("10000", "25000"), Ports::Between(10_000..=25_000));
        assert_eq!(ports("", "25000"), Ports::Between(0..=25_000));
        assert_eq!(ports("", ""), Ports::Any);
        for (first, last) in [("25000", "10000"), ("1", "99999"), ("x", "2"), ("10000", "")] {
            let unusable = Ports::Unusable { first: first.into(), last: last.into() };
            assert_eq!(ports(first, last), unusable);
        }
    }

    #[test]
    fn only_what_go_reads_as_true_asks_for_multiplexing() {
        let multiplex = |value| request(&[("PLUGIN_MULTIPLEX_GRPC", value)]).multiplex;
        assert!(["1", "t", "T", "TRUE", "true", "True"].into_iter().all(multiplex));
        assert!(!["", "0", "false", "yes", "tRUE", " true"].into_iter().any(multiplex));
        assert!(!request(&[]).multiplex);
    }
}
