//! The handshake line: a pure parser of what a plugin prints once its socket
//! listens.
//!
//! `core|app|network|address[|protocol[|certificate[|multiplex[|…]]]]`, as
//! go-plugin's hosts and plugins have written it since 2017. Rules that are not
//! obvious: a missing protocol means `netrpc`; a certificate field of at most
//! 50 characters is none (plugins of 2017 put something else there); padding of
//! the base64 is optional (Java plugins pad); fields past the seventh are
//! ignored.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use rustls::pki_types::CertificateDer;
use rustls::server::ParsedCertificate;

mod address;
mod error;
mod scan;

pub use address::Address;
pub use error::HandshakeError;
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

/// What a host asked for, which decides what a line must say.
#[derive(Debug, Clone, Copy)]
pub struct Offer<'a> {
    /// The application protocol versions that it offered.
    pub versions: &'a [u32],
    /// Whether it asked for a multiplexed broker. If not, the seventh field is
    /// not looked at.
    pub multiplex: bool,
    /// Whether a runner translates the address, which may then be any.
    pub translated: bool,
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
    /// Parses a line and holds it against what the host offered.
    ///
    /// # Errors
    ///
    /// [`HandshakeError`] says what is wrong and what to do about the plugin.
    pub fn parse(line: &str, offer: Offer<'_>) -> Result<Self, HandshakeError> {
        let fields: Vec<&str> = line.trim().split('|').collect();
        let [core, app, network, address, rest @ ..] = fields.as_slice() else {
            return Err(HandshakeError::NotAHandshake { line: shorten(line) });
        };
        match core.parse::<i64>() {
            Ok(version) if version == i64::from(CORE_VERSION) => {}
            Ok(version) => return Err(HandshakeError::CoreVersion { theirs: version.to_string() }),
            Err(_) => return Err(HandshakeError::NotAHandshake { line: shorten(line) }),
        }
        let app_version = app_version(app, offer.versions)?;
        match rest.first().copied() {
            None | Some("netrpc") => return Err(HandshakeError::NetRpc),
            Some("grpc") => {}
            Some(other) => return Err(HandshakeError::Protocol { protocol: shorten(other) }),
        }
        let address = if offer.translated {
            Address::parse_foreign(network, address)?
        } else {
            Address::parse(network, address)?
        };
        let certificate = rest.get(1).map_or(Ok(None), |field| certificate(field))?;
        if offer.multiplex {
            multiplexed(rest.get(2).copied())?;
        }
        Ok(Self { app_version, address, certificate })
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

fn certificate(field: &str) -> Result<Option<Vec<u8>>, HandshakeError> {
    if field.len() <= SHORTEST_CERTIFICATE {
        return Ok(None);
    }
    if field.len() > LONGEST_CERTIFICATE {
        return Err(HandshakeError::Certificate { reason: "it is longer than 8 KiB" });
    }
    let text: String = field.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
    let refuse = |reason| HandshakeError::Certificate { reason };
    let der = BASE64.decode(text).map_err(|_| refuse("it is no standard base64"))?;
    ParsedCertificate::try_from(&CertificateDer::from_slice(&der))
        .map_err(|_| refuse("it is no X.509 certificate"))?;
    Ok(Some(der))
}

fn multiplexed(field: Option<&str>) -> Result<(), HandshakeError> {
    let field = field.ok_or(HandshakeError::NotMultiplexed { missing: true })?;
    if go_bool(field)? { Ok(()) } else { Err(HandshakeError::NotMultiplexed { missing: false }) }
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

/// Writes the line that a plugin prints. The seventh field is there only if the
/// host asked for it: hosts before go-plugin 1.6 glue it to the certificate.
pub(crate) fn format_line(
    app_version: u32,
    address: &Address,
    certificate: Option<&[u8]>,
    multiplex: Option<bool>,
) -> String {
    let certificate = certificate
        .map(|der| base64::engine::general_purpose::STANDARD_NO_PAD.encode(der))
        .unwrap_or_default();
    let (network, address) = (address.network(), address.text());
    let multiplex = multiplex.map(|multiplex| format!("|{multiplex}")).unwrap_or_default();
    format!("{CORE_VERSION}|{app_version}|{network}|{address}|grpc|{certificate}{multiplex}")
}

#[cfg(test)]
mod tests;
