//! The handshake line: a pure parser of what a plugin prints once its socket
//! listens.
//!
//! `core|app|network|address[|protocol[|certificate[|multiplex[|…]]]]`, as
//! go-plugin's hosts and plugins have written it since 2017. Rules that are not
//! obvious: a missing protocol means `netrpc`; a certificate field of at most
//! 50 characters is none (plugins of 2017 put something else there); padding of
//! the base64 is optional (Java plugins pad); fields past the seventh are
//! ignored.

use std::fmt;
use std::path::PathBuf;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

mod scan;

pub(crate) use scan::{LineScanner, Scanned};

/// The only version of the handshake itself that exists.
const CORE_VERSION: u32 = 1;

/// A certificate field of this many characters or fewer is not a certificate.
const SHORTEST_CERTIFICATE: usize = 50;

/// Certificates longer than this are refused; RSA-4096 needs about 1.5 KiB.
const LONGEST_CERTIFICATE: usize = 8 * 1024;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

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

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Tcp { host, port } => write!(f, "tcp:{host}:{port}"),
        }
    }
}

/// A handshake line that was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandshakeLine {
    /// The application protocol version that the plugin chose.
    pub app_version: u32,
    /// Where the plugin listens.
    pub address: Address,
    /// The plugin's certificate in DER, if it sent one.
    pub certificate: Option<Vec<u8>>,
    /// Whether the plugin multiplexes; `None` if it does not say.
    pub multiplex: Option<bool>,
}

/// Why a handshake line cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HandshakeError {
    /// The line has fewer than four fields or no numbers in front.
    #[error(
        "it printed `{line}` where a handshake line was expected; it is no go-plugin plugin, or something prints to its standard output first"
    )]
    NotAHandshake {
        /// The line, escaped and cut.
        line: String,
    },
    /// The handshake is of another generation of go-plugin.
    #[error(
        "it speaks core protocol version {theirs}, this host speaks {CORE_VERSION}; rebuild the plugin with a current go-plugin"
    )]
    CoreVersion {
        /// What the plugin printed.
        theirs: String,
    },
    /// The application protocol version is no number.
    #[error(
        "its application protocol version is `{theirs}`, which is no number; rebuild the plugin"
    )]
    AppVersionSyntax {
        /// What the plugin printed.
        theirs: String,
    },
    /// The host does not speak the plugin's application protocol version.
    #[error("it chose application protocol version {theirs}, this host speaks {}; install a version of the plugin made for this host", list(.ours))]
    AppVersion {
        /// What the plugin chose.
        theirs: i64,
        /// What the host offered.
        ours: Vec<u32>,
    },
    /// The network is neither `unix` nor `tcp`.
    #[error("it listens on network `{network}`; only `unix` and `tcp` are known")]
    Network {
        /// What the plugin printed.
        network: String,
    },
    /// The address is malformed or not local.
    #[error("its address `{address}` is refused: {reason}")]
    Address {
        /// What the plugin printed.
        address: String,
        /// Why.
        reason: &'static str,
    },
    /// The plugin speaks go-plugin's old protocol on Go's net/rpc.
    #[error(
        "it speaks net/rpc, which only Go programs can; rebuild the plugin with gRPC (go-plugin's `GRPCServer`)"
    )]
    NetRpc,
    /// The protocol is not gRPC.
    #[error("it speaks protocol `{protocol}`; this host speaks `grpc`")]
    Protocol {
        /// What the plugin printed.
        protocol: String,
    },
    /// The certificate field is malformed.
    #[error(
        "its certificate is malformed: {reason}; it must be unpadded standard base64 of one DER certificate"
    )]
    Certificate {
        /// Why.
        reason: &'static str,
    },
    /// The multiplex field is no boolean.
    #[error("its multiplexing field `{field}` is no boolean")]
    Multiplex {
        /// What the plugin printed.
        field: String,
    },
}

fn list(versions: &[u32]) -> String {
    versions.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")
}

/// Tells a handshake line, good or bad, from anything else that a program may
/// print first: four fields or more, the first two of them small numbers.
pub(crate) fn looks_like_handshake(line: &str) -> bool {
    let mut fields = line.trim().split('|');
    let number = |field: Option<&str>| {
        field.is_some_and(|f| (1..=10).contains(&f.len()) && f.parse::<i64>().is_ok())
    };
    number(fields.next()) && number(fields.next()) && fields.nth(1).is_some()
}

