//! Where somebody listens, as a line or an announcement says it.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use super::{HandshakeError, shorten};

/// Where a plugin listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A Unix socket's path.
    Unix(PathBuf),
    /// `host:port`; the host is a loopback name or address.
    Tcp {
        /// A loopback address or `localhost`.
        host: String,
        /// The port, never 0.
        port: u16,
    },
}

impl Address {
    /// Reads an address of the handshake line, or of a broker's announcement:
    /// `unix` and an absolute path, or `tcp` and `host:port` with a loopback
    /// host.
    ///
    /// # Errors
    ///
    /// [`HandshakeError::Network`] and [`HandshakeError::Address`].
    pub fn parse(network: &str, text: &str) -> Result<Self, HandshakeError> {
        parse(network, text, false)
    }

    /// As [`parse`](Self::parse), for an address that is yet to be translated:
    /// a TCP address of any host.
    pub(crate) fn parse_foreign(network: &str, text: &str) -> Result<Self, HandshakeError> {
        parse(network, text, true)
    }

    /// Its network as the line names it: `unix` or `tcp`.
    #[must_use]
    pub const fn network(&self) -> &'static str {
        match self {
            Self::Unix(_) => "unix",
            Self::Tcp { .. } => "tcp",
        }
    }

    /// Its text as the line carries it.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Unix(path) => path.display().to_string(),
            Self::Tcp { host, port } if host.contains(':') => format!("[{host}]:{port}"),
            Self::Tcp { host, port } => format!("{host}:{port}"),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.network(), self.text())
    }
}

fn parse(network: &str, address: &str, foreign: bool) -> Result<Address, HandshakeError> {
    let refuse = |reason| HandshakeError::Address { address: shorten(address), reason };
    match network {
        "unix" if address.starts_with('@') => {
            Err(refuse("abstract sockets have no owner; use a path"))
        }
        "unix" if !address.starts_with('/') => Err(refuse("a Unix socket needs an absolute path")),
        "unix" if address.contains('\0') => Err(refuse("a path holds no NUL")),
        "unix" if address.len() > 107 => Err(refuse("a Unix socket's path has at most 107 bytes")),
        "unix" => Ok(Address::Unix(PathBuf::from(address))),
        "tcp" => {
            let (host, port) =
                address.rsplit_once(':').ok_or_else(|| refuse("`host:port` is expected"))?;
            let port: u16 = port.parse().map_err(|_| refuse("the port is no number"))?;
            if port == 0 {
                return Err(refuse("port 0 cannot be dialled"));
            }
            let host = host_part(host, foreign)
                .ok_or_else(|| refuse("only loopback addresses are dialled"))?;
            Ok(Address::Tcp { host, port })
        }
        other => Err(HandshakeError::Network { network: shorten(other) }),
    }
}

/// The host part of a TCP address, if it is this machine or may be another. An
/// empty host means the local one in Go.
fn host_part(host: &str, foreign: bool) -> Option<String> {
    let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
    match bare {
        "" => Some(Ipv4Addr::LOCALHOST.to_string()),
        "localhost" => Some(bare.to_owned()),
        _ => {
            let ip: IpAddr = bare.parse().ok()?;
            (foreign || ip.is_loopback()).then(|| ip.to_string())
        }
    }
}
