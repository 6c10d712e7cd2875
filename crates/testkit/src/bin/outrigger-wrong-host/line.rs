//! The handshake line.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use rustls::pki_types::CertificateDer;

use crate::Wrong;
use crate::environment::VERSIONS;

/// Shorter sixth fields are no certificates.
const SHORT: usize = 50;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Where the plugin listens.
#[derive(Debug)]
pub(crate) enum Address {
    Unix(String),
    Tcp(String),
}

/// What the line says.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) address: Address,
    pub(crate) certificate: Option<CertificateDer<'static>>,
}

impl Line {
    pub(crate) fn parse(wrong: &Wrong, line: &str) -> Result<Self, String> {
        let text = if wrong.is("keeps-cr") { line.trim_end_matches('\n') } else { line.trim() };
        if text.contains('\r') {
            return Err(format!("{text:?} has a carriage return"));
        }
        let fields: Vec<&str> = text.split('|').collect();
        let [core, version, network, address, rest @ ..] = &fields[..] else {
            return Err(format!("{text:?} is no handshake"));
        };
        if *core != "1" && !wrong.is("any-core-version") {
            return Err(format!("it speaks core protocol version {core}, and this host 1"));
        }
        let version: u32 =
            version.parse().map_err(|_| format!("the version {version:?} is no number"))?;
        if !VERSIONS.contains(&version) && !wrong.is("any-version") {
            return Err(format!("it speaks version {version}, and this host {VERSIONS:?}"));
        }
        let protocol = rest.first().copied().unwrap_or("netrpc");
        if protocol != "grpc" {
            let protocol = if wrong.is("net-rpc-is-unknown") && rest.is_empty() {
                "nothing"
            } else {
                protocol
            };
            return Err(format!("it speaks {protocol:?}, and this host grpc"));
        }
        if wrong.is("seven-fields") && rest.len() > 2 && rest[2..] != ["true"] {
            return Err("it has odd fields at its end".to_owned());
        }
        Ok(Self {
            address: parse_address(wrong, network, address)?,
            certificate: parse_certificate(wrong, rest.get(1).copied().unwrap_or_default())?,
        })
    }
}

fn parse_address(wrong: &Wrong, network: &str, address: &str) -> Result<Address, String> {
    match network {
        "unix" => Ok(Address::Unix(address.to_owned())),
        "udp" if wrong.is("udp-is-unix") => Ok(Address::Unix(address.to_owned())),
        "tcp" if wrong.is("no-tcp") => Err("it is on TCP".to_owned()),
        "tcp" if wrong.is("no-bare-port") => Ok(Address::Tcp(address.to_owned())),
        "tcp" => Ok(Address::Tcp(match address.strip_prefix(':') {
            Some(port) => format!("127.0.0.1:{port}"),
            None => address.to_owned(),
        })),
        other => Err(format!("its network is {other:?}")),
    }
}

fn parse_certificate(
    wrong: &Wrong,
    field: &str,
) -> Result<Option<CertificateDer<'static>>, String> {
    if field.len() <= SHORT {
        if wrong.is("certificate-optional") {
            return Ok(None);
        }
        return Err("it announces no certificate".to_owned());
    }
    let der = BASE64.decode(field).map_err(|error| format!("its certificate: {error}"))?;
    let certificate = CertificateDer::from(der);
    let parsed = rustls::server::ParsedCertificate::try_from(&certificate);
    parsed.map_err(|error| format!("its certificate: {error}"))?;
    Ok(Some(certificate))
}