impl HandshakeLine {
    /// Parses a line and holds it against the versions that the host offers.
    ///
    /// # Errors
    ///
    /// [`HandshakeError`] says what is wrong and what to do about the plugin.
    pub fn parse(line: &str, offered: &[u32]) -> Result<Self, HandshakeError> {
        let fields: Vec<&str> = line.trim().split('|').collect();
        let [core, app, network, address, rest @ ..] = fields.as_slice() else {
            return Err(HandshakeError::NotAHandshake { line: shorten(line) });
        };
        match core.parse::<i64>() {
            Ok(version) if version == i64::from(CORE_VERSION) => {}
            Ok(version) => return Err(HandshakeError::CoreVersion { theirs: version.to_string() }),
            Err(_) => return Err(HandshakeError::NotAHandshake { line: shorten(line) }),
        }
        let app_version = app_version(app, offered)?;
        match rest.first().copied() {
            None | Some("netrpc") => return Err(HandshakeError::NetRpc),
            Some("grpc") => {}
            Some(other) => return Err(HandshakeError::Protocol { protocol: shorten(other) }),
        }
        Ok(Self {
            app_version,
            address: parse_address(network, address)?,
            certificate: rest.get(1).map_or(Ok(None), |field| certificate(field))?,
            multiplex: rest.get(2).map(|field| go_bool(field)).transpose()?,
        })
    }
}

fn app_version(text: &str, offered: &[u32]) -> Result<u32, HandshakeError> {
    let theirs: i64 =
        text.parse().map_err(|_| HandshakeError::AppVersionSyntax { theirs: shorten(text) })?;
    u32::try_from(theirs)
        .ok()
        .filter(|version| offered.contains(version))
        .ok_or_else(|| HandshakeError::AppVersion { theirs, ours: offered.to_vec() })
}

fn parse_address(network: &str, address: &str) -> Result<Address, HandshakeError> {
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
            let host =
                loopback(host).ok_or_else(|| refuse("only loopback addresses are dialled"))?;
            Ok(Address::Tcp { host, port })
        }
        other => Err(HandshakeError::Network { network: shorten(other) }),
    }
}

/// The host part of a TCP address, if it is this machine. An empty host means
/// the local one in Go.
fn loopback(host: &str) -> Option<String> {
    let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
    match bare {
        "" => Some("127.0.0.1".to_owned()),
        "localhost" => Some(bare.to_owned()),
        _ => {
            let ip: std::net::IpAddr = bare.parse().ok()?;
            ip.is_loopback().then(|| bare.to_owned())
        }
    }
}

fn certificate(field: &str) -> Result<Option<Vec<u8>>, HandshakeError> {
    if field.len() <= SHORTEST_CERTIFICATE {
        return Ok(None);
    }
    if field.len() > LONGEST_CERTIFICATE {
        return Err(HandshakeError::Certificate { reason: "it is longer than 8 KiB" });
    }
    let text: String = field.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
    BASE64
        .decode(text)
        .map(Some)
        .map_err(|_| HandshakeError::Certificate { reason: "it is no standard base64" })
}

/// A boolean in the forms that Go's `strconv.ParseBool` reads.
fn go_bool(field: &str) -> Result<bool, HandshakeError> {
    match field {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(false),
        other => Err(HandshakeError::Multiplex { field: shorten(other) }),
    }
}

/// Text of a plugin, made fit for a log line: escaped, at most 200 characters.
pub(crate) fn shorten(text: &str) -> String {
    let escaped = text.trim_end().escape_debug();
    let mut short: String = escaped.clone().take(200).collect();
    if escaped.count() > 200 {
        short.push('…');
    }
    short
}

/// Writes the line that a plugin prints.
///
/// The seventh field is left out: hosts before go-plugin 1.6 glue it to the
/// certificate.
#[cfg(any(feature = "plugin", test))]
pub(crate) fn format_line(
    app_version: u32,
    address: &Address,
    certificate: Option<&[u8]>,
) -> String {
    let (network, address) = match address {
        Address::Unix(path) => ("unix", path.display().to_string()),
        Address::Tcp { host, port } => ("tcp", format!("{host}:{port}")),
    };
    let certificate = certificate
        .map(|der| base64::engine::general_purpose::STANDARD_NO_PAD.encode(der))
        .unwrap_or_default();
    format!("{CORE_VERSION}|{app_version}|{network}|{address}|grpc|{certificate}")
}

#[cfg(test)]
mod tests;
